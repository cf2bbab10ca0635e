"""No file ends the audit, holds it up, fills the memory, or makes it write anywhere but into cache/."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.dataset.audit import crew
from engine.dataset.audit.audit import Report, audit
from engine.dataset.audit.crew import Crew, Order
from engine.dataset.audit.hand import answer
from projects.bases import BaseFacts, describe
from projects.spec import Data, RunSpec
from tests.engine.dataset.audit import hostile

ROOT = Path(__file__).resolve().parents[4]
SPEC = RunSpec(data=Data(images="images"))
FACTS: BaseFacts = describe("demo", ROOT)
STOPS = ("unreadable", "truncated", "oversized-file", "animated", "decoder", "mode")
# The audit in a process of its own, so that what its hands took of memory is theirs alone.
PROGRAM = """
import json, resource, sys
from pathlib import Path
from engine.dataset.audit import crew
from engine.dataset.audit.audit import audit
from tests.engine.dataset.audit.test_hostile import FACTS, SPEC
crew.ANSWER_SECONDS = 5.0
for report in audit(Path(sys.argv[1]), SPEC, FACTS, processes=2):
    pass
print(json.dumps({
    "complete": report.collection.complete,
    "names": [one.name for one in report.collection.pictures],
    "findings": [finding.table() for finding in report.findings],
    "largest": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
}))
"""


def photos(project: Path, count: int, side: int = 300) -> list[Path]:
    """Pictures that differ, each a little work."""
    (project / "images").mkdir(parents=True, exist_ok=True)
    made = [project / "images" / f"{number:03}.jpg" for number in range(count)]
    for path in made:
        Image.effect_noise((side, side), 80).convert("RGB").save(path)
    return made


def last(project: Path, **options: Any) -> Report:
    *_, report = audit(project, SPEC, FACTS, **{"processes": 1, **options})
    return report


class Counted(Crew):
    """What was asked of the crew."""

    asked: list[Path]
    answered: list[Path]

    def work(self, orders: Any, *rest: Any) -> Any:
        orders = list(orders)
        self.asked.extend(order.path for order in orders)
        for answered in super().work(orders, *rest):
            self.answered.append(answered.order.path)
            yield answered


@pytest.fixture(autouse=True)
def nothing_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text is looked for in the corpus of hostile files only: it takes longer than all the rest together."""
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "rapidocr" else there(name))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    Counted.asked, Counted.answered = [], []
    monkeypatch.setattr("engine.dataset.audit.audit.Crew", Counted)
    return Counted.asked


def everything(folder: Path) -> dict[str, tuple[float, int]]:
    """Every file with its time and size, without following links."""
    found = {}
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = os.path.join(parent, name)
            if not path.startswith(str(folder / "cache")):
                stat = os.lstat(path)
                found[path] = (stat.st_mtime if not os.path.isdir(path) else 0.0, stat.st_size)
    return found


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    project = tmp_path_factory.mktemp("hostile")
    expected = dict(hostile.lay(project / "images"))
    if os.geteuid():  # root reads everything
        (project / "images" / "forbidden.png").write_bytes(hostile.saved("PNG"))
        (project / "images" / "forbidden.png").chmod(0)
        expected["forbidden.png"] = "unreadable"
    before = everything(project)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(project)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert everything(project) == before, "something was written outside cache/"
    yield expected, json.loads(done.stdout)
    (project / "images" / "sparse.jpg").unlink()


def test_the_audit_comes_to_its_end_over_every_kind_of_file(
    corpus: tuple[dict[str, str], dict[str, Any]],
) -> None:
    expected, told = corpus
    assert len(expected) >= 40
    assert told["complete"]
    assert set(told["names"]) == set(expected)


def test_each_file_that_stops_a_run_is_a_blocker_and_no_other_is(
    corpus: tuple[dict[str, str], dict[str, Any]],
) -> None:
    expected, told = corpus
    blocked = {
        name: finding["check"]
        for finding in told["findings"] if finding["check"] in STOPS and finding["severity"] == "blocker"
        for name in finding["pictures"]
    }  # fmt: skip
    wrong = {
        name: (check, blocked.get(name, ""))
        for name, check in expected.items()
        if (check == "*" and name not in blocked) or (check != "*" and blocked.get(name, "") != check)
    }
    assert wrong == {}


def test_no_file_holds_it_up_or_ends_a_process(corpus: tuple[dict[str, str], dict[str, Any]]) -> None:
    values = " ".join(finding["value"] for finding in corpus[1]["findings"])
    assert "takes longer" not in values
    assert "ends the program" not in values
    assert "Could not be" not in values
    assert "fault of Safelight" not in " ".join(finding["remedy"] for finding in corpus[1]["findings"])


def test_no_file_takes_more_than_a_gigabyte(corpus: tuple[dict[str, str], dict[str, Any]]) -> None:
    assert corpus[1]["largest"] < 1 << 30


def test_a_process_that_is_killed_is_replaced_and_its_picture_measured(tmp_path: Path) -> None:
    paths = photos(tmp_path, 12)
    orders = [Order(path=path, background="#ffffff", measures=["header", "opened"]) for path in paths]
    answers = []
    with Crew(1) as working:
        for answer in working.work(orders):
            answers.append(answer)
            if len(answers) == 3:
                process = working._hands[0]._process
                assert process
                os.kill(process.pid, signal.SIGKILL)
    assert sorted(each.order.path for each in answers) == paths
    assert [each.error for each in answers] == [""] * 12


def test_a_file_that_ends_every_process_is_named_and_the_others_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"sha256": "a", "stat": [1, 1], "values": {"opened": {"size": [9, 9]}}, "failed": {}}
    program = (
        "import sys, os\n"
        "for line in sys.stdin:\n"
        "    '001' in line and os.abort()\n"
        f"    print({json.dumps(answer)!r}, flush=True)"
    )
    monkeypatch.setattr(crew, "COMMAND", (sys.executable, "-c", program))
    photos(tmp_path, 3, side=10)
    report = last(tmp_path)
    (finding,) = [each for each in report.findings if each.check == "unreadable"]
    assert finding.pictures == ("001.jpg",)
    assert "ends the program" in finding.value


def test_a_file_that_takes_for_ever_is_named_and_a_stop_does_not_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "COMMAND", (sys.executable, "-c", "import time; time.sleep(1000)"))
    monkeypatch.setattr(crew, "START_SECONDS", 0.5)
    photos(tmp_path, 1, side=10)
    (finding,) = [each for each in last(tmp_path).findings if each.severity == "blocker"]
    assert "takes longer" in finding.value
    monkeypatch.setattr(crew, "START_SECONDS", 600.0)
    assert not last(tmp_path, should_stop=lambda: True).collection.complete


def test_what_was_measured_is_kept_when_it_is_stopped_or_left(
    tmp_path: Path, counted: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Asked once a picture, however long a busy machine takes to start a process.
    monkeypatch.setattr(crew, "STOP_SECONDS", 60.0)
    paths = photos(tmp_path, 10)
    stopped = last(tmp_path, should_stop=lambda: len(Counted.answered) > 2)
    assert not stopped.collection.complete
    known = sum(bool(one.values) for one in stopped.collection.pictures)
    assert 0 < known < 10
    asked = len(counted)
    reports = audit(tmp_path, SPEC, FACTS, processes=1)
    first = next(reports)
    reports.close()
    assert sum(bool(one.values) for one in first.collection.pictures) == known
    assert len(counted) == asked
    assert last(tmp_path).collection.complete
    assert set(counted) == set(paths)


def test_again_nothing_is_measured_and_of_one_changed_picture_that_one(
    tmp_path: Path, counted: list[Path]
) -> None:
    paths = photos(tmp_path, 6)
    before = last(tmp_path)
    counted.clear()
    (again,) = audit(tmp_path, SPEC, FACTS, processes=1)
    assert again.collection.complete
    assert again.stage == ""
    assert counted == []
    assert again.collection.pictures == before.collection.pictures
    assert again.findings == before.findings
    Image.new("RGB", (70, 50)).save(paths[2])
    changed = last(tmp_path)
    assert set(counted) == {paths[2]}
    assert changed.collection.pictures[2].value("opened", "size") == [70, 50]


def test_a_file_that_changes_while_it_is_looked_at_is_known_as_it_is_in_the_end(tmp_path: Path) -> None:
    paths = photos(tmp_path, 8)
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            Image.new("RGB", (30 + number % 50, 20), (number % 255, 9, 9)).save(paths[4])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert last(tmp_path).collection.complete
    finally:
        over.set()
        writer.join()
    known = last(tmp_path).collection.pictures[4]
    assert known.sha256 == sha256(paths[4].read_bytes()).hexdigest()
    with Image.open(paths[4]) as picture:
        assert known.value("opened", "size") == list(picture.size)


@pytest.mark.parametrize("damage", [b"", b"SQLite format 3\0" + b"\xff" * 5000, b"text"])
def test_a_damaged_store_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    photos(tmp_path, 1, side=10)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "audit.sqlite").write_bytes(damage)
    assert last(tmp_path).collection.complete
    (again,) = audit(tmp_path, SPEC, FACTS, processes=1)
    assert again.collection.complete


def test_a_measure_that_a_picture_breaks_is_said_and_never_looks_like_a_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import sys, json\n"
        "for line in sys.stdin:\n"
        "    failed = {name: 'ValueError: odd' for name in json.loads(line)['measures']}\n"
        "    print(json.dumps({'sha256': 'a', 'stat': [1, 1], 'values': {}, 'failed': failed}), flush=True)"
    )
    monkeypatch.setattr(crew, "COMMAND", (sys.executable, "-c", program))
    photos(tmp_path, 1, side=10)
    findings = [each for each in last(tmp_path).findings if each.confidence == "not-run" and each.pictures]
    assert findings
    assert all("ValueError: odd" in each.value for each in findings)


def test_no_process_is_left_when_it_is_over(tmp_path: Path) -> None:
    paths = photos(tmp_path, 4, side=10)
    orders = [Order(path=path, background="#ffffff", measures=["opened"]) for path in paths]
    with Crew(2) as working:
        next(working.work(orders))
        pids = [hand._process.pid for hand in working._hands if hand._process]
    assert pids
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, 0)
            pytest.fail("A process is still there.")


GOOD = [hostile.saved(kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")]


@settings(max_examples=150, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(GOOD),
    st.lists(st.tuples(st.integers(0, 10**5), st.binary(min_size=1, max_size=8)), max_size=6),
    st.none() | st.integers(0, 10**5),
    st.binary(max_size=40),
)
def test_any_damage_is_measured_or_named(
    tmp_path: Path, data: bytes, changes: list[tuple[int, bytes]], end: int | None, tail: bytes
) -> None:
    damaged = bytearray(data)
    for at, change in changes:
        at %= len(damaged)
        damaged[at : at + len(change)] = change
    path = tmp_path / "picture.jpg"
    path.write_bytes(bytes(damaged[: None if end is None else end % len(damaged)]) + tail)
    told = answer({"path": str(path), "background": "#ffffff", "measures": ["header", "opened"]})
    opened = told["values"].get("opened", {})
    assert "size" in opened or {"check", "error", "hint"} == set(opened)
    assert told["failed"] == {}
    json.dumps(told, allow_nan=False)
