"""The pictures of a report: evidence beside what it is compared with, the sweep with its axes, and all the others."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from engine.dataset.items import read_items
from engine.review.inlined import Inlined
from engine.review.markup import Html, element, figure, joined, number
from projects.job import JobDir
from projects.problems import Refused

EVIDENCE: Final = 6
"""Pictures that a test shows large, the worst of them."""
_SMALL: Final = 256
"""Longer side in pixels of pictures in the sweep and among the others."""

_KINDS: Final[Mapping[str, str]] = {"copy": "judged a copy", "near": "judged close to it"}
"""What a training picture is that a made one is near to."""

Picture = Mapping[str, Any]
Cell = tuple[float, float]
"""Checkpoint and weight."""


class Gallery:
    """Every picture that a record names, shown at least once."""

    def __init__(self, project: Path, record: Mapping[str, Any]) -> None:
        self._project = project
        self._pictures = tables(record, "pictures")
        self._by_name = {name_of(picture): picture for picture in self._pictures}
        self._bases = {_drawn_from(picture): picture for picture in self._pictures if is_base(picture)}
        self._training = _training_pictures(inside(project, record.get("run")))
        self._inlined = Inlined()
        self._shown: set[str] = set()

    def evidence(self, names: Sequence[Any], *, of_copies: bool) -> Html:
        """The first EVIDENCE of a test's pictures, each beside the base's, and beside the nearest training picture where it
        is about copies, or the picture was judged to be one.
        """
        found = [self._by_name[str(name)] for name in names if str(name) in self._by_name]
        pairs = [self._pair(picture, of_copies) for picture in found[:EVIDENCE]]
        lost = [element("p", f"The picture {name} is not in the record.", class_="absent")
                for name in names if str(name) not in self._by_name]  # fmt: skip
        more = len(found) - len(pairs)
        rest = (
            [element("p", f"{more} more are among the other pictures below.", class_="muted")]
            if more > 0
            else []
        )
        return joined(element("div", *pairs, class_="row"), *lost, *rest) if found or lost else Html()

    def sweep(self) -> Html:
        """A table for each prompt and seed of the sweep: the base, then weights across and checkpoints down."""
        chosen = [picture for picture in self._pictures if "sweep" in _tests(picture)]
        weights = sorted({_cell(picture)[1] for picture in chosen if not is_base(picture)})
        by_row: dict[tuple[str, str], dict[Cell, Picture]] = {}
        for picture in chosen:
            if not is_base(picture):
                by_row.setdefault(_drawn_from(picture), {})[_cell(picture)] = picture
        return joined(*(self._sweep_of(row, cells, weights) for row, cells in by_row.items()))

    def rest(self) -> Html:
        """All pictures that were not shown so far, those of one prompt and seed in one row."""
        rows: dict[tuple[str, str], list[Picture]] = {}
        for picture in self._pictures:
            if name_of(picture) not in self._shown:
                rows.setdefault(_drawn_from(picture), []).append(picture)
        parts = []
        for (prompt, seed), pictures in rows.items():
            group = ", ".join(dict.fromkeys(str(one["group"]) for one in pictures if one.get("group")))
            head = " · ".join(filter(None, (prompt, f"seed {seed}", group)))
            figures = [self._figure(picture, at_words(picture), _SMALL) for picture in pictures]
            parts.append(element("p", head, class_="muted"))
            parts.append(element("div", *figures, class_="row small"))
        return joined(*parts)

    def _sweep_of(
        self, row: tuple[str, str], cells: Mapping[Cell, Picture], weights: Sequence[float]
    ) -> Html:
        checkpoints = sorted({checkpoint for checkpoint, _ in cells})
        base = self._bases.get(row)
        heads = ["step", *(["base"] if base else []), *(f"weight {figure(weight)}" for weight in weights)]
        body = []
        for place, checkpoint in enumerate(checkpoints):
            beside = []
            if base and place == 0:
                beside.append(element("td", self._small(base), rowspan=len(checkpoints)))
            beside += [
                element("td", self._small(cells[checkpoint, weight]) if (checkpoint, weight) in cells else "")
                for weight in weights
            ]
            body.append(element("tr", element("th", step_words(checkpoint), scope="row"), *beside))
        head = element("tr", *(element("th", words, scope="col") for words in heads))
        prompt, seed = row
        table = element(
            "table", element("caption", f"{prompt} · seed {seed}"), element("thead", head), element("tbody", *body),
            class_="pictures",
        )  # fmt: skip
        return element("div", table, class_="scroll")

    def _pair(self, picture: Picture, of_copies: bool) -> Html:
        base = None if is_base(picture) else self._bases.get(_drawn_from(picture))
        figures = [self._figure(base, "base, same prompt and seed")] if base else []
        figures.append(self._figure(picture, at_words(picture)))
        nearest = picture.get("nearest")
        told = nearest if isinstance(nearest, Mapping) and nearest.get("picture") else {}
        if told and (of_copies or str(told.get("kind")) in _KINDS):
            figures.append(self._nearest(told))
        prompt, seed = _drawn_from(picture)
        head = element("p", f"{prompt} · seed {seed}")
        return element("div", head, element("div", *figures, class_="row"), class_="pair")

    def _nearest(self, nearest: Mapping[str, Any]) -> Html:
        name = str(nearest["picture"])
        file = self._training.get(name) or inside(self._project, name)
        words = f"training picture {name}, distance {figure(nearest.get('distance'))}"
        kind = _KINDS.get(str(nearest.get("kind")))
        shown = self._inlined.picture(file, f"Training picture {name}", alt=words, made=False)
        return element("figure", shown, element("figcaption", words + (f": {kind}" if kind else "")))

    def _figure(self, picture: Picture, words: str, longest: int = 512) -> Html:
        return element("figure", self._image(picture, longest), element("figcaption", words))

    def _small(self, picture: Picture) -> Html:
        return self._image(picture, _SMALL)

    def _image(self, picture: Picture, longest: int) -> Html:
        self._shown.add(name_of(picture))
        path = str(picture.get("path", ""))
        prompt, seed = _drawn_from(picture)
        alt = f"made picture, {at_words(picture)}: {prompt}, seed {seed}"
        name = path or "A picture without a path"
        return self._inlined.picture(inside(self._project, path), name, alt=alt, longest=longest)


def tables(record: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The tables of a list in a record; none where there is no such list."""
    told = record.get(key)
    return [entry for entry in told if isinstance(entry, Mapping)] if isinstance(told, list | tuple) else []


def inside(project: Path, path: object) -> Path | None:
    """A path of the record; None where it is none, or leads out of the project: a report is passed on."""
    if not isinstance(path, str) or not path:
        return None
    try:
        file = (project / path).resolve()
        return file if file.is_relative_to(project.resolve()) else None
    except (OSError, ValueError):
        return None


def name_of(picture: Picture) -> str:
    """What tests call it by; older records know only its path."""
    return str(picture.get("id") or picture.get("path", ""))


def is_base(picture: Picture) -> bool:
    """Whether the base made it alone."""
    return not number(picture.get("weight"))


def at_words(picture: Picture) -> str:
    """What made it."""
    if is_base(picture):
        return "base"
    step = step_words(_cell(picture)[0])
    return f"weight {figure(picture.get('weight'))}" + (f", step {step}" if step != "–" else "")


def step_words(step: float) -> str:
    """A checkpoint; "–" for one that the record does not say."""
    return f"{step:,.0f}" if step >= 0 else "–"


def _cell(picture: Picture) -> Cell:
    step, weight = number(picture.get("checkpoint")), number(picture.get("weight"))
    return (-1.0 if step is None else step, weight or 0.0)


def _drawn_from(picture: Picture) -> tuple[str, str]:
    return str(picture.get("prompt", "")), str(picture.get("seed", "–"))


def _tests(picture: Picture) -> Sequence[Any]:
    told = picture.get("tests", picture.get("sheets"))
    return told if isinstance(told, list | tuple) else ()


def _training_pictures(run: Path | None) -> dict[str, Path]:
    """Name -> file of the pictures that the run was trained on; none where its list cannot be read."""
    with contextlib.suppress(OSError, Refused):
        if run is not None:
            return {item.picture: item.path for item in read_items(JobDir(run).items)}
    return {}
