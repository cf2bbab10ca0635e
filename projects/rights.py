"""The door: may this project do that with these words? It stands before train, sample, review, export and drafting.

Under every rating a text that joins a minor with nudity or sex is refused. A mature project is refused every text that
points at a minor, and as long as no papers can be checked it is refused to train, sample, review and export at all:
the door fails closed. What counts as such wording is data, `wording.toml`.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from projects.problems import Problem, Refused
from projects.spec import RunSpec, data_sets
from projects.wording import wording_of

Action = Literal["train", "sample", "review", "export", "draft"]

RIGHTS = "rights.toml"
"""The papers of a project: subjects, sources, licences, releases."""

_SHOWN = 20
"""Refused texts that are listed one by one."""
_EXCERPT = 80
"""Characters of a text that are quoted."""
_NEEDS_PAPERS: frozenset[Action] = frozenset({"train", "sample", "review", "export"})


def allow(project: Path, spec: RunSpec, action: Action, texts: Iterable[str]) -> None:
    """Return if `project` may do `action` with `texts` (captions, prompts), else raise Refused with all reasons.

    The trigger, class words and the project's name count with every text: they are trained and drawn together.
    """
    mature = spec.rating != "general"
    problems = _wording_problems(spec, texts, mature)
    if mature and action in _NEEDS_PAPERS:
        problems.append(_no_papers(project, action))
    if problems:
        raise Refused(problems)


def _wording_problems(spec: RunSpec, texts: Iterable[str], mature: bool) -> list[Problem]:
    sets = data_sets(spec.data)
    called = [spec.name, spec.trigger, spec.class_word]
    called += [word for each in sets for word in (each.trigger, each.class_word)]
    with_all = ". ".join(dict.fromkeys(word for word in called if word))
    own = _problem(with_all, with_all, mature, "project.toml: name, trigger, class_word")
    if own:  # Every text would be refused for these words again.
        return [own]
    refused = []
    for text in dict.fromkeys(texts):
        if problem := _problem(text, f"{with_all}. {text}", mature, f'text "{_excerpt(text)}"'):
            refused.append(problem)
    if len(refused) > _SHOWN:
        more = Problem(error=f"{len(refused) - _SHOWN} more texts are refused for such wording.")
        return [*refused[:_SHOWN], more]
    return refused


def _problem(text: str, in_company: str, mature: bool, where: str) -> Problem | None:
    """Why `text` is refused, read alone and together with the words that always go with it."""
    wording = wording_of(in_company)
    if not (wording.joins or (mature and wording.minor)):
        return None
    if wording.joined:
        error = f"The wording joins a minor with nudity or sex: {_quoted(wording.joined)}."
        hint = "Safelight refuses this under every rating."
    elif wording.joins:
        error = f"The wording joins a minor ({_quoted(wording.minor)}) with nudity or sex ({_quoted(wording.sexual)})."
        hint = "Safelight refuses this under every rating. An adult is called a woman or a man."
    else:
        error = f"The wording points at a minor, in a mature project: {_quoted(wording.minor)}."
        hint = "An adult is called a woman or a man; pictures of minors have no place in a mature project."
    return Problem(error=error, where=where, hint=hint)


def _no_papers(project: Path, action: Action) -> Problem:
    there = (project / RIGHTS).is_file()
    state = f"{RIGHTS} is there, but this Safelight cannot check it yet" if there else f"{RIGHTS} is missing"
    verb = {"train": "train", "sample": "make pictures", "review": "be reviewed", "export": "be exported"}[
        action
    ]
    return Problem(
        error=f"A mature project cannot {verb} before every picture has papers: {state}.",
        where=str(project / RIGHTS),
        hint="Needed for every picture: an adult subject and a recorded release. Until a Safelight that reads them "
        "is installed, mature projects stay closed.",
    )


def _quoted(found: tuple[str, ...]) -> str:
    return ", ".join(f'"{word}"' for word in found)


def _excerpt(text: str) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _EXCERPT else line[: _EXCERPT - 1] + "…"
