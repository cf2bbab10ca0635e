"""The job that drafts captions, as the captions room sees it: how far it is, and how it ended."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from projects import worker
from projects.events import fold_file
from projects.job import JobDir
from projects.problems import Refused
from tui.run_jobs import ALIVE, JobRow, jobs_of

KIND: Final = "fill"


@dataclass(frozen=True, kw_only=True)
class Drafting:
    """The newest job of its kind that works, waits, or ended early."""

    job: JobDir
    words: str
    """How it stands: "drafting 12/40", "drafts wait for their turn"."""
    alive: bool
    """Whether it can be stopped."""


def drafting_in(project: Path) -> Drafting | None:
    """None where no captions are being drafted, or all that were are there."""
    rows = [row for row in jobs_of(JobDir(project), worker.state_of) if row.kind == KIND]
    if not rows:
        return None
    row = rows[-1]
    return Drafting(job=row.job, words=_words(row), alive=row.standing in (*ALIVE, "queued"))


def ended(job: JobDir) -> str:
    """How a job that does not work any more ended, in a sentence; "" where it is done or nobody can say."""
    state = fold_file(job.events)
    word = state.last_word
    if word == "failed":
        return " ".join(["The drafts failed.", *(str(problem) for problem in state.problems[:1])])
    if word == "stopped":
        return "The drafts were stopped; those that were made are there."
    return "" if word == "done" else "The drafts ended without a word: safelight resume goes on."


def stop(project: Path) -> str:
    """Ask the job to stop; gives what to say."""
    found = drafting_in(project)
    if found is None or not found.alive:
        return "No captions are being drafted."
    try:
        worker.ask(found.job, "stop")
    except Refused as refused:
        return str(refused.problems[0])
    return "Asked to stop: the drafts that are made go into the captions."


def _words(row: JobRow) -> str:
    if row.standing == "queued":
        return "drafts wait for their turn"
    if row.standing in ALIVE:
        how = "stopping" if row.stopping else "drafting"
        return f"{how} {row.count or row.phase}"
    return f"drafts {row.standing}"
