"""items.jsonl gives back what was written, and nothing that was not."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from engine.dataset.items import Item, Placement, read_items, verify_unchanged, write_items
from projects.problems import Refused


def make(path: Path, content: bytes = b"a picture") -> Item:
    path.write_bytes(content)
    return Item(
        picture=f"sub/{path.name}",
        path=path,
        sha256=sha256(content).hexdigest(),
        role="subject",
        set="images",
        weight=0.5,
        repeats=2,
        original=(100, 80),
        placements=(Placement(resolution=64, bucket=(80, 48), scaled=(80, 64), crop_left_top=(0, 8)),),
        captions=("ein Bild, 85mm\u2028\n zweite Zeile", "other"),
        planned=7,
    )


def test_items_come_back_as_written(tmp_path):
    items = [make(tmp_path / "ä b.png"), make(tmp_path / "c.png", b"c")]
    write_items(tmp_path / "items.jsonl", items)
    assert read_items(tmp_path / "items.jsonl") == items
    lines = (tmp_path / "items.jsonl").read_text().split("\n")
    first = json.loads(lines[0])
    assert len(lines) == 3 and lines[2] == ""
    assert first["format"] == 1 and first["placements"][0]["crop_left_top"] == [0, 8]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:-20], "middle of a line"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "has format 2"),
        (lambda text: text.replace('"repeats"', '"often"'), "is not an item"),
        (lambda text: text.replace('"subject"', '"teacher"'), "is not an item"),
        (lambda text: "[]\n" + text, "line 1"),
        (lambda text: text + "{\n", "line 2"),
    ],
)
def test_damaged_and_newer_files_are_refused_by_line(tmp_path, change, said):
    path = tmp_path / "items.jsonl"
    write_items(path, [make(tmp_path / "a.png")])
    path.write_text(change(path.read_text()))
    with pytest.raises(Refused, match=said):
        read_items(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(Refused, match="is missing"):
        read_items(tmp_path / "items.jsonl")


def test_changed_and_vanished_pictures_are_named(tmp_path):
    items = [make(tmp_path / name) for name in ("same.png", "changed.png", "gone.png")]
    (tmp_path / "changed.png").write_bytes(b"A picture")
    (tmp_path / "gone.png").unlink()
    said = [str(problem) for problem in verify_unchanged(items)]
    assert len(said) == 2
    assert "sub/changed.png" in said[0] and "sub/gone.png" in said[1]
    assert verify_unchanged(items[:1]) == []


def test_scale_says_when_a_picture_is_enlarged(tmp_path):
    item = make(tmp_path / "a.png")
    assert item.scale(0) == 0.8
    assert replace(item, original=(40, 32)).scale(0) == 2.0
