"""safelight captions DIR undo, redo, log, restore: what was done to the captions, and back."""

import os
from collections.abc import Callable
from pathlib import Path

import click

from engine.dataset.captioning.book import Book, Outcome
from engine.dataset.captioning.entries import Entry
from engine.dataset.captioning.history import Step, steps, texts_of
from engine.dataset.captioning.preview import Hit
from projects.problems import Refused, listed, refuse
from tui.caption_lines import change_line, step_line
from tui.caption_scope import Opened, opened, waiting_problem
from tui.output import Output, json_option
from tui.printable import printable
from tui.verbs.captions_bulk import told


@click.command("undo")
@json_option
@click.pass_obj
def undo(folder: Path, out: Output) -> int:
    """Take the newest step back, whoever made it and whenever. A step of many captions is one."""
    return _turn(folder, out, Book.undo, lambda book: book.journal.done)


@click.command("redo")
@json_option
@click.pass_obj
def redo(folder: Path, out: Output) -> int:
    """Do again what was taken back last."""
    return _turn(folder, out, Book.redo, lambda book: book.journal.undone)


@click.command("restore")
@json_option
@click.pass_obj
def restore(folder: Path, out: Output) -> int:
    """Write what somebody was still typing when the room or its terminal was killed."""
    here = opened(folder, writing=True)
    if not here.book.journal.typed:
        out.say("Nothing that was typed waits: every caption is in its file.")
        return told(here, [], Outcome(), [], out, words="restore")
    return _done(here, here.book.restore(), out)


@click.command("log")
@click.argument("file", required=False)
@click.option(
    "-n",
    "most",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    metavar="N",
    help="So many, the newest.",
)
@json_option
@click.pass_obj
def log(folder: Path, file: str | None, most: int, out: Output) -> int:
    """What was done to the captions, the newest first; to FILE, a caption or its picture, with its words."""
    here = opened(folder, writing=False)
    named = _files(here, file) if file else [""]
    found = [step for name in named for step in steps(here.book.journal, name)]
    found.sort(key=lambda step: -step.op.id)
    shown = list({step.op.id: step for step in found}.values())[:most]
    told_steps = [_table(here, step, named if file else []) for step in shown]
    for step in shown:
        out.say(step_line(step))
        for _, before, after in _changes(here, step, named if file else []):
            out.say(f"         {change_line(before, after)}")
    if not shown:
        out.say("Nothing was done yet." if not file else f"Nothing was done to {file} yet.")
    if here.waiting:
        out.say(
            f"· Typed and not saved yet: {listed(sorted(here.waiting))}. safelight captions DIR restore writes it."
        )
    out.result({
        "project": str(here.path), "ops": told_steps, "total": len({step.op.id for step in found}),
        "waiting": sorted(here.waiting), "unreadable": here.book.journal.unreadable,
    })  # fmt: skip
    return 0


def _turn(
    folder: Path, out: Output, turn: Callable[[Book], Outcome], stack: Callable[[Book], list[int]]
) -> int:
    here = opened(folder, writing=True)
    numbers = stack(here.book)
    about = here.book.journal.ops[numbers[-1]] if numbers else None
    if about and (waiting := [file for file in about.files if file in here.waiting]):
        # A step back is all of it or nothing, and what is typed there would be gone.
        raise Refused(waiting_problem(waiting))
    return _done(here, turn(here.book), out)


def _done(here: Opened, outcome: Outcome, out: Output) -> int:
    """Say what a step did, from the journal."""
    op = outcome.op
    texts = texts_of(here.book.journal, op) if op else {}
    entries = here.book.entries
    hits = [Hit(entries[file], before, after) for file, (before, after) in texts.items() if file in entries]
    for file, (before, after) in list(texts.items())[:20]:
        out.say(f"{printable(file)}  {change_line(before, after)}")
    return told(here, hits, outcome, [], out, words=op.words if op else "nothing to do")


def _files(here: Opened, name: str) -> list[str]:
    """The caption files that a person means. Raises Refused where there is none."""
    journal = {file for op in here.book.journal.ops.values() for file in op.files}

    def means(entry: Entry) -> bool:
        files = {os.path.abspath(entry.path), os.path.abspath(here.path / entry.file)}
        return name in (entry.file, entry.picture, Path(entry.file).name) or os.path.abspath(name) in files

    found = [entry.file for entry in here.book.entries.values() if means(entry)]
    found += [file for file in sorted(journal) if name == file and file not in found]
    if not found:
        hint = "Name a caption file or a picture as captions DIR log does."
        raise refuse("There is no caption of this name.", where=name, hint=hint, usage=True)
    return found


def _table(here: Opened, step: Step, files: list[str]) -> dict[str, object]:
    op = step.op
    table: dict[str, object] = {
        "op": op.id, "at": op.at, "kind": op.kind, "words": op.words, "files": list(op.files), "state": step.state,
        "drafted": op.drafted,
    }  # fmt: skip
    if op.of:
        table["of"] = op.of
    if files:
        table["changes"] = [
            {"file": file, "before": before, "after": after}
            for file, before, after in _changes(here, step, files)
        ]
    return table


def _changes(here: Opened, step: Step, files: list[str]) -> list[tuple[str, str, str]]:
    """(file, before, after) of these files in a step."""
    texts = texts_of(here.book.journal, step.op) if files else {}
    return [(file, *texts[file]) for file in files if file in texts]
