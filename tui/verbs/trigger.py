"""safelight trigger: is it a word already, and what instead."""

from collections.abc import Sequence
from pathlib import Path

import click

from engine.dataset.captioning.checks.trigger import near_misses
from engine.dataset.captioning.entries import Entry, entries_of
from engine.dataset.captioning.trigger_word import MANY, TriggerWord, judged, suggestions, worst
from engine.dataset.tokens import Encoder, encoders_of, shipped
from projects.problems import listed, refuse
from projects.project import open_project, resolve
from projects.spec import Base
from tui.output import Output, json_option


@click.command("trigger")
@click.argument("word", metavar="WORD")
@click.option(
    "--base",
    "source",
    default="",
    metavar="NAME",
    help="Hub id, folder, file or demo. Left out: CLIP itself.",
)
@click.option("--project", "folder", metavar="DIR", type=click.Path(path_type=Path),
              help="The base of the project in DIR, and its captions, looked through for near misses.")  # fmt: skip
@json_option
def command(word: str, source: str, folder: Path | None, out: Output) -> int:
    """Whether WORD is a word to the base already, by its tokens. Exit 1 when it is, or is made of such words."""
    word = word.strip()
    if not word:
        raise refuse("The trigger is empty.", hint="Say a word.", usage=True)
    base, home, entries = _where(source, folder)
    found = [each for each in encoders_of(base, home) if isinstance(each, Encoder)] if base.source else []
    if base.source and not found:
        out.aside(
            f"The vocabulary of {base.source} is not on this machine: judged by CLIP's own, which most bases read."
        )
    encoders = found or [shipped()]
    told = [judged(word, encoder) for encoder in encoders]
    verdict = worst(told)
    assert verdict is not None
    bad = verdict.verdict in ("word", "words")
    out.say(f"{word}   {verdict.summary}")
    for each in told:
        out.say(f"  {each.label:<7} " + "  ".join(f"{piece.token} {piece.number}" for piece in each.pieces))
    for line in _advice(verdict):
        out.say(f"  {line}")
    near = near_misses(word, entries)
    for miss, held in near:
        out.say(f'  "{miss}" stands in {listed([entry.file for entry in held])}: was {word} meant?')
    offered = suggestions(word, encoders)
    out.say(f"  invented ones: {', '.join(offered)}" if offered else "")
    out.result(
        {
            "word": word,
            "base": base.source if found else None,
            "verdict": verdict.verdict,
            "parts": list(verdict.parts),
            "encoders": [
                {
                    "encoder": each.label,
                    "verdict": each.verdict,
                    "tokens": [{"token": piece.token, "id": piece.number} for piece in each.pieces],
                }
                for each in told
            ],
            "near": [{"word": miss, "captions": [entry.file for entry in held]} for miss, held in near],
            "suggestions": offered,
        }
    )
    return 1 if bad else 0


def _where(source: str, folder: Path | None) -> tuple[Base, Path, Sequence[Entry]]:
    """The base, the folder that its name is relative to, and the captions to look through."""
    if folder is None:
        return Base(source=source), Path.cwd(), ()
    project = open_project(folder)
    spec = resolve(project)
    entries, _ = entries_of(project.path, spec.data)
    if source:
        return Base(source=source), Path.cwd(), entries
    return spec.base, project.path, entries


def _advice(found: TriggerWord) -> list[str]:
    """What that means."""
    lines = []
    if found.verdict == "word":
        lines.append(
            "The base knows it: the adapter will fire wherever somebody writes it. Take an invented word."
        )
    if found.verdict == "words":
        lines.append(
            f"It takes on what the base thinks of {' and '.join(found.parts)}. Take an invented word."
        )
    if found.verdict == "rare":
        lines.append(
            "One token that texts hardly have: it works, and can mean something that nobody knows of."
        )
    if found.verdict == "invented" and found.parts:
        lines.append(f"A little of {' and '.join(found.parts)} comes along with it.")
    if len(found.pieces) > MANY:
        lines.append(f"{len(found.pieces)} of the tokens of every caption are taken by it.")
    return lines
