"""Captions that checks are given, without a disk."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.dataset.captioning.checks.shapes import Collection, collection_of
from engine.dataset.captioning.checks.shelf import judged
from engine.dataset.captioning.content import content_of
from engine.dataset.captioning.entries import Entry
from engine.dataset.findings import Finding
from projects.spec import Audit, Captions, DataSet, RunSpec

SUBJECT = DataSet(path="images", role="subject")
REGULARIZATION = DataSet(path="reg", role="regularization")


def entry(number: int, text: str | bytes | None, *, dataset: DataSet = SUBJECT, variant: int = 1) -> Entry:
    """One caption file; None is a picture without one."""
    stem = f"{dataset.path[0].upper()}{number:03d}"
    name = f"{stem}.txt" if variant == 1 else f"{stem}.{variant}.txt"
    data = text.encode() if isinstance(text, str) else text
    return Entry(
        picture=f"{stem}.jpg", path=Path(f"/p/{dataset.path}/{stem}.jpg"), dataset=dataset, file=f"{dataset.path}/{name}",
        variant=variant, content=None if data is None else content_of(data),
    )  # fmt: skip


def entries(*texts: str | bytes | None, dataset: DataSet = SUBJECT) -> list[Entry]:
    """A caption a picture."""
    return [entry(number, text, dataset=dataset) for number, text in enumerate(texts)]


def collection(
    *texts: str | bytes | None, also: list[Entry] | None = None, trigger: str = "xk3r", class_word: str = "woman",
    audit: Mapping[str, Any] | None = None, **more: Any,
) -> Collection:  # fmt: skip
    """Captions of subject pictures, and others."""
    spec = RunSpec(trigger=trigger, class_word=class_word, audit=Audit(**(audit or {})), captions=Captions())
    return collection_of(spec, [*entries(*texts), *(also or ())], **more)


def found(given: Collection, check: str = "", ignored: Mapping[str, str] | None = None) -> list[Finding]:
    """What the shelf says, of one check or of all, without what was not run."""
    return [
        each
        for each in judged(given, ignored or {})
        if each.confidence != "not-run" and check in ("", each.check)
    ]


def varied(count: int) -> list[str]:
    """Good captions that have nothing in common."""
    shots, clothes = (
        ("close-up", "medium shot", "full body"),
        ("linen jacket", "red coat", "silk dress", "grey sweater"),
    )
    lights = ("window light", "softbox", "golden hour", "low-key lamp", "overcast sky")
    places = (
        "white bench",
        "brick wall",
        "garden gate",
        "kitchen table",
        "river bank",
        "old stairs",
        "train station",
    )
    return [
        f"xk3r woman, {shots[n % 3]}, {clothes[n % 4]}, {places[n % 7]} {n}, {lights[n % 5]}"
        for n in range(count)
    ]
