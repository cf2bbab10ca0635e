"""Sheets that can be read: labels whole or cut with dots, small pictures enlarged, every picture in its place."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from PIL import Image, ImageColor

from engine.draw import Shot
from engine.review.sheets import GROUND, Row, Sheet, _wrapped, compose, label_of

SHOT = Shot(prompt="zork, a mug", negative="", seed=1, guidance=3.0, steps=5, sampler="euler", size=(64, 64))
COLOURS = ("red", "lime", "blue", "yellow", "cyan")


def coloured(sheet: Sheet, size: tuple[int, int] = (64, 64)) -> dict[Shot, Image.Image]:
    """A picture of one colour a column, darker a row."""
    pictures = {}
    for depth, row in enumerate(sheet.rows):
        for colour, shot in zip(COLOURS, row.shots, strict=False):
            red, green, blue = ImageColor.getrgb(colour)[:3]
            pictures[shot] = Image.new(
                "RGB", size, (red // (depth + 1), green // (depth + 1), blue // (depth + 1))
            )
    return pictures


def paired(shots: Sequence[Shot], *weights: float) -> Sheet:
    """The base, and the adapter at each of `weights`, side by side."""
    rows = tuple(
        Row(
            label=label_of(shot),
            shots=(shot, *(replace(shot, weights=(("default", each),)) for each in weights)),
        )
        for shot in shots
    )
    columns = ("base", *(f"weight {weight:g}" for weight in weights))
    return Sheet(name="sweep", title="Weight sweep", note="Look.", columns=columns, rows=rows)


def area(image: Image.Image, colour: tuple[int, int, int]) -> int:
    return {found: count for count, found in image.getcolors(1 << 24)}.get(colour, 0)


def test_a_sweep_has_the_base_first_and_every_picture_enlarged() -> None:
    sheet = paired([SHOT, replace(SHOT, seed=2)], 0.5, 0.7, 0.85, 1.0)
    image = compose(sheet, coloured(sheet), "foot")
    assert image.getpixel((0, 0)) == ImageColor.getrgb(GROUND)
    for colour in COLOURS:
        red, green, blue = ImageColor.getrgb(colour)[:3]
        assert area(image, (red, green, blue)) >= 220 * 220
        assert area(image, (red // 2, green // 2, blue // 2)) >= 220 * 220
    left_to_right = [image.getpixel((x, image.height // 2 - 60)) for x in range(0, image.width, 20)]
    order = [COLOURS.index(name) for name in COLOURS if ImageColor.getrgb(name)[:3] in left_to_right]
    firsts = [left_to_right.index(ImageColor.getrgb(COLOURS[place])[:3]) for place in order]
    assert order == [0, 1, 2, 3, 4] and firsts == sorted(firsts)


def test_large_pictures_are_made_small_enough_for_a_screen() -> None:
    sheet = paired([SHOT], 0.7)
    image = compose(sheet, coloured(sheet, (1024, 768)), "foot")
    assert image.width < 1000 and area(image, (255, 0, 0)) >= 400 * 300


def test_upright_and_wide_pictures_share_a_sheet() -> None:
    sheet = paired([SHOT, replace(SHOT, seed=2)], 1.0)
    pictures = coloured(sheet)
    pictures[sheet.rows[1].shots[0]] = Image.new("RGB", (64, 128), "white")
    assert area(compose(sheet, pictures, ""), (255, 255, 255)) > 100 * 200


def test_a_remark_is_drawn_in_front_of_its_label() -> None:
    plain = paired([SHOT], 1.0)
    said = replace(plain, rows=tuple(replace(row, remark="another thing") for row in plain.rows))
    assert compose(said, coloured(said), "").tobytes() != compose(plain, coloured(plain), "").tobytes()


def test_ten_pairs_stand_two_abreast_and_none_is_lost() -> None:
    sheet = paired([replace(SHOT, seed=seed) for seed in range(9)], 1.0)
    shots = [shot for row in sheet.rows for shot in row.shots]
    pictures = {shot: Image.new("RGB", (64, 64), (10 * place + 20, 7, 7)) for place, shot in enumerate(shots)}
    image = compose(sheet, pictures, "foot")
    assert image.height < 2000
    assert all(area(image, (10 * place + 20, 7, 7)) >= 220 * 220 for place in range(len(shots)))


@pytest.mark.parametrize("text", ["a\nb", "\x1b[31mred", "nul\x00", "word " * 400, "x" * 5000, "", "写真 🙂"])
def test_any_label_is_drawn(text: str) -> None:
    sheet = paired([replace(SHOT, prompt=text)], 1.0)
    assert compose(sheet, coloured(sheet), text).height < 2000


def test_a_label_is_whole_or_ends_in_dots_and_shows_marks_literally() -> None:
    assert " ".join(_wrapped("one two three four", 17, 90, 3)) == "one two three four"
    cut = _wrapped("one two three four five six seven eight nine ten", 17, 90, 2)
    assert len(cut) == 2 and cut[-1].endswith("...")
    assert _wrapped("a\x1b[31m\nb", 17, 900, 1) == ["a\\x1b[31m\\nb"]
