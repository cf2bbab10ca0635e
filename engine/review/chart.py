"""The checkpoints of a training as a drawing: one strip a figure, over the steps, with the bands of the intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.review.markup import Html, element, figure, number

_WIDTH, _LEFT, _RIGHT, _STRIP, _APART, _TOP, _BOTTOM = 760, 76, 24, 96, 40, 26, 40
_TICKS: Final = 8


@dataclass(frozen=True, kw_only=True)
class _Point:
    step: float
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class _Strip:
    title: str
    lines: tuple[tuple[str, Sequence[_Point]], ...]
    """Class of a line in the style sheet, and its points."""


def chart(checkpoints: Sequence[Mapping[str, Any]], chosen: float | None) -> Html | None:
    """An SVG element over `checkpoints` of review.json; `chosen` is the recommended step. None where there is nothing."""
    strips = [strip for strip in _strips(checkpoints) if any(points for _, points in strip.lines)]
    if not strips:
        return None
    steps = sorted({point.step for strip in strips for _, points in strip.lines for point in points})
    across = _Scale(steps[0], steps[-1], _LEFT, _WIDTH - _RIGHT)
    height = _TOP + len(strips) * (_STRIP + _APART) - _APART + _BOTTOM
    parts = [_mark_chosen(across, chosen, steps, height)]
    for place, strip in enumerate(strips):
        parts += _drawn(strip, across, _TOP + place * (_STRIP + _APART))
    parts += _ticks(steps, across, height)
    return element(
        "svg", *parts, viewBox=f"0 0 {_WIDTH} {height}", role="img", class_="chart",
        aria_label="Figures of the checkpoints over the steps of the training; the table below holds them too.",
    )  # fmt: skip


def _strips(checkpoints: Sequence[Mapping[str, Any]]) -> list[_Strip]:
    return [
        _Strip(
            title="loss (dashed: on pictures that were held out)",
            lines=(
                ("line", _points(checkpoints, "loss")),
                ("line held", _points(checkpoints, "loss_holdout")),
            ),
        ),
        *(
            _Strip(title=title, lines=(("line", _points(checkpoints, key)),))
            for key, title in (
                ("likeness", "likeness to the training pictures"),
                ("prompt", "keeping to the prompt"),
                ("leak", "leak without the trigger"),
                ("gap", "gap between held-out and training pictures"),
            )
        ),
    ]


def _points(checkpoints: Sequence[Mapping[str, Any]], key: str) -> list[_Point]:
    found = []
    for entry in checkpoints:
        told, step = entry.get(key), number(entry.get("checkpoint"))
        inside = told if isinstance(told, Mapping) else {"value": told}
        value, low, high = (number(inside.get(name)) for name in ("value", "low", "high"))
        if step is not None and value is not None:
            low, high = value if low is None else low, value if high is None else high
            found.append(_Point(step=step, value=value, low=min(low, value), high=max(high, value)))
    return sorted(found, key=lambda point: point.step)


@dataclass(frozen=True)
class _Scale:
    """From a figure to a place in the drawing; a single figure lies in the middle."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + share * (self.end - self.start), 1)


def _drawn(strip: _Strip, across: _Scale, top: float) -> list[Html]:
    every = [point for _, points in strip.lines for point in points]
    low, high = min(point.low for point in every), max(point.high for point in every)
    up = _Scale(low, high, top + _STRIP - 6, top + 6)
    parts = [
        element("text", strip.title, x=_LEFT, y=top - 6, class_="title"),
        element("rect", x=_LEFT, y=top, width=_WIDTH - _LEFT - _RIGHT, height=_STRIP, class_="frame"),
    ]
    ends = [(high, up.at(high))] if high == low else [(high, up.at(high)), (low, up.at(low))]
    parts += [
        element("text", figure(value), x=_LEFT - 8, y=y + 4, text_anchor="end", class_="tick")
        for value, y in ends
    ]
    for style, points in strip.lines:
        if len(points) > 1:
            edge = [(point.step, point.high) for point in points] + [
                (point.step, point.low) for point in reversed(points)
            ]
            parts.append(element("polygon", points=_path(edge, across, up), class_="band"))
            middle = [(point.step, point.value) for point in points]
            parts.append(element("polyline", points=_path(middle, across, up), class_=style))
        for point in points:
            x = across.at(point.step)
            parts.append(
                element("line", x1=x, x2=x, y1=up.at(point.low), y2=up.at(point.high), class_="whisker")
            )
            parts.append(element("circle", cx=x, cy=up.at(point.value), r=3.5, class_="point"))
    return parts


def _path(points: Sequence[tuple[float, float]], across: _Scale, up: _Scale) -> str:
    return " ".join(f"{across.at(step)},{up.at(value)}" for step, value in points)


def _mark_chosen(across: _Scale, chosen: float | None, steps: Sequence[float], height: float) -> Html:
    if chosen is None or not steps[0] <= chosen <= steps[-1]:
        return Html()
    x = across.at(chosen)
    return element("line", x1=x, x2=x, y1=_TOP, y2=height - _BOTTOM, class_="chosen")


def _ticks(steps: Sequence[float], across: _Scale, height: float) -> list[Html]:
    """At most _TICKS steps below the strips, the first and the last among them."""
    many = min(_TICKS, len(steps))
    places = {round(place * (len(steps) - 1) / max(1, many - 1)) for place in range(many)}
    parts = [
        element(
            "text",
            figure(steps[place]),
            x=across.at(steps[place]),
            y=height - _BOTTOM + 18,
            text_anchor="middle",
            class_="tick",
        )
        for place in sorted(places)
    ]
    return [
        *parts,
        element("text", "step", x=4, y=height - _BOTTOM + 18, class_="tick"),
    ]
