"""What `safelight bench` is made of: the terminal it measures with, the figures and their table. No time is tested."""

import os
import re
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from projects import worker
from projects.curve import read_curve
from projects.events import fold_file
from projects.job import JobDir
from projects.problems import Refused
from projects.status import read_status
from tests.tui.conftest import Say
from tui.bench import audit, cache, interface, invented, loop, machine, peers, pictures_room, report, startup
from tui.bench.figures import Figure, median_of, quantile
from tui.bench.terminal import ESCAPES, Answer, Terminal
from tui.verbs import bench as verb

# A full-screen program in little: asks the terminal what it is, paints, and answers each key with as many bytes as say so.
PROGRAM = r"""
import os, sys, termios, tty
tty.setraw(0)
def out(text): os.write(1, text.encode())
out("\x1b[?1049h\x1b[c")
told = b""
while not told.endswith(b"c"): told += os.read(0, 1)
size = os.get_terminal_size(0)
out(f"\x1b[1;31m\x1b]0;title\x07terminal {size.columns}x{size.lines} \x1b[0mrea\x1b[32mdy")
while (key := os.read(0, 1)) != b"q":
    out("x" * 300 if key == b"p" else "\x1b[Ax")
out("bye")
"""


@pytest.fixture
def terminal():
    with Terminal([sys.executable, "-c", PROGRAM]) as made:
        yield made


def test_a_terminal_answers_what_it_is_asked_and_reads_text_through_escapes(terminal: Terminal) -> None:
    assert terminal.until("terminal 120x36", re.compile(r"re\w+dy")) > terminal.started
    assert "title" not in terminal.text()
    assert terminal.process.poll() is None


def test_a_key_is_answered_with_its_bytes_and_no_others(terminal: Terminal) -> None:
    terminal.until("ready")
    page = terminal.press("p")
    assert page.size == 300
    assert 0 < page.seconds <= page.window
    assert terminal.press("j").size == 4
    assert terminal.listen(0.05) == 0


def test_what_was_written_before_does_not_count_after_forgetting(terminal: Terminal) -> None:
    terminal.until("ready")
    terminal.forget()
    with pytest.raises(Refused, match="has not shown it in 0 s"):
        terminal.until("ready", seconds=0.1)


def test_a_program_that_ends_is_not_waited_for(terminal: Terminal) -> None:
    terminal.until("ready")
    terminal.press("q")
    with pytest.raises(Refused, match="ended") as refused:
        terminal.until("never")
    assert "bye" in str(refused.value)


def test_a_program_ends_with_its_terminal() -> None:
    with Terminal([sys.executable, "-c", PROGRAM]) as terminal:
        terminal.until("ready")
    assert terminal.process.returncode is not None
    terminal.close()


@pytest.mark.parametrize(
    "raw",
    [b"\x1b[38;2;255;106;61m", b"\x1b]8;;http://a\x1b\\", b"\x1b(B", b"\x1b[?2026h", b"\x1b_Gi=1;AAAA\x1b\\"],
)
def test_escape_sequences_are_no_text(raw: bytes) -> None:
    assert ESCAPES.sub(b"", b"a" + raw + b"b") == b"ab"


def test_an_invented_run_reads_as_a_real_one(tmp_path: Path) -> None:
    project = invented.write_project(tmp_path / "cups", 3)
    ended = invented.write_run(project, 500)
    state = fold_file(ended.events)
    assert (state.n, state.step, state.last_word, state.unreadable) == (500, 497, "done", 0)
    assert len(read_curve(ended.curve)[0]) == state.step
    assert worker.state_of(ended) == "done"


def test_an_invented_run_lives_as_long_as_it_is_written(tmp_path: Path) -> None:
    project = invented.write_project(tmp_path / "cups", 3)
    job = invented.write_run(project, 100, ended=False)
    assert fold_file(job.events).step == 98
    with invented.live(job):
        assert worker.state_of(job) == "live"
        assert read_status(job.status).phase == "training"
    state = fold_file(job.events)
    assert state.step > 98
    assert [point.step for point in read_curve(job.curve)[0]] == list(range(1, state.step + 1))
    assert worker.state_of(job) == "died"


def test_an_invented_project_is_one_that_would_be_trained(tmp_path: Path, say: Say) -> None:
    project = invented.write_project(tmp_path / "cups", 3)
    said = say("plan", project, "--json")
    assert said.json["problems"] == []
    assert len({file.read_bytes() for file in (project / "images").glob("*.png")}) == 3


def test_the_start_of_a_run_is_timed_from_its_own_events(tmp_path: Path) -> None:
    events = [
        {"kind": "phase", "name": "waiting-for-device", "t": 1.0},
        {"kind": "phase", "name": "looking at the pictures", "t": 60.5},
        {"kind": "progress", "name": "training", "t": 61.0},
        {"kind": "phase", "name": "training", "t": 63.75},
    ]
    assert cache.between(events, JobDir(tmp_path)) == 3.25
    with pytest.raises(Refused, match="did not get to its first step"):
        cache.between(events[:3], JobDir(tmp_path))


def test_the_engine_tells_figures_by_line(tmp_path: Path) -> None:
    figure = (
        '{"figure": {"name": "loop.outside", "value": 3.5, "unit": "%", "budget": 2.0, "method": "pairs"}}'
    )
    lines = ['{"say": "hello"}', "a library's own words", figure, '{"profile": ["1 ms  here"]}']
    said: list[str] = []
    code = f"import sys\nfor line in {lines!r}: print(line)"
    (found,) = loop.read_lines([sys.executable, "-c", code], said.append)
    assert (found.name, found.value, found.missed) == ("loop.outside", 3.5, True)
    assert said == ["hello", "  1 ms  here"]


def test_an_engine_that_fails_says_why() -> None:
    code = "import sys; print('x: no torch here', file=sys.stderr); sys.exit(1)"
    with pytest.raises(Refused, match="no torch here"):
        loop.read_lines([sys.executable, "-c", code], print)


def test_quantiles_are_values_that_were_measured() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [quantile(values, share) for share in (0.0, 0.5, 0.9, 1.0)] == [1.0, 3.0, 5.0, 5.0]
    assert quantile([7.0], 0.9) == 7.0


def test_a_median_says_how_many_and_how_far_apart() -> None:
    figure = median_of("startup.help", [0.3, 0.1, 0.2], "s", budget=0.15, method="whole process")
    assert (figure.value, figure.missed) == (0.2, True)
    assert figure.method == "whole process; median of 3, 0.1 to 0.3"


FIGURES = [
    Figure(name="startup.help", value=0.0412, unit="s", budget=0.3, method="whole process; median of 10"),
    Figure(name="loop.outside", value=3.5, unit="%", budget=2.0, method="a method that goes on and on " * 3),
    Figure(name="ui.page_bytes", value=12345.6, unit="B", method="a | b"),
]


def test_the_table_marks_what_is_missed_and_keeps_its_width() -> None:
    lines = report.lines_of(FIGURES, width=80)
    assert all(len(line) <= 80 for line in lines)
    assert lines[1].split()[:5] == ["✓", "startup.help", "0.0412", "s", "0.3"]
    assert lines[2].split()[:5] == ["~", "loop.outside", "3.5", "%", "2"]
    assert any(line.split()[:3] == ["ui.page_bytes", "12346", "B"] for line in lines)


def test_sections_are_added_and_nothing_before_them_changes(tmp_path: Path) -> None:
    file, when = tmp_path / "measurements.md", datetime(2026, 11, 24, 9, 5)
    text = report.section(
        FIGURES, when=when, command="safelight bench", machine=["2 cores"], notes=["profile"]
    )
    report.append(file, text)
    once = file.read_text()
    report.append(file, text)
    assert file.read_text().startswith(once.rstrip())
    assert once.startswith("# Measurements\n\n## 2026-11-24 09:05\n")
    assert "| ~ | loop.outside | 3.5 | % | 2 |" in once and "a \\| b" in once and "```\nprofile\n```" in once
    with pytest.raises(Refused, match="cannot be added"):
        report.append(tmp_path / "missing" / "file.md", text)


def test_the_verb_prints_the_figures_and_writes_them(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measures = dict.fromkeys(verb.MEASURES, lambda bench: [])
    monkeypatch.setattr(verb, "MEASURES", {**measures, "ui": lambda bench: FIGURES})
    said = say("bench", "ui", "--json", "--write", tmp_path / "m.md")
    assert said.code == 0
    assert said.json["figures"][1] == {
        "name": "loop.outside", "value": 3.5, "unit": "%", "budget": 2.0, "method": FIGURES[1].method,
    }  # fmt: skip
    assert "startup.help" in said.err and "cores" in said.err
    assert "| startup.help | 0.0412 |" in (tmp_path / "m.md").read_text()
    assert say("bench", "weather").code == 2


def test_start_up_is_measured_on_the_real_command_and_a_real_terminal() -> None:
    found = {figure.name: figure.value for figure in startup.measure(times=1)}
    assert found.keys() == {"startup.help", "startup.textual", "startup.plain_paint"}
    assert all(value > 0 for value in found.values())
    with pytest.raises(Refused, match="measured failed"):
        startup.process_seconds(startup.safelight("no-such-verb"))


def test_what_others_compute_is_told_from_what_is_measured() -> None:
    since = machine.Since(wall=time.monotonic() - 10.0, busy=machine.Since().busy, own=sum(os.times()[:4]))
    assert 0.0 <= since.others() <= 0.2
    cores = os.cpu_count() or 1
    beside = replace(since, busy=since.busy - 5.0 * cores)
    assert beside.others() == pytest.approx(0.5 + since.others(), abs=0.1)
    ours = replace(beside, own=since.own - 5.0 * cores)
    assert ours.others() == pytest.approx(since.others(), abs=0.1)


NAMES = """ui.first_paint ui.first_paint_home ui.first_paint_ratio ui.attach_numbers ui.attach_curve ui.idle_bytes
ui.idle_cpu ui.memory ui.key_p50 ui.key_p90 ui.key_bytes ui.scroll_bytes ui.page_bytes
ui.filter ui.stall ui.stall_rooms ui.pictures_stall_audit ui.pictures_paint ui.pictures_key_bytes
ui.pictures_beside_bytes ui.pictures_page_bytes ui.tiles_key_bytes ui.tiles_page_bytes ui.pictures_stall ui.tiles_stall
ui.pictures_memory ui.curve"""


def test_the_audit_is_measured_fresh_and_again(tmp_path: Path) -> None:
    said: list[str] = []
    found = {
        figure.name: figure for figure in audit.measure(tmp_path, said.append, pictures=3, many=5, rounds=1)
    }
    names = "picture text first cheap first_of_many headers memory again one"
    # The extra that reads text is installed for the tests.
    assert [*found] == [f"audit.{name}" for name in names.split()]
    assert all(figure.value > 0 for figure in found.values()) and len(said) == 2
    # One changed picture costs one picture.
    assert "pictures measured: 1;" in found["audit.one"].method


def test_a_tool_that_cannot_be_installed_is_said_and_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "INSTALLS", {"imagededup": ("--no-index", "no-such-package-here")})
    said: list[str] = []
    others = peers.Peers(tmp_path / "env", said.append)
    assert others.tools == [] and others.seconds(tmp_path) == {} and others.figures([{}], 3) == []
    assert said[1].startswith("imagededup is not measured") and "no-such-package-here" in said[1]


def test_the_interface_is_measured_on_the_real_workbench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {
        "PICTURES": 12,
        "PAINTS": 1,
        "ATTACHES": 1,
        "KEYS": 6,
        "PAGES": 4,
        "IDLE_SECONDS": 0.3,
        "VISIT_SECONDS": 0.3,
    }
    for name, value in few.items():
        monkeypatch.setattr(interface, name, value)
    for name, few_times in {"ENTERED": 1, "KEYS": 4, "PAGES": 2, "REPORT_SECONDS": 1.0}.items():
        monkeypatch.setattr(pictures_room, name, few_times)
    figures = interface.measure(tmp_path)
    assert [figure.name for figure in figures] == NAMES.split()
    assert all(figure.value >= 0 for figure in figures)
    value = {figure.name: figure.value for figure in figures}
    # A page is a page, a key is a line or two, and the paints were not of something that had painted already.
    assert value["ui.key_bytes"] < 1e3 * value["ui.page_bytes"]
    assert value["ui.first_paint"] > 0.05 and value["ui.memory"] > 20
    assert [run.name[16:] for run in (tmp_path / "cups" / "runs").iterdir()] == ["long"]


def test_a_stall_is_the_longest_one_of_its_time(tmp_path: Path) -> None:
    ticks = tmp_path / "ticks"
    ticks.write_text("10.0 0.2\n11.0 0.004\n12.0 0.025\n13.0 0.3\n")
    assert interface.stall("ui.stall", ticks, 10.5, 12.5, "keys").value == 25.0
    assert interface.stall("ui.stall", ticks, 20.0, 30.0, "keys").value == 0.0


def test_bytes_of_a_key_are_those_that_would_not_have_come_anyway() -> None:
    answers = [Answer(0.001, 400, 0.5), Answer(0.001, 600, 0.5)]
    assert interface.bytes_each(answers, idle=200.0) == 400.0
    assert interface.bytes_each(answers, idle=2000.0) == 0.0
