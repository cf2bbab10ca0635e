"""Drawn pictures: what is kept on disk goes by content, so that it is never an old one."""

import os
import threading
from pathlib import Path

import pytest
from PIL import Image

from tui import pictures
from tui.overlay import Overlay
from tui.overlaying import drawn_over
from tui.pictures import Box, draw

SIZE = (500, 400)


def kept(cache: Path) -> set[str]:
    return {file.name for file in (cache / "thumbnails").glob("*.png")}


def test_a_moved_picture_is_not_decoded_again_and_a_changed_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, first, moved = tmp_path / "cache", tmp_path / "a.png", tmp_path / "sub" / "b.png"
    Image.new("RGB", SIZE, "red").save(first)
    red = draw(Box(first, 10, 5), cache)
    names = kept(cache)
    assert len(names) == 1
    moved.parent.mkdir()
    first.rename(moved)
    with monkeypatch.context() as patched:
        patched.setattr(pictures, "_whole", lambda box: pytest.fail("it was decoded again"))
        assert draw(Box(moved, 10, 5), cache).strips == red.strips
    # As large as before and of the same moment to the second: only its content tells it apart.
    stat = moved.stat()
    Image.new("RGB", SIZE, "blue").save(moved)
    os.utime(moved, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert draw(Box(moved, 10, 5), cache).strips != red.strips
    assert names < kept(cache)


def test_a_pipe_is_no_picture_and_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(draw(Box(pipe, 4, 4), tmp_path).error), daemon=True)
    thread.start()
    thread.join(timeout=5)
    assert found and found[0]


def test_what_lies_beyond_the_part_that_is_seen_is_not_drawn_at_its_edges() -> None:
    picture = Image.new("RGB", (40, 40))
    box = (255, 106, 61)
    overlay = Overlay(None, ((0.1, 0.1, 0.9, 0.5),))
    inside = drawn_over(picture, overlay, (0.25, 0.25, 0.75, 0.75))
    assert box in set(inside.crop((0, 15, 40, 25)).getdata()), "its lower edge is seen"
    edges = [inside.getpixel((x, y)) for x, y in ((0, 5), (39, 5), (20, 0))]
    assert box not in edges
    beyond = drawn_over(picture, Overlay((0.0, 0.0, 0.2, 0.2)), (0.5, 0.5, 1.0, 1.0))
    assert set(beyond.getdata()) == {(0, 0, 0)}
