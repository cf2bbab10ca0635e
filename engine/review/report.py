"""report.html: a review as one file, for somebody who has no terminal. Nothing in it is loaded from anywhere else.

It says what review.json says, in either format; what is missing there is left out, and pictures that are gone are named.
"""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from engine.review.figures import checkpoints, details_table, measured, weights_table
from engine.review.gallery import Gallery, inside, step_words, tables
from engine.review.markup import Html, element, figure, joined, number
from projects import atomic
from projects.job import JobDir
from projects.problems import Refused, refuse
from projects.project import read_job

_CASES: Final[Mapping[str, str]] = {
    "good": "Good", "leaking": "Leaking: it acts without its trigger", "echo": "Echo: it repeats its training pictures",
    "broken": "Broken: it lost what the base could do", "muddled": "Muddled: it holds more than one look",
    "unknown": "Not judged",
}  # fmt: skip
_SHADES: Final = {"good": "good", "unknown": ""}
"""Case -> class in the style sheet; all others are bad."""
_TESTS: Final[Mapping[str, str]] = {
    "sweep": "Weights and checkpoints", "isolation": "Without the trigger", "echo": "Copies of training pictures",
    "muddle": "One look or two", "broken": "What the base could do",
}  # fmt: skip
_VERDICTS: Final[Mapping[str, str]] = {
    "good": "✓ good", "suspect": "~ suspect", "bad": "✗ bad", "unknown": "? not judged",
}  # fmt: skip
_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_MADE: Final = (
    "Every picture here was made by a model, but for those called training picture. The made ones say so in their own data "
    "(IPTC digital source type trainedAlgorithmicMedia). Training pictures are somebody's: ask before passing this file on."
)


def write_report(
    project: Path, record: Mapping[str, Any], file: Path, people: Sequence[tuple[str, str]] = ()
) -> None:
    """Write `record` (review.json) of `project` with its pictures as one HTML file.

    people: lines of what people judged, each a heading and its words. Raises Refused where `file` cannot be written.
    """
    try:
        atomic.write_text(file, report(project, record, people))
    except OSError as error:
        raise refuse(
            f"The report cannot be written: {error.strerror or error}.",
            where=file,
            hint="Make room or give permission, then ask for it again.",
        ) from error


def report(project: Path, record: Mapping[str, Any], people: Sequence[tuple[str, str]] = ()) -> str:
    """The page."""
    gallery = Gallery(project, record)
    title = f"Review of {Path(str(record.get('run', ''))).name or 'a run'}"
    body = element(
        "body",
        element("h1", title),
        _trained(project, record),
        _verdict(record),
        _section("Tests", *(_test(test, gallery) for test in tables(record, "tests"))),
        _section("Weights", weights_table(record)),
        _section("Checkpoints", *checkpoints(record)),
        _section("What people said", *_people(people)),
        _section("The sweep, picture by picture", gallery.sweep()),
        _section("All other pictures", gallery.rest()),
        _section("Who judged, and how far that can be trusted", *_judges(record)),
        _section("Settings", _settings(record)),
        element("p", _MADE, class_="muted"),
    )
    style = Path(__file__).with_name("report.css").read_text("utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        element("meta", name="generator", content="Safelight"),
        element("title", title),
        element("style", Html(style)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _section(title: str, *parts: str) -> Html:
    """Nothing where there is nothing to show."""
    inside_it = [part for part in parts if part]
    return element("section", element("h2", title), *inside_it) if inside_it else Html()


def _trained(project: Path, record: Mapping[str, Any]) -> Html:
    """What was trained, from the run's own specification where it can still be read."""
    said: dict[str, object] = {"run": record.get("run"), "checkpoint": _step(record.get("checkpoint"))}
    run = inside(project, record.get("run"))
    with contextlib.suppress(OSError, Refused):
        if run is not None:
            spec = read_job(JobDir(run)).spec
            said |= {
                "project": spec.name, "trigger": spec.trigger, "class word": spec.class_word,
                "rank": spec.adapter.rank, "learning rate": f"{spec.train.learning_rate:g}",
                "steps": _step(spec.train.steps),
            }  # fmt: skip
    settings = record.get("settings")
    said["base"] = settings.get("base") if isinstance(settings, Mapping) else None
    return _listed(said)


def _verdict(record: Mapping[str, Any]) -> Html:
    case = str(record.get("case", "unknown"))
    parts = [element("h2", _CASES.get(case, case))]
    parts += _paragraphs(record.get("words"))
    recommended = record.get("recommended")
    if isinstance(recommended, Mapping):
        at = f"Use weight {figure(recommended.get('weight'))} of step {_step(recommended.get('checkpoint')) or '–'}"
        why = str(recommended.get("words") or f"{at}.")
        parts.append(
            element("p", element("strong", at), why.removeprefix(at) if why.startswith(at) else f". {why}")
        )
    else:
        parts.append(element("p", "No weight and no checkpoint is recommended: the weight sweep says why."))
    more = record.get("more")
    if isinstance(more, Mapping):
        parts += _paragraphs(more.get("words"))
    if record.get("whole") is False:
        parts.append(
            element(
                "p", "The review was stopped before its end: what is here stands, the rest was not looked at."
            )
        )
    if record.get("depth") == "coarse":
        parts.append(
            element(
                "p",
                "This was the coarse look: few pictures of each, to choose where to look closer.",
                class_="muted",
            )
        )
    return element("div", *parts, class_=f"verdict {_SHADES.get(case, 'bad')}".strip())


def _test(test: Mapping[str, Any], gallery: Gallery) -> Html:
    name, verdict = str(test.get("test", "")), str(test.get("verdict", "unknown"))
    heading = element(
        "h3", _TESTS.get(name, name), element("span", _VERDICTS.get(verdict, verdict), class_="badge")
    )
    steps = [element("li", *_step_of(step)) for step in tables(test, "steps")]
    names = test.get("pictures")
    return element(
        "div",
        heading,
        *_paragraphs(test.get("words")),
        *_paragraphs(measured(test), muted=True),
        *_paragraphs(test.get("advice")),
        element("ul", *steps) if steps else "",
        details_table(test.get("details")),
        gallery.evidence(names if isinstance(names, list | tuple) else (), of_copies=name == "echo"),
        class_=f"test {verdict if verdict in _VERDICTS else ''}".strip(),
    )


def _step_of(step: Mapping[str, Any]) -> list[Html]:
    told = step.get("set")
    values = told.items() if isinstance(told, Mapping) else ()
    keys = [joined(" ", element("code", f"{key} = {value}")) for key, value in values]
    return [element("span", str(step.get("words", ""))), *keys]


def _people(people: Sequence[tuple[str, str]]) -> list[Html]:
    return [element("p", element("strong", heading), f" {words}") for heading, words in people]


def _judges(record: Mapping[str, Any]) -> list[Html]:
    return [
        element(
            "p",
            element("strong", f"{judge.get('measure', '')}: {judge.get('name', '')}. "),
            str(judge.get("trust", "")),
        )
        for judge in tables(record, "judges")
    ]


def _settings(record: Mapping[str, Any]) -> Html:
    """What was drawn with what. Prompts stand beside the pictures, and the judge's folder is nobody else's matter."""
    settings = record.get("settings")
    if not isinstance(settings, Mapping):
        return Html()
    return _listed({name: value for name, value in settings.items() if name not in ("prompts", "judge")})


def _listed(said: Mapping[str, object]) -> Html:
    rows = []
    for name, value in said.items():
        if value is None or value == "":
            continue
        between = " x " if name == "size" else ", "
        shown = between.join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        rows += [element("dt", str(name).replace("_", " ")), element("dd", shown)]
    return element("dl", *rows) if rows else Html()


def _paragraphs(words: object, *, muted: bool = False) -> list[Html]:
    return [element("p", str(words), class_="muted" if muted else None)] if words else []


def _step(value: object) -> str | None:
    found = number(value)
    return None if found is None else step_words(found)
