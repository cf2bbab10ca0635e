"""A job followed line by line: what its events say, at a pace that can be read, until it has said its last word."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from projects import events, worker
from projects.eventlog import Event
from projects.events import State
from projects.job import JobDir
from projects.locks import holder
from projects.problems import Problem, Refused, listed, refuse
from tui.output import Output
from tui.printable import printable

ENDED = ("done", "stopped", "failed", "died")
_PAUSE = 0.25
_CALM_SECONDS = 5.0


class Left(Refused):
    """The terminal interrupted or hung up: only the watching ended."""


class Teller:
    """Turns events into lines. Steps and progress come at most every five seconds of the job's own clock, and at an end."""

    def __init__(self, job: JobDir) -> None:
        self._job = job
        self._last_step_line = 0.0
        self._last_progress_line = 0.0
        self._losses: list[float] = []
        self._phase = ""

    def lines(self, event: Event, state: State) -> list[str]:
        """The lines for `event`; `state` is the state after it."""
        when = time.strftime("%H:%M:%S", time.localtime(state.time))
        return [f"{when}  {words}" for words in self._words(event, state)]

    def _words(self, event: Event, state: State) -> list[str]:
        match event.get("kind"):
            case "started":
                again = (
                    f" again, attempt {state.attempt}, from step {state.from_step}"
                    if state.attempt > 1
                    else ""
                )
                return [f"started{again} (process {state.pid} on {printable(state.host)})"]
            case "phase":
                return self._phase_words(state)
            case "progress":
                return self._progress_words(state)
            case "step":
                return self._step_words(state)
            case "done" | "stopped" | "failed":
                return self._last_words(state)
            case _:
                return _remark_words(event, state)

    def _phase_words(self, state: State) -> list[str]:
        words = state.phase.replace("-", " ")
        if state.holder:
            words += f": {_short(self._job, state.holder)}"
        said = words == self._phase
        self._phase, self._last_progress_line = words, 0.0
        return [] if said else [printable(words)]

    def _progress_words(self, state: State) -> list[str]:
        progress = state.progress
        if progress is None or (progress.done < progress.total and not self._due_progress(state.time)):
            return []
        self._last_progress_line = state.time
        left = progress.seconds_left
        words = f"   {duration(left)} left" if left is not None and progress.done < progress.total else ""
        return [f"  {printable(progress.what)} {progress.done}/{progress.total}{words}"]

    def _due_progress(self, now: float) -> bool:
        return now - self._last_progress_line >= _CALM_SECONDS

    def _step_words(self, state: State) -> list[str]:
        if state.loss is not None:
            self._losses.append(state.loss)
        ended = state.steps is not None and state.step >= state.steps
        if not ended and state.time - self._last_step_line < _CALM_SECONDS:
            return []
        self._last_step_line = state.time
        words = f"step {state.step}" + (f"/{state.steps}" if state.steps else "")
        if self._losses:
            # One step's loss jumps with its timestep; the mean since the last line is what can be compared.
            words += f"   loss {sum(self._losses) / len(self._losses):.4f}"
        self._losses.clear()
        if state.pace.seconds:
            words += f"   {pace(state.pace.seconds)}"
            left = state.pace.left(state.steps - state.step) if state.steps and not ended else None
            words += "" if left is None else f"   {duration(left)} left"
        return [words]

    def _last_words(self, state: State) -> list[str]:
        if state.last_word == "failed":
            hints = [f"  {problem.hint}" for problem in state.problems if problem.hint]
            return [
                "failed",
                *(f"! {_place(problem.where)}{problem.error}" for problem in state.problems),
                *hints,
            ]
        if front := state.result.get("ended_by"):
            path = shown(Path(str(front)))
            words = f"stopped, because {_short(self._job, str(front))}, which it waits for, was stopped"
            return [printable(words), printable(f"  Both go on with: safelight resume {path}")]
        at = f" at step {state.step}" if state.step else ""
        return [f"{state.last_word}{at}"]


def _remark_words(event: Event, state: State) -> list[str]:
    """Lines of the events that are told one by one; none for a kind that is not known here."""
    match event.get("kind"):
        case "health":
            problems = state.health.problems if state.health else ()
            fine = "✓ the first steps look healthy"
            return [f"! {problem}" for problem in problems] or ([fine] if event.get("ok") else [])
        case "evaluated":
            subject, holdout = state.evaluated.get(state.step, (None, None))
            parts = [
                f"{loss:.4f} on {which}"
                for which, loss in (
                    ("pictures it trains", subject),
                    ("held-out ones (never trained)", holdout),
                )
                if loss is not None
            ]
            return ["loss " + ", ".join(parts)] if parts else []
        case "sampled":
            files = event.get("files")
            return (
                [f"drew {len(files)}: {printable(str(files[0]))}"]
                if isinstance(files, list) and files
                else []
            )
        case "drafted":
            return [printable(f"{event.get('picture', '')}: {event.get('text', '')}")]
        case "saved":
            return [f"saved {printable(str(event.get('path', '')))}"]
        case "acknowledged":
            return [
                f"request {printable(str(event.get('state', 'heard')))}: {printable(str(event.get('request', '')))}"
            ]
        case "verified":
            return [
                f"✓ {verified_words(event)}"
                if event.get("verdict") == "bit-equal"
                else f"~ {verified_words(event)}"
            ]
        case "warning" | "finding":
            files = (
                [printable(str(file)) for file in told]
                if isinstance(told := event.get("files"), list)
                else []
            )
            words = printable(str(event.get("text") or event.get("check") or ""))
            # A sentence about several names the first of them itself.
            unsaid = [] if any(file in words for file in files[:1]) else files
            return [f"~ {words}", *([f"    {listed(unsaid)}"] if unsaid else [])]
    return []


def verified_words(event: Event) -> str:
    """What `resume --verify` found, as a sentence."""
    if event.get("verdict") == "bit-equal":
        return "The next step, computed again, is bit-equal to the checkpoint's: the run goes on exactly."
    words = f"The next step, computed again, differs from the checkpoint's by {event.get('difference')}."
    match event.get("processes"):
        case [int(saved), int(now)]:
            return f"{words} {saved} processes saved it, this is {now}: sums are rounded in another order."
    return words


def follow(job: JobDir, out: Output, *, events_as_json: bool = False) -> str:
    """Tell every event of the job from its beginning, and go on until it has ended. Returns one of `ENDED`.

    Raises Left when the terminal interrupts or hangs up, with a sentence on how to come back, and Refused for a job
    that nobody works on.
    """
    teller, state, offset, stalled = Teller(job), State(), 0, False
    with _interruptible(job):
        while True:
            # The state is asked before the events are read, so that an end is never seen without its last words.
            now = worker.state_of(job)
            new, offset = events.read(job.events, offset)
            for event in new:
                state = events.fold(state, event)
                if events_as_json:
                    click.echo(json.dumps(event))
                else:
                    for line in teller.lines(event, state):
                        out.say(line)
            if now in ENDED:
                if now == "died" and not events_as_json:
                    out.say(
                        f"! The worker died without a last word. Go on with: safelight resume {shown(job.path)}"
                    )
                return now
            if now == "queued" and not new and not state.n and holder(job.lock) is None:
                hint = f"Start it: safelight resume {shown(job.path)}"
                raise refuse("No worker has begun this job.", where=shown(job.path), hint=hint)
            if now == "stalled" and not stalled and not events_as_json:
                out.say(
                    "~ Nothing has moved for longer than this phase allows. out.log in the run's folder may say why."
                )
            stalled = now == "stalled"
            if not new:
                time.sleep(_PAUSE)


@contextmanager
def _interruptible(job: JobDir) -> Iterator[None]:
    """Ctrl-C, a hang-up and a polite kill end the watching only, with a sentence."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, leave) for number in (signal.SIGHUP, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        path = shown(job.path)
        hint = f"Come back with: safelight follow {path}   Stop it with: safelight stop {path}"
        words = "No longer following; the job goes on without this terminal."
        raise Left(Problem(error=words, where=path, hint=hint)) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def shown(path: Path) -> str:
    """A path as short as it can be typed here: relative where it lies below the current folder."""
    here = Path.cwd()
    return (
        os.fspath(path.relative_to(here)) if path.is_relative_to(here) and path != here else os.fspath(path)
    )


def duration(seconds: float) -> str:
    """`seconds` as a person says it: 45 s, 12 min, 6 h 12 min."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def pace(seconds: float) -> str:
    """`seconds` a step as a person says it: 1.42 s a step, 0.083 s a step."""
    return f"{seconds:.2f} s a step" if seconds >= 0.1 else f"{seconds:.2g} s a step"


def _short(job: JobDir, path: str) -> str:
    holder = Path(path)
    return os.fspath(holder.relative_to(job.path.parent)) if holder.is_relative_to(job.path.parent) else path


def _place(where: str) -> str:
    return f"{where}: " if where else ""
