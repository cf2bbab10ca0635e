"""What a run is said to be, in lines of spans: standing, progress, facts, requests, and what happened meanwhile."""

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from projects.job import JobDir
from projects.worker import JobState
from tui.follow import RunView
from tui.follow_lines import duration, pace
from tui.remembered import Seen
from tui.run_jobs import ALIVE, ENDED_EARLY, JobRow
from tui.run_list import RunRow, short_name
from tui.spans import Span, Spans, length, wrapped

_INKS: Mapping[JobState, str] = {
    "live": "accent", "stalled": "warn", "done": "good", "stopped": "text", "failed": "bad", "died": "bad",
    "queued": "muted", "elsewhere": "warn",
}  # fmt: skip
_MARKS: Mapping[JobState, str] = {
    "live": "▶", "stalled": "~", "done": "✓", "stopped": "·", "failed": "!", "died": "!", "queued": "…",
    "elsewhere": "~",
}  # fmt: skip


def mark(standing: JobState) -> Span:
    """The sign of a standing."""
    return _MARKS[standing], _INKS[standing]


def short(row: RunRow) -> Spans:
    """How a run stands, in a list: where it is not at work, a job of it that is; and how many jobs wait behind."""
    status = row.status
    working = [job for job in row.jobs if job.standing in ALIVE]
    waiting = [job for job in row.jobs if job.standing == "queued"]
    if row.standing not in ALIVE and working:
        return [mark(working[0].standing), (f" {working[0].kind} {working[0].count}", "text")]
    if row.standing not in (*ALIVE, "queued") and waiting:
        return [mark("queued"), (f" {waiting[0].kind} waits", "muted")]
    at = f"{status.step or 0:,}" + (f"/{status.steps:,}" if status.steps else "")
    if row.standing in ("live", "stalled"):
        words = at if status.phase == "training" or not status.phase else status.phase.replace("-", " ")
    elif row.standing in ("died", "stopped"):
        words = f"{row.standing} at {status.step or 0:,}"
    else:
        words = row.standing
    spans: list[Span] = [mark(row.standing), (f" {words}", "text" if row.standing == "live" else "muted")]
    return [*spans, (f" +{len(waiting)}", "muted")] if waiting else spans


def live(rows: Sequence[RunRow], now: float) -> Spans:
    """What is at work, for the top line: a run, else a job of one, else what waits. rows: newest first."""
    runs = [row for row in rows if row.standing in ALIVE]
    if runs:
        return _live_run(runs[-1], now)
    jobs = [job for row in reversed(rows) for job in row.jobs]
    working = [job for job in jobs if job.standing in ALIVE]
    if working:
        return _job(working[0])
    waiting = [row.name for row in reversed(rows) if row.standing == "queued" and row.status.pid]
    waiting += [job.kind for job in jobs if job.standing == "queued"]
    return [mark("queued"), (f" {waiting[0]} waits", "muted")] if waiting else ()


def jobs(found: Sequence[JobRow]) -> Spans:
    """The jobs of a run on one line: what works, what waits behind it, and what ended early."""
    spans: list[Span] = []
    for each in found:
        if each.standing in ALIVE:
            spans += [*_job(each), ("   ", "text")]
    waiting = [each.kind for each in found if each.standing == "queued"]
    if waiting:
        words = f" {', '.join(waiting)} {'wait' if len(waiting) > 1 else 'waits'}"
        spans += [mark("queued"), (f"{words}   ", "muted")]
    for standing in ENDED_EARLY:
        names = [each.kind for each in found if each.standing == standing]
        if names:
            spans += [mark(standing), (f" {', '.join(names)} {standing}   ", "muted")]
    return spans


def _job(row: JobRow) -> list[Span]:
    """One that works: its kind and how far it is."""
    doing = row.count or row.phase
    words = f" {row.kind}" + (f"  {doing}" if doing else "") + (", stops" if row.stopping else "")
    return [mark(row.standing), (words, "text")]


def made(parts: Sequence[str], keys: Sequence[tuple[str, str]], width: int) -> list[Spans]:
    """What the jobs of a run made, and the (key, word) pairs that go on from there."""
    words: list[Span] = [("✓ ", "good"), (f"made: {', '.join(parts)}   ", "text")]
    pairs = [span for key, word in keys for span in ((key, "text"), (f" {word}   ", "muted"))]
    return [[*words, *pairs]] if length([*words, *pairs]) - 3 <= width else [words, pairs]


def _live_run(row: RunRow, now: float) -> Spans:
    """A run that works."""
    status = row.status
    spans: list[Span] = [mark(row.standing)]
    if status.step and status.steps:
        spans.append((f" {status.step:,}/{status.steps:,}", "text"))
    elif status.phase:
        spans.append((f" {status.phase.replace('-', ' ')}", "text"))
    if status.loss is not None:
        spans.append((f"  {status.loss:.3f}", "text"))
    if (end := done_at(row, now)) is not None:
        spans.append((f"  {clock(end)}", "muted"))
    return spans


def done_at(run: RunRow | RunView, now: float) -> float | None:
    """When the run will be done at its pace, seconds since 1970; None when it is not at work or not known."""
    left = run.status.eta_seconds
    return None if left is None or run.standing != "live" else (run.status.updated or now) + left


def standing(view: RunView, name: str, now: float, width: int) -> list[Spans]:
    """State, step, pace and end on one line, or two where it is narrow; what went wrong in full."""
    status, state = view.status, view.state
    head: list[Span] = [(f"{name}   ", "bold"), mark(view.standing), (f" {_what(view)}", "text")]
    tail: list[Span] = []
    if view.step:
        tail.append((f"step {view.step:,}" + (f" of {view.steps:,}" if view.steps else ""), "text"))
        if view.steps:
            tail.append((f"   {view.step / view.steps:.0%}", "text"))
    if view.standing == "live":
        if state.epoch:
            tail.append((f"   epoch {state.epoch:.1f}", "muted"))
        if status.seconds_per_step:
            tail.append((f"   {pace(status.seconds_per_step)}", "muted"))
        if (end := done_at(view, now)) is not None and status.eta_seconds:
            tail.append((f"   done {clock(end)}, in {duration(status.eta_seconds)}", "muted"))
    heard = (
        []
        if status.updated is None or view.standing not in ("live", "stalled")
        else _heard(now - status.updated)
    )
    one = [*head, ("   ", "text"), *tail, *heard]
    lines: list[Spans] = [one] if sum(len(text) for text, _ in one) <= width else [[*head, *heard], tail]
    if view.standing == "failed":
        problems = view.state.problems
        lines += [
            [("! ", "bad"), (words, "text")]
            for each in problems[:4]
            for words in wrapped(str(each), width - 2)
        ]
    return lines


def bar(view: RunView, width: int) -> Spans:
    """Progress: of the steps, or of what the phase counts."""
    progress = view.state.progress
    if view.standing in ("live", "stalled") and progress and progress.total and not view.step:
        words = f"{progress.what} {progress.done:,} of {progress.total:,} "
        done, total = progress.done, progress.total
    elif view.steps:
        words, done, total = "", view.step, view.steps
    else:
        return []
    room = max(0, width - len(words))
    full = round(room * min(1.0, done / total))
    ink = "accent" if view.standing == "live" else "muted"
    return [(words, "text"), ("━" * full, ink), ("─" * (room - full), "muted")]


def requests(view: RunView) -> Spans:
    """Requests: asked, heard, done."""
    spans: list[Span] = []
    for name, how in sorted(view.asked.items()):
        stages = ("asked", "heard", "done") if how != "dropped" else ("asked", "dropped")
        spans.append((f"{name}  ", "text"))
        for at, stage in enumerate(stages):
            reached = at <= stages.index(how)
            spans += [(" → ", "muted")] * (at > 0) + [(stage, "text" if reached else "muted")]
            if stage == how:
                break
        spans.append(("     ", "text"))
    return spans


def facts(view: RunView) -> list[Spans]:
    """What is known of the run besides its loss; only what is known."""
    state, status = view.state, view.status
    rows: list[tuple[str, str]] = []
    if status.memory_gb is not None:
        rows.append(("memory", f"{status.memory_gb:.1f} GB at most"))
    if state.lr is not None:
        rows.append(("learning rate", f"{state.lr:.3g}"))
    if state.grad is not None:
        rows.append(("gradient", f"{state.grad:.3g}"))
    if state.epoch is not None:
        rows.append(("each picture", f"seen {state.epoch:.1f} times"))
    if state.evaluated:
        step, (subject, holdout) = max(state.evaluated.items())
        parts = [
            f"{loss:.4f} {who}"
            for who, loss in (("trained", subject), ("held out", holdout))
            if loss is not None
        ]
        rows.append(("evaluated", f"at {step:,}"))
        rows += [("", part) for part in parts]
    if state.saved:
        rows.append(("saved", ", ".join(f"{step:,}" for step in sorted(state.saved)[-4:])))
    if state.attempt > 1:
        rows.append(("attempt", f"{state.attempt}, from step {state.from_step:,}"))
    lines: list[Spans] = [[(f"{name:<15}", "muted"), (words, "text")] for name, words in rows]
    if state.health:
        fine = [("✓ ", "good"), (f"{state.health.checked} layers learn", "text")]
        lines += (
            [fine] if state.health.ok else [[("! ", "bad"), (each, "text")] for each in state.health.problems]
        )
    lines += [[("~ ", "warn"), (each.text, "text")] for each in state.warnings[-3:]]
    return lines


def since(before: Seen | None, view: RunView, now: float) -> str:
    """What happened since the run was last looked at; "" when that is not worth a sentence."""
    if before is None or now - before.time < 60 or view.step <= before.step:
        return ""
    parts = [f"+{view.step - before.step:,} steps"]
    previews = len(view.state.sampled) - before.previews
    if previews > 0:
        parts.append(f"{previews} preview{'s' * (previews > 1)}")
    loss = view.series.mean()
    if before.loss is not None and loss is not None:
        parts.append(f"loss {before.loss:.3f} → {loss:.3f}")
    warnings = len(view.state.warnings) - before.warnings
    if warnings > 0:
        parts.append(f"{warnings} warning{'s' * (warnings > 1)}")
    return f"since you left, {duration(now - before.time)}: {', '.join(parts)}"


def seen_now(view: RunView, now: float) -> Seen:
    """What is remembered when the person leaves."""
    return Seen(view.step, now, len(view.state.sampled), len(view.state.warnings), view.series.mean())


def preview_names(files: Sequence[str]) -> list[str]:
    """previews/step-000500-01-seed7.png is prompt 1, seed 7; other names stay. What all have alike is left out."""
    found = [re.search(r"-(\d+)-seed(\d+)\.png$", file) for file in files]
    prompts, seeds = {each[1] for each in found if each}, {each[2] for each in found if each}
    names = []
    for file, each in zip(files, found, strict=True):
        if not each:
            names.append(file.rpartition("/")[2])
        elif len(seeds) > 1:
            names.append(f"{int(each[1])}, seed {each[2]}" if len(prompts) > 1 else f"seed {each[2]}")
        else:
            names.append(f"prompt {int(each[1])}")
    return names


def preview_name(file: str) -> str:
    """One of them alone, in full."""
    found = re.search(r"-(\d+)-seed(\d+)\.png$", file)
    return f"prompt {int(found[1])}, seed {found[2]}" if found else file.rpartition("/")[2]


def clock(when: float) -> str:
    """Hours and minutes, here."""
    return time.strftime("%H:%M", time.localtime(when))


def log_lines(view: RunView, until: int | None, height: int) -> Sequence[Spans]:
    """The last lines of the run's log, or those up to a step."""
    if height <= 0:
        return []
    kept = [line for line in view.lines if until is None or line.step <= until][-height:]
    return [[_log_span(line.text)] for line in kept]


def _log_span(text: str) -> Span:
    words = text[10:11]
    return text, {"!": "bad", "~": "warn"}.get(words, "muted")


def _what(view: RunView) -> str:
    state, phase = view.state, view.status.phase or view.state.phase
    match view.standing:
        case "live":
            return phase.replace("-", " ") or "starts"
        case "stalled":
            return f"{phase.replace('-', ' ')}: nothing has moved for longer than this takes; L shows its log"
        case "queued":
            return _waits(phase, state.holder)
        case "died":
            return "died without a last word: r resumes it"
        case "elsewhere":
            return f"last seen on {state.host or 'another machine'}: whether it runs there cannot be seen from here"
        case "stopped":
            return "stopped: r goes on"
        case _:
            return view.standing


def _waits(phase: str, holder: str) -> str:
    """What a job that is queued waits for, by name where that is known."""
    job = Path(holder)
    name = (
        f"{job.name} of {short_name(JobDir(job.parents[1]))}"
        if job.parent.name == "jobs"
        else short_name(JobDir(job))
    )
    if phase == "waiting-for-device":
        return f"waits for the device, which {name} has" if holder else "waits for the device"
    if phase == "waiting-for-job":
        return f"waits for {name}" if holder else "waits for the job before it"
    return "not started yet: r starts it"


def _heard(seconds: float) -> list[Span]:
    if seconds < 3:
        return []
    return [(f"   heard {duration(seconds)} ago", "warn" if seconds > 20 else "muted")]
