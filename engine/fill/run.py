"""The fill job: a model looks at pictures and drafts their captions, for a person to finish.

Each draft is kept in the job as it comes. At the end, and where the job was stopped or failed, all of them go into the
captions as one change, which one undo takes back: never over what a person wrote since the job began.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from engine.dataset.captioning.book import Book
from engine.dataset.captioning.content import shown
from engine.dataset.captioning.drafting import Wanted, caption_of, choose, template_of
from engine.dataset.captioning.entries import Entry
from engine.dataset.folders import find_pictures
from engine.desk import Desk, StopAsked
from engine.fill import model, record
from engine.fill.asking import Asker
from projects.captioners import problems_of
from projects.pace import Pace
from projects.problems import Refused
from projects.rights import allow
from projects.spec import FillJob


def run(desk: Desk, job: FillJob) -> Literal["done", "stopped"]:
    """Draft what is not drafted yet, then write. Raises Refused; drafts that are there are written before."""
    project = Path(job.project)
    if problems := problems_of(job, job.method):
        raise Refused(problems, usage=True)
    allow(project, job.spec, "draft", [job.prompt, job.template])
    desk.phase("looking at the captions", quiet=600)
    wanted = record.wanted_of(desk.job, lambda: _chosen(desk, job))
    failed: list[str] = []
    word: Literal["done", "stopped"] = "done"
    try:
        draft(desk, job, wanted, failed)
    except StopAsked:
        word = "stopped"
    except Refused:
        desk.result(**write(desk, job, wanted), failed=failed)
        raise
    desk.result(**write(desk, job, wanted), failed=failed)
    return word


def _chosen(desk: Desk, job: FillJob) -> Sequence[Wanted]:
    project = Path(job.project)
    book = Book(project, job.spec.data)
    book.load()
    if book.problems and not book.entries:
        raise Refused(book.problems)
    choice = choose(list(book.entries.values()), book.journal.before_drafts(), job)
    if choice.unreadable:
        text = "Captions that are no UTF-8 text or cannot be read are left alone."
        desk.warn(text, files=list(choice.unreadable))
    return choice.wanted


def draft(desk: Desk, job: FillJob, wanted: Sequence[Wanted], failed: list[str]) -> None:
    """Ask the model about every picture that has no draft yet; names of those that get none go into `failed`.

    Groups are cut from the whole list, so that a job that goes on asks about the same pictures together as one that was
    never interrupted. Raises StopAsked and Refused.
    """
    done = record.drafts_of(desk.job)
    groups = [wanted[start : start + job.batch] for start in range(0, len(wanted), job.batch)]
    left = [group for group in groups if any(one.file not in done for one in group)]
    if not left:
        return
    facts = model.find(desk, job)
    desk.phase("loading the model", quiet=3600)
    opened = model.load(facts, job)
    desk.add_facts(
        model=facts.name, model_path=str(facts.path), method=facts.method, model_device=opened.device
    )
    listing = find_pictures(Path(job.project), job.spec.data)
    asker = Asker(desk, job, opened, {found.name: found.path for found in listing.pictures})
    desk.phase("drafting captions", quiet=3600)
    pace, behind = Pace(), sum(map(len, left))
    for group in left:
        if desk.stop_asked:
            raise StopAsked
        began = time.monotonic()
        answers = asker.answers(group)
        seconds = (time.monotonic() - began) / len(group)
        for one in group:
            if one.file in answers and one.file not in done:
                record.keep(desk.job, one, answers[one.file], seconds)
                desk.emit("drafted", picture=one.picture, text=answers[one.file])
            behind -= 1
            pace = pace.after(seconds)
        failed[:] = asker.failed
        _tell(desk, len(wanted) - behind, len(wanted), pace)


def _tell(desk: Desk, done: int, total: int, pace: Pace) -> None:
    left = pace.left(total - done)
    desk.set_status(
        seconds_per_step=None if pace.seconds is None else round(pace.seconds, 3),
        eta_seconds=None if left is None else round(left, 1),
    )
    desk.progress("drafting captions", done, total, seconds_left=left)


def write(desk: Desk, job: FillJob, wanted: Sequence[Wanted]) -> dict[str, object]:
    """Write every draft that is not in its caption yet, as one change. Gives the fields of the last word.

    A caption that says something else than when the job began is a person's by now, and stays. So does an earlier draft
    that somebody has looked at meanwhile. Writing twice changes nothing.
    """
    drafts = record.drafts_of(desk.job)
    book = Book(Path(job.project), job.spec.data)
    book.load()
    book.finish()
    texts: dict[str, str] = {}
    kept: list[str] = []
    for one in wanted:
        if one.file not in drafts:
            continue
        text, entry = caption_of(template_of(job), one, drafts[one.file]), book.entries.get(one.file)
        if entry is not None and shown(entry.text) == text:
            continue
        if entry is None or not _as_it_was(book, entry, one):
            kept.append(one.picture)
        elif _allowed(desk, job, one, text):
            texts[one.file] = text
    return _applied(desk, job, book, texts, {one.file: one.picture for one in wanted}, kept)


def _applied(
    desk: Desk,
    job: FillJob,
    book: Book,
    texts: Mapping[str, str],
    pictures: Mapping[str, str],
    kept: list[str],
) -> dict[str, object]:
    """Write `texts`, and say what was not written; `kept` names the pictures of which that is known already."""
    result: dict[str, object] = {"drafted": 0, "kept": kept}
    if texts:
        outcome = book.apply("fill", f"drafted by {_name(job)}", texts, drafted=True)
        kept += [pictures[conflict.file] for conflict in outcome.conflicts]
        for problem in outcome.problems:
            desk.warn(str(problem))
        if outcome.op is not None:
            result |= {"drafted": len(outcome.op.files), "op": outcome.op.id}
    if kept:
        desk.warn("Written by somebody while the job ran, and left as it is.", files=kept)
    return result


def _as_it_was(book: Book, entry: Entry, wanted: Wanted) -> bool:
    """Whether nobody has written, typed or looked at it since the job began."""
    same = entry.problem is None and entry.text == wanted.before and entry.file not in book.journal.typed
    return same and (not wanted.drafted or entry.file in book.journal.drafted)


def _allowed(desk: Desk, job: FillJob, wanted: Wanted, text: str) -> bool:
    """Whether the door lets the caption through; what it does not is a warning and stays in the job."""
    try:
        allow(Path(job.project), job.spec, "draft", [text])
    except Refused as refused:
        desk.warn(f"The draft of {wanted.picture} is not written: {refused}", files=[wanted.picture])
        return False
    return True


def _name(job: FillJob) -> str:
    return job.model.rstrip("/").rpartition("/")[2] or job.model
