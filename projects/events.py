"""What the events of a job mean: `fold(state, event) -> state`, and nothing else gives them a meaning.

`Writer` and `read` (projects/eventlog.py) write and read them; docs/files.md lists the kinds and their fields.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from projects.eventlog import LAST_WORDS, UNREADABLE, Event, Writer, last_event, read
from projects.pace import Pace
from projects.problems import Problem

__all__ = ["LAST_WORDS", "UNREADABLE", "Event", "State", "Writer", "fold", "fold_file", "last_event", "read"]

RECENT = 256
REMARKS = 100


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a countable part of a phase is."""

    what: str
    done: int
    total: int
    seconds_left: float | None = None
    """How long the rest takes; None where it is not known."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """The check of the first steps."""

    step: int
    ok: bool
    checked: int
    """How many layers were looked at."""
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Remark:
    """A warning or a finding."""

    step: int
    """The step it was made at."""
    time: float
    text: str
    files: tuple[str, ...]
    fields: Mapping[str, object]
    """The event as it was written."""


@dataclass(frozen=True, kw_only=True)
class State:
    """Everything the events of a job say so far. Absent or not yet known: 0, "", None, or empty."""

    n: int = 0
    """Number of the last event."""
    time: float = 0.0
    """When it was written, seconds since 1970."""
    unreadable: int = 0
    """Lines that are no events."""
    attempt: int = 0
    from_step: int = 0
    """The step this attempt went on from."""
    attempts: tuple[tuple[int, int], ...] = ()
    """(attempt, from_step) in order, for readers of what is not in the events (coverage)."""
    started: float = 0.0
    """When this attempt started."""
    pid: int = 0
    host: str = ""
    boot_id: str = ""
    phase: str = ""
    phase_started: float = 0.0
    holder: str = ""
    """Path of the job that is waited for, in the phases waiting-for-device and waiting-for-job."""
    progress: Progress | None = None
    step: int = 0
    steps: int | None = None
    loss: float | None = None
    lr: float | None = None
    grad: float | None = None
    epoch: float | None = None
    pace: Pace = Pace()
    """Of this attempt's last steps."""
    recent: tuple[tuple[int, float], ...] = ()
    """(step, loss) of the last 256 steps; curve.bin has them all."""
    saved: Mapping[int, str] = field(default_factory=dict)
    """Path of the checkpoint by step, those left out that were removed since to keep the newest few."""
    sampled: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Pictures by step."""
    likeness: Mapping[int, float] = field(default_factory=dict)
    """How like the subject the previews of a step are, 0 the base, 1 the training pictures; where it was measured."""
    evaluated: Mapping[int, tuple[float | None, float | None]] = field(default_factory=dict)
    """Evaluation loss on (subject, holdout) pictures by step."""
    health: Health | None = None
    verified: tuple[str, float | None] | None = None
    """("bit-equal" or "differs", by how much at most, relative) of this attempt's `resume --verify`."""
    warnings: tuple[Remark, ...] = ()
    """The last 100."""
    findings: tuple[Remark, ...] = ()
    """The last 100."""
    acknowledged: Mapping[str, str] = field(default_factory=dict)
    """Requests of this attempt: "heard", "done", or "dropped" (older than the attempt)."""
    last_word: str = ""
    """done, stopped or failed, once this attempt said so."""
    problems: tuple[Problem, ...] = ()
    """Why it failed."""
    result: Mapping[str, object] = field(default_factory=dict)
    """The fields of the last word."""

    @property
    def error(self) -> str:
        """Why it failed, as the sentence to show first."""
        return str(self.problems[0]) if self.problems else ""


def fold(state: State, event: Mapping[str, object]) -> State:
    """`state` after `event`. Kinds it does not know and events of an attempt that was taken over change nothing.

    Never raises: a field of the wrong type counts as absent.
    """
    kind = event.get("kind")
    if kind == UNREADABLE:
        return replace(state, unreadable=state.unreadable + 1)
    meaning = _FOLDS.get(kind) if isinstance(kind, str) else None
    seen = replace(state, n=_whole(event, "n", state.n), time=_number(event, "t") or state.time)
    if meaning is None or _whole(event, "attempt", state.attempt) < state.attempt:
        return seen
    return meaning(seen, event)


def fold_file(path: Path) -> State:
    """The state that the whole file says."""
    state = State()
    for event in read(path)[0]:
        state = fold(state, event)
    return state


def _started(state: State, event: Mapping[str, object]) -> State:
    attempt, from_step = _whole(event, "attempt", state.attempt + 1), _whole(event, "from_step", 0)
    recent = tuple(point for point in state.recent if point[0] <= from_step)
    return replace(
        state,
        attempt=attempt,
        from_step=from_step,
        attempts=(*state.attempts, (attempt, from_step)),
        started=state.time,
        pid=_whole(event, "pid", 0),
        host=_text(event, "host"),
        boot_id=_text(event, "boot_id"),
        phase="",
        holder="",
        progress=None,
        pace=Pace(),
        step=from_step,
        loss=recent[-1][1] if recent else None,
        recent=recent,
        saved={step: path for step, path in state.saved.items() if step <= from_step},
        sampled={step: files for step, files in state.sampled.items() if step <= from_step},
        likeness={step: like for step, like in state.likeness.items() if step <= from_step},
        evaluated={step: losses for step, losses in state.evaluated.items() if step <= from_step},
        health=state.health if state.health and state.health.step <= from_step else None,
        warnings=tuple(remark for remark in state.warnings if remark.step <= from_step),
        findings=tuple(remark for remark in state.findings if remark.step <= from_step),
        verified=None,
        acknowledged={},
        last_word="",
        problems=(),
        result={},
    )


def _phase(state: State, event: Mapping[str, object]) -> State:
    name, holder = _text(event, "name"), _text(event, "holder")
    begun = state.phase_started if name == state.phase else state.time
    return replace(state, phase=name, phase_started=begun, holder=holder, progress=None)


def _progress(state: State, event: Mapping[str, object]) -> State:
    done, total = _whole(event, "done", 0), _whole(event, "total", 0)
    left = _number(event, "seconds_left")
    return replace(
        state, progress=Progress(what=_text(event, "what"), done=done, total=total, seconds_left=left)
    )


def _step(state: State, event: Mapping[str, object]) -> State:
    step, loss = _whole(event, "step", state.step), _number(event, "loss")
    seconds = _number(event, "seconds")
    return replace(
        state,
        step=step,
        steps=_whole(event, "steps", state.steps or 0) or None,
        loss=loss,
        lr=_number(event, "lr"),
        grad=_number(event, "grad"),
        epoch=_number(event, "epoch"),
        pace=state.pace if seconds is None else state.pace.after(seconds),
        recent=state.recent if loss is None else (*state.recent[1 - RECENT :], (step, loss)),
    )


def _health(state: State, event: Mapping[str, object]) -> State:
    health = Health(
        step=state.step,
        ok=event.get("ok") is True,
        checked=_whole(event, "checked", 0),
        problems=_texts(event, "problems"),
    )
    return replace(state, health=health)


def _evaluated(state: State, event: Mapping[str, object]) -> State:
    losses = (_number(event, "subject"), _number(event, "holdout"))
    return replace(state, evaluated={**state.evaluated, _whole(event, "step", state.step): losses})


def _sampled(state: State, event: Mapping[str, object]) -> State:
    step = _whole(event, "step", state.step)
    files = dict.fromkeys((*state.sampled.get(step, ()), *_texts(event, "files")))
    like = _number(event, "likeness")
    likeness = state.likeness if like is None else {**state.likeness, step: like}
    return replace(state, sampled={**state.sampled, step: tuple(files)}, likeness=likeness)


def _saved(state: State, event: Mapping[str, object]) -> State:
    told = event.get("removed")
    removed = told if isinstance(told, list) else []
    saved = {**state.saved, _whole(event, "step", state.step): _text(event, "path")}
    return replace(state, saved={step: path for step, path in saved.items() if step not in removed})


def _warning(state: State, event: Mapping[str, object]) -> State:
    return replace(state, warnings=(*state.warnings[1 - REMARKS :], _remark(state, event)))


def _finding(state: State, event: Mapping[str, object]) -> State:
    return replace(state, findings=(*state.findings[1 - REMARKS :], _remark(state, event)))


def _remark(state: State, event: Mapping[str, object]) -> Remark:
    step = _whole(event, "step", state.step)
    text = _text(event, "text") or _text(event, "check")
    return Remark(step=step, time=state.time, text=text, files=_texts(event, "files"), fields=dict(event))


def _verified(state: State, event: Mapping[str, object]) -> State:
    return replace(state, verified=(_text(event, "verdict"), _number(event, "difference")))


def _acknowledged(state: State, event: Mapping[str, object]) -> State:
    name, how = _text(event, "request"), _text(event, "state") or "done"
    return replace(state, acknowledged={**state.acknowledged, name: how})


def _last_word(state: State, event: Mapping[str, object]) -> State:
    kind = _text(event, "kind")
    told = event.get("problems")
    problems = [_problem(each) for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    if kind == "failed" and not problems:
        problems = [_problem(event)]
    fields = {key: value for key, value in event.items() if key not in ("n", "t", "kind", "attempt")}
    return replace(state, last_word=kind, problems=tuple(problems), result=fields, progress=None)


def _problem(told: Mapping[str, object]) -> Problem:
    return Problem(error=_text(told, "error"), where=_text(told, "where"), hint=_text(told, "hint"))


_FOLDS: Final[Mapping[str, Callable[[State, Mapping[str, object]], State]]] = {
    "started": _started,
    "phase": _phase,
    "progress": _progress,
    "step": _step,
    "health": _health,
    "evaluated": _evaluated,
    "sampled": _sampled,
    "saved": _saved,
    "warning": _warning,
    "finding": _finding,
    "verified": _verified,
    "acknowledged": _acknowledged,
    **dict.fromkeys(LAST_WORDS, _last_word),
}


def _whole(event: Mapping[str, object], key: str, otherwise: int) -> int:
    value = event.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def _number(event: Mapping[str, object], key: str) -> float | None:
    value = event.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _text(event: Mapping[str, object], key: str) -> str:
    value = event.get(key)
    return value if isinstance(value, str) else ""


def _texts(event: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = event.get(key)
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
