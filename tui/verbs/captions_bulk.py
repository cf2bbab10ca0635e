"""safelight captions DIR replace, prefix, suffix ...: one edit of many captions, which is one step of undo."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import click

from engine.dataset.captioning.arranging import DedupePhrases, MovePhrase
from engine.dataset.captioning.book import Outcome
from engine.dataset.captioning.edits import Edit, Prefix, Replace, ReplacePattern, ReplacePhrase, Suffix
from engine.dataset.captioning.entries import Entry
from engine.dataset.captioning.parts import phrases
from engine.dataset.captioning.preview import EditOf, Hit, Preview, everywhere, preview
from projects.problems import Problem, listed, refuse
from tui.caption_changes import TRIGGER_FIRST, sorting
from tui.caption_changes import trigger_first as trigger_first_of
from tui.caption_lines import change_line
from tui.caption_scope import Opened, opened, waiting_problem
from tui.output import Output, json_option, words_of
from tui.printable import printable

_LINES = 20
"""Captions that are shown after they were changed; a dry run shows all."""

_SAID_EVERY = 1000
"""Captions after which it is said how far it is: each is synced, which takes milliseconds."""


def _changing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every verb that changes captions."""
    for option in (
        json_option,
        click.option("--dry-run", is_flag=True, help="Show what would change; write nothing."),
        click.option(
            "--filter",
            "meant",
            default="",
            metavar="TEXT",
            help="Only pictures that this shows: text:linen, role:subject, tokens>75.",
        ),
    ):
        command = option(command)
    return click.pass_obj(command)


@click.command("replace")
@click.argument("old")
@click.argument("new")
@click.option("--regex", is_flag=True, help="OLD is a regular expression; \\1 in NEW is its first group.")
@click.option("--phrase", is_flag=True, help="Only where OLD is a whole phrase between commas.")
@click.option("--word", is_flag=True, help="Only where OLD is a whole word.")
@click.option("--ignore-case", is_flag=True, help="OLD in small and in capital letters.")
@_changing
def replace(
    folder: Path, old: str, new: str, regex: bool, phrase: bool, word: bool, ignore_case: bool, meant: str,
    dry_run: bool, out: Output,
) -> int:  # fmt: skip
    """Put NEW where OLD stands. Exit 1 where it stands nowhere."""
    if regex + phrase + word > 1:
        raise refuse("--regex, --phrase and --word exclude each other.", hint="Choose one.", usage=True)
    if not old:
        raise refuse("OLD is empty.", hint="Say what is to be replaced.", usage=True)
    edit: Edit
    if regex:
        edit = ReplacePattern(old, new, match_case=not ignore_case)
    elif phrase:
        edit = ReplacePhrase((old,), new, match_case=not ignore_case)
    else:
        edit = Replace(old, new, match_case=not ignore_case, whole_word=word)
    return _carry_out(folder, "replace", edit, meant, dry_run, out, nothing=f"No caption holds {old}.")


@click.command("prefix")
@click.argument("text")
@_changing
def prefix(folder: Path, text: str, meant: str, dry_run: bool, out: Output) -> int:
    """Put TEXT in front, as a phrase of its own; not where it stands there already."""
    return _carry_out(folder, "prefix", Prefix(_said(text)), meant, dry_run, out)


@click.command("suffix")
@click.argument("text")
@_changing
def suffix(folder: Path, text: str, meant: str, dry_run: bool, out: Output) -> int:
    """Put TEXT at the end, as a phrase of its own; not where it stands there already."""
    return _carry_out(folder, "suffix", Suffix(_said(text)), meant, dry_run, out)


@click.command("remove")
@click.argument("phrase")
@click.option("--ignore-case", is_flag=True, help="In small and in capital letters.")
@_changing
def remove(folder: Path, phrase: str, ignore_case: bool, meant: str, dry_run: bool, out: Output) -> int:
    """Take out the phrase PHRASE with its comma. Exit 1 where no caption has it."""
    edit = ReplacePhrase((_said(phrase),), match_case=not ignore_case)
    return _carry_out(
        folder, "remove", edit, meant, dry_run, out, nothing=f"No caption has the phrase {phrase}."
    )


@click.command("move")
@click.argument("phrase")
@click.argument("position", type=click.IntRange(1))
@_changing
def move(folder: Path, phrase: str, position: int, meant: str, dry_run: bool, out: Output) -> int:
    """Move PHRASE to POSITION, 1 for the first, in the captions that have it. Exit 1 where none has."""
    wanted = _said(phrase).strip()

    def has(entry: Entry) -> bool:
        return any(each.text == wanted for each in phrases(entry.text))

    return _carry_out(
        folder, "move", MovePhrase(wanted, position - 1), meant, dry_run, out,
        nothing=f"No caption has the phrase {phrase}.", has=has,
    )  # fmt: skip


@click.command("sort")
@click.option("--by", type=click.Choice(["count", "name"]), default="count", show_default=True)
@_changing
def sort(folder: Path, by: Literal["count", "name"], meant: str, dry_run: bool, out: Output) -> int:
    """Sort the phrases of each caption: those first that most captions have, or by name. Triggers stay in their place."""

    def edit_of(here: Opened) -> EditOf:
        return everywhere(sorting(by, list(here.book.entries.values()), here.spec))

    return _carry_out_with(folder, "sort", f"sort phrases by {by}", edit_of, meant, dry_run, out)


@click.command("dedupe")
@_changing
def dedupe(folder: Path, meant: str, dry_run: bool, out: Output) -> int:
    """Keep every phrase of a caption once, at its first place."""
    return _carry_out(folder, "dedupe", DedupePhrases(), meant, dry_run, out)


@click.command("trigger-first")
@_changing
def trigger_first(folder: Path, meant: str, dry_run: bool, out: Output) -> int:
    """Put the trigger in front in every subject picture's captions, its own set's where it has one."""

    def edit_of(here: Opened) -> EditOf:
        return trigger_first_of(here.spec)

    return _carry_out_with(folder, "trigger-first", TRIGGER_FIRST, edit_of, meant, dry_run, out)


@click.command("convert")
@_changing
def convert(folder: Path, meant: str, dry_run: bool, out: Output) -> int:
    """Write captions of an older encoding as UTF-8, as they are shown."""
    here = opened(folder, writing=not dry_run)
    _say_finished(here, out)
    entries = _within(here, meant)
    older = [each for each in entries if each.content is not None and not each.content.editable]
    problems = [each.problem for each in entries if each.problem]
    waiting = [each.file for each in older if each.file in here.waiting]
    meant_files = [each for each in older if each.file not in here.waiting]
    outcome = (
        Outcome() if dry_run or not meant_files else here.book.convert([each.file for each in meant_files])
    )
    hits = [Hit(each, each.text, each.text) for each in meant_files]
    for each in meant_files:
        encoding = each.content.encoding if each.content else ""
        out.say(f"{printable(each.file)}  {encoding}  {printable(each.text)}")
    problems += [waiting_problem(waiting)] if waiting else []
    return told(here, hits, outcome, problems, out, dry_run=dry_run, words="convert to UTF-8")


def _said(text: str) -> str:
    if not text.strip():
        raise refuse("There is no text.", hint="Say which.", usage=True)
    return text


def _carry_out(
    folder: Path, kind: str, edit: Edit, meant: str, dry_run: bool, out: Output, *, nothing: str = "",
    has: Callable[[Entry], bool] | None = None,
) -> int:  # fmt: skip
    return _carry_out_with(
        folder, kind, edit.words, lambda _: everywhere(edit), meant, dry_run, out, nothing=nothing, has=has
    )


def _carry_out_with(
    folder: Path, kind: str, words: str, edit_of: Callable[[Opened], EditOf], meant: str, dry_run: bool, out: Output,
    *, nothing: str = "", has: Callable[[Entry], bool] | None = None,
) -> int:  # fmt: skip
    """Do one edit. nothing: said where no caption has what it is about. has: whether one has, where that is not the same
    as being changed."""
    here = opened(folder, writing=not dry_run)
    _say_finished(here, out)
    entries = _within(here, meant)
    seen = preview(edit_of(here), entries)
    assert seen is not None
    problems = seen.problems
    waiting = [hit.entry.file for hit in seen.hits if hit.entry.file in here.waiting]
    hits = [hit for hit in seen.hits if hit.entry.file not in here.waiting]
    problems += [waiting_problem(waiting)] if waiting else []
    if nothing and not seen.hits and not seen.barred and not (has and any(has(entry) for entry in entries)):
        problems.append(Problem(error=nothing, hint=_elsewhere(seen)))
    outcome = Outcome()
    if hits and not dry_run:
        texts, bases = seen.texts, seen.bases
        files = [hit.entry.file for hit in hits]
        outcome = here.book.apply(
            kind, words, {file: texts[file] for file in files}, bases={file: bases[file] for file in files},
            progress=lambda done, total: _say_progress(done, total, out),
        )  # fmt: skip
    _show(hits, out, every=dry_run)
    if seen.wordless:
        out.say(f"· {seen.wordless:,} without a caption: left without.")
    return told(here, hits, outcome, problems, out, dry_run=dry_run, words=words)


def told(
    here: Opened, hits: Sequence[Hit], outcome: Outcome, problems: Sequence[Problem], out: Output, *, words: str,
    dry_run: bool = False,
) -> int:  # fmt: skip
    """Say what became of a change, to people and to scripts; gives the exit code."""
    problems = [*here.book.problems, *problems, *outcome.problems, *_conflicts(outcome)]
    for problem in problems:
        out.say(f"! {words_of(problem)}")
    if outcome.merged:
        out.say(f"· Changed meanwhile by somebody else, and both edits kept: {listed(outcome.merged)}.")
    failed = {problem.where for problem in outcome.problems}
    written = [file for file in (outcome.op.files if outcome.op else ()) if file not in failed]
    pictures = len({hit.entry.path for hit in hits})
    count = f"{len(hits):,} captions of {pictures:,} pictures" if len(hits) != 1 else "1 caption"
    if dry_run:
        out.say(f"{words}: would change {count}. Nothing was written.")
    elif outcome.op:
        done = f"{len(written):,} caption{'s' * (len(written) != 1)} changed"
        back = "redo does it again" if outcome.op.kind == "undo" else "undo takes it back"
        out.say(f"{words}: {done}. safelight captions DIR {back}.")
    else:
        out.say(f"{words}: nothing changed.")
    out.result({
        "project": str(here.path), "changed": len(written), "op": outcome.op.id if outcome.op else None,
        "dry_run": dry_run,
        "hits": [
            {"picture": hit.entry.picture, "file": hit.entry.file, "before": hit.before, "after": hit.after}
            for hit in hits
        ],
        "problems": [problem.table() for problem in problems],
    })  # fmt: skip
    return 1 if problems else 0


def _conflicts(outcome: Outcome) -> list[Problem]:
    if not outcome.conflicts:
        return []
    files = [each.file for each in outcome.conflicts]
    error = f"Somebody else wrote the same words meanwhile, so left as it is: {listed(files)}."
    return [Problem(error=error, hint="Look at it, then do it again.", files=files)]


def _within(here: Opened, meant: str) -> list[Entry]:
    entries = here.narrowed(meant)
    if not entries and not here.book.problems:
        raise refuse(
            "The filter shows no picture." if meant else "There is no picture.", hint="Nothing was changed."
        )
    return entries


def _elsewhere(seen: Preview) -> str:
    return f"{seen.looked:,} captions were looked at. Capital letters count, unless --ignore-case is said."


def _show(hits: Sequence[Hit], out: Output, *, every: bool) -> None:
    for hit in hits if every else hits[:_LINES]:
        out.say(f"{printable(hit.entry.file)}  {change_line(hit.before, hit.after)}")
    if not every and len(hits) > _LINES:
        out.say(f"... and {len(hits) - _LINES:,} more.")


def _say_progress(done: int, total: int, out: Output) -> None:
    if done % _SAID_EVERY == 0:
        out.aside(f"{done:,} of {total:,} written")


def _say_finished(here: Opened, out: Output) -> None:
    for words in here.finished:
        out.aside(f"Finished what was cut off: {words}.")
