"""Events: written by one, read by many, torn by kills, and folded to one meaning whatever the reads were."""

import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects import eventlog
from projects.curve import RECORD, Point, rebuild_curve
from projects.events import State, Writer, fold, fold_file, last_event, read
from projects.job import JobDir


@pytest.fixture
def job(tmp_path: Path) -> JobDir:
    return JobDir(tmp_path)


def folded(*events: dict[str, object]) -> State:
    state = State()
    for event in events:
        state = fold(state, event)
    return state


def step(number: int, loss: float, attempt: int = 1) -> dict[str, object]:
    return {"kind": "step", "attempt": attempt, "step": number, "loss": loss, "steps": 10}


def started(attempt: int, from_step: int = 0) -> dict[str, object]:
    return {
        "kind": "started",
        "attempt": attempt,
        "from_step": from_step,
        "host": "h",
        "boot_id": "b",
        "pid": 7,
    }


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = (
    "attempt",
    "from_step",
    "step",
    "steps",
    "loss",
    "name",
    "files",
    "removed",
    "problems",
    "request",
    "n",
    "t",
)
any_event = st.builds(
    lambda kind, fields: {**fields, "kind": kind},
    st.sampled_from([*sorted(eventlog.KINDS), "a kind of next year"]),
    st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), st.integers(0, 5) | values, max_size=5),
)


@given(
    st.lists(any_event.map(lambda event: json.dumps(event).encode()) | st.binary(max_size=30), max_size=12),
    st.lists(st.integers(0, 2000), max_size=8),
    st.binary(max_size=10),
)
def test_any_cut_of_the_reads_folds_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], cuts: list[int], torn: bytes
) -> None:
    path = tmp_path_factory.mktemp("fold") / "events.jsonl"
    data = b"".join(line + b"\n" for line in lines) + torn
    state, offset, at = State(), 0, 0
    for end in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
        with path.open("ab") as file:
            file.write(data[at:end])
        at = end
        events, offset = read(path, offset)
        for event in events:
            state = fold(state, event)
    assert state == fold_file(path)
    assert data[offset:] == data[data.rfind(b"\n") + 1 :]


@given(st.lists(any_event, max_size=20))
def test_unknown_kinds_change_nothing_but_the_number(events: list[dict[str, object]]) -> None:
    strange = {"kind": "a kind of next year", "step": 99, "attempt": 99, "loss": 1.0}
    mixed = [each for event in events for each in (strange, event)]
    assert folded(*mixed) == folded(*events)


def test_a_resume_drops_what_earlier_attempts_recorded_beyond_its_start() -> None:
    first = [
        started(1),
        step(1, 0.1),
        {"kind": "saved", "attempt": 1, "step": 1, "path": "one"},
        {"kind": "sampled", "attempt": 1, "step": 1, "files": ["1.png"]},
        {"kind": "warning", "attempt": 1, "text": "early"},
        step(2, 0.2),
        step(3, 0.3),
        {"kind": "sampled", "attempt": 1, "step": 3, "files": ["3.png"]},
        {"kind": "evaluated", "attempt": 1, "step": 3, "subject": 0.5, "holdout": None},
        {"kind": "warning", "attempt": 1, "text": "late"},
        {"kind": "acknowledged", "attempt": 1, "request": "stop", "state": "done"},
        {"kind": "failed", "attempt": 1, "error": "No.", "hint": "Mend it."},
    ]
    before, after = folded(*first), folded(*first, started(2, from_step=1))
    assert (before.last_word, before.error, before.step) == ("failed", "No. Mend it.", 3)
    assert (after.attempt, after.from_step, after.step, after.loss) == (2, 1, 1, 0.1)
    assert after.attempts == ((1, 0), (2, 1))
    assert after.recent == ((1, 0.1),) and dict(after.saved) == {1: "one"}
    assert dict(after.sampled) == {1: ("1.png",)} and not after.evaluated
    assert [remark.text for remark in after.warnings] == ["early"]
    assert (after.last_word, after.error, dict(after.acknowledged)) == ("", "", {})


def test_a_worker_that_was_taken_over_is_not_listened_to() -> None:
    state = folded(started(1), started(2, 5), step(9, 0.9, attempt=1), {"kind": "done", "attempt": 1})
    assert (state.step, state.last_word) == (5, "")


def test_a_removed_checkpoint_is_no_longer_saved() -> None:
    state = folded(
        {"kind": "saved", "step": 1, "path": "a"}, {"kind": "saved", "step": 2, "path": "b", "removed": [1]}
    )
    assert dict(state.saved) == {2: "b"}


def test_the_curve_has_every_step_once_after_resumes() -> None:
    events = [started(1), step(1, 0.5), step(2, 0.25), step(3, 9.0), started(2, 2), step(3, 0.125, attempt=2)]
    points = [Point(*record) for record in RECORD.iter_unpack(rebuild_curve(events))]
    assert [(point.step, point.loss) for point in points] == [(1, 0.5), (2, 0.25), (3, 0.125)]


def test_a_torn_last_line_spoils_only_itself(job: JobDir) -> None:
    writer = Writer(job, 1)
    writer.emit("warning", text="whole")
    writer.close()
    with job.events.open("ab") as file:
        file.write(b'{"n":2,"kind":"warning","te')
    assert len(read(job.events)[0]) == 1
    writer = Writer(job, 2)
    assert writer.emit("warning", text="after") == 2
    writer.close()
    state = fold_file(job.events)
    assert [remark.text for remark in state.warnings] == ["whole", "after"] and state.unreadable == 1


def test_numbers_go_on_where_the_last_attempt_ended_even_without_its_newline(job: JobDir) -> None:
    job.events.write_bytes(b'{"n":41,"kind":"warning","text":"cut at the newline"}')
    writer = Writer(job, 2)
    assert writer.emit("done") == 42
    writer.close()


def test_no_space_in_the_middle_of_a_line_costs_that_line_alone(
    job: JobDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, write = Writer(job, 1), os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:9]))
    with pytest.raises(OSError) as caught:
        writer.emit("warning", text="too long for what is left")
    assert caught.value.errno == errno.ENOSPC
    monkeypatch.setattr(os, "write", write)
    writer.emit("warning", text="there is room again")
    writer.close()
    assert [event["kind"] for event in read(job.events)[0]] == ["unreadable", "warning"]


def test_names_and_numbers_that_json_has_no_word_for(job: JobDir) -> None:
    writer = Writer(job, 1)
    writer.emit("step", step=1, loss=float("nan"), grad=float("inf"))
    writer.emit("warning", text="\x1b[2J", files=["caf\udce9.png"])
    writer.close()
    text = job.events.read_text("ascii")
    assert "NaN" not in text and "Infinity" not in text and "\x1b" not in text
    state = fold_file(job.events)
    assert state.loss is None and state.warnings[0].files == ("caf\udce9.png",)


def test_the_last_event_is_found_from_the_end(job: JobDir) -> None:
    assert last_event(job.events) is None
    writer = Writer(job, 1)
    writer.emit("step", step=1, loss=0.5)
    writer.emit("evaluated", step=1, pictures={f"picture {number}.png": 0.5 for number in range(9000)})
    writer.emit("a kind of next year")
    writer.close()
    with job.events.open("ab") as file:
        file.write(b'{"kind":"done"')
    last = last_event(job.events)
    assert last is not None and last["kind"] == "evaluated" and len(last["pictures"]) == 9000  # type: ignore[arg-type]
