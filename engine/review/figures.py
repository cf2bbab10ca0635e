"""The figures of a report: tables of weights, of checkpoints and of a test's groups, each value with its interval."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.review.chart import chart
from engine.review.gallery import step_words, tables
from engine.review.markup import Html, element, figure, number
from engine.review.sheets import ISOLATED

_MEASURES: Final[Mapping[str, str]] = {
    "loss": "loss", "loss_holdout": "loss, held out", "likeness": "likeness", "prompt": "keeping to the prompt",
    "drift": "drift from the base", "leak": "leak", "gap": "gap of loss", "sharpness": "sharpness",
    "clipped": "clipped tones, %", "faces": "faces",
}  # fmt: skip
_TIMES: Final[Mapping[str, float]] = {"clipped": 100}
"""What a measure is shown as a multiple of."""
_DETAILS: Final[Mapping[str, str]] = {
    **{str(group): words for group, words in ISOLATED.items()},
    "distance": "training captions: distance to the nearest training picture",
    "moved_named": "another thing named: drift from the base",
}  # fmt: skip


def weights_table(record: Mapping[str, Any]) -> Html:
    """Each weight of each checkpoint with what was measured; the recommended one stands out."""
    recommended = record.get("recommended")
    best = recommended if isinstance(recommended, Mapping) else {}
    entries = tables(record, "weights")
    measures = [key for key in _MEASURES if any(isinstance(entry.get(key), Mapping) for entry in entries)]
    rows = []
    for entry in entries:
        weight, step = number(entry.get("weight")), number(entry.get("checkpoint"))
        heads = (
            figure(weight) if weight else "base",
            "" if step is None else step_words(step),
            figure(entry.get("n")),
        )
        here = (
            bool(weight) and weight == number(best.get("weight")) and step == number(best.get("checkpoint"))
        )
        cells = [_value_cell(entry.get(key), _TIMES.get(key, 1)) for key in measures]
        first, *others = (element("td", words) for words in heads)
        rows.append(element("tr", first, *others, *cells, class_="chosen" if here else None))
    return _table(["weight", "step", "pictures", *(_MEASURES[key] for key in measures)], rows)


def checkpoints(record: Mapping[str, Any]) -> list[Html]:
    """The checkpoints drawn, and as a table; nothing where the record has none."""
    entries = tables(record, "checkpoints")
    recommended = record.get("recommended")
    chosen = number(recommended.get("checkpoint")) if isinstance(recommended, Mapping) else None
    drawn = chart(entries, chosen)
    if drawn is None:
        return []
    keys = [key for key in _MEASURES if any(entry.get(key) is not None for entry in entries)]
    rows = []
    for entry in entries:
        step = number(entry.get("checkpoint"))
        cells = [_value_cell(entry.get(key)) for key in keys]
        head = element("th", "–" if step is None else step_words(step), scope="row")
        here = step is not None and step == chosen
        rows.append(element("tr", head, *cells, class_="chosen" if here else None))
    words = "Bands are 95 % intervals." + (
        " The dotted line is the recommended checkpoint." if chosen is not None else ""
    )
    return [
        element("p", words, class_="muted"),
        drawn,
        _table(["step", *(_MEASURES[key] for key in keys)], rows),
    ]


def details_table(details: object) -> Html:
    """What a test found of each of its groups; other details are for programs."""
    if not isinstance(details, Mapping):
        return Html()
    groups = details.get("groups", details)
    named = (
        groups.items()
        if isinstance(groups, Mapping)
        else ((one.get("group", ""), one) for one in tables(details, "groups"))
    )
    rows = [
        element("tr", element("th", _DETAILS.get(str(name), str(name)), scope="row"), _value_cell(told))
        for name, told in named
        if isinstance(told, Mapping) and number(told.get("value")) is not None
    ]
    return element("table", element("tbody", *rows)) if rows else Html()


def measured(test: Mapping[str, Any]) -> str:
    """The figure of a test with all that says how sure it is; "" where it has none."""
    if number(test.get("value")) is None:
        return ""
    unit, measure = test.get("unit"), test.get("measure")
    parts = [f"Found: {_with_interval(test)}{f' {unit}' if unit else ''}{f' ({measure})' if measure else ''}"]
    if number(test.get("n")) is not None:
        parts.append(f"from {figure(test['n'])} pictures or pairs")
    if number(test.get("threshold")) is not None:
        parts.append(f"held against {figure(test['threshold'])}")
    return ", ".join(parts) + "."


def _table(heads: Sequence[str], rows: Sequence[Html]) -> Html:
    if not rows:
        return Html()
    head = element("thead", element("tr", *(element("th", words, scope="col") for words in heads)))
    return element("div", element("table", head, element("tbody", *rows)), class_="scroll")


def _value_cell(told: object, times: float = 1) -> Html:
    """A measure with its interval below it, as a multiple of `times`; a bare number as it is."""
    if not isinstance(told, Mapping):
        return element("td", figure(told))
    value, low, high = (_scaled(told.get(key), times) for key in ("value", "low", "high"))
    sure = [] if low is None or high is None else [f"{figure(low)} to {figure(high)}"]
    sure += [f"n {figure(told['n'])}"] if number(told.get("n")) is not None else []
    return element("td", figure(value), element("small", ", ".join(sure)) if sure else "")


def _scaled(told: object, times: float) -> float | None:
    found = number(told)
    return None if found is None else found * times


def _with_interval(told: Mapping[str, Any]) -> str:
    low, high = number(told.get("low")), number(told.get("high"))
    between = "" if low is None or high is None else f" (95 %: {figure(low)} to {figure(high)})"
    return f"{figure(told.get('value'))}{between}"
