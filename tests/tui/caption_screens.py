"""Captions for tests of the screens that change many of them."""

from collections.abc import Sequence
from pathlib import Path

from engine.dataset.captioning.content import content_of
from engine.dataset.captioning.entries import Entry
from projects.spec import DataSet
from tui.caption_changes import Scope

WORDS = (
    "aur3lia_portrait, a woman with auburn hair in a linen jacket, sitting on a white bench, soft window light",
    "aur3lia_portrait, a woman in a grey linen dress, studio backdrop, soft window light, film grain, 85mm",
    "portrait of aur3lia_portrait, close, gray wall",
    "a woman in a linen shirt, aur3lia_portrait, outdoors, film grain, film grain",
    "aur3lia_portrait, on a boat, gray wall, sunlight",
    "aur3lia_portrait, in the rain with an umbrella of red silk, grey wall, street lamps behind her, night",
)


def entry(number: int, data: bytes | None) -> Entry:
    """The caption of picture `number`."""
    return Entry(
        picture=f"IMG_{number:04}.png", path=Path(f"/p/images/IMG_{number:04}.png"), dataset=DataSet(path="images"),
        file=f"images/IMG_{number:04}.txt", variant=1, content=content_of(data) if data is not None else None,
    )  # fmt: skip


def entries(count: int = 12) -> list[Entry]:
    """So many of them."""
    return [entry(number, WORDS[number % len(WORDS)].encode()) for number in range(count)]


def scopes(found: Sequence[Entry]) -> list[Scope]:
    """All, some that a filter shows, and two that are selected."""
    return [
        Scope(words="all", entries=found), Scope(words="filter", entries=found[1:5]),
        Scope(words="selected", entries=found[:2]),
    ]  # fmt: skip
