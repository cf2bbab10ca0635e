"""Pictures as half cells: decoded and scaled in a thread, kept as strips in memory and small on disk.

A cell shows two pixels, one above the other. Nothing waits for a picture: whoever asks gets it, or a message later.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from queue import LifoQueue
from typing import TYPE_CHECKING, Final

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from projects import atomic
from projects.problems import Refused
from tui.overlay import Cut, Overlay

if TYPE_CHECKING:
    from PIL import Image

_CELLS_KEPT: Final = 60_000
_BETWEEN_SECONDS: Final = 0.001
_WORTH_KEEPING: Final = 400 * 400
"""Pixels from which scaling takes so long that the result is kept on disk."""
_FOLDER: Final = "thumbnails"
_CONTENTS: Final[dict[Path, tuple[tuple[int, int], str]]] = {}
"""File -> its time and size when it was read, and the sha256 of its bytes."""


@dataclass(frozen=True)
class Box:
    """A picture in a room of so many cells."""

    path: Path
    width: int
    height: int
    zoom: float = 1.0
    """How much larger than whole it is drawn; the room then shows a part of it."""
    middle: tuple[float, float] = (0.5, 0.5)
    """Point of the picture in the middle of the room, as shares of its width and height; no edge comes inside the room."""
    cut: Cut | None = None
    """Draw what is trained of it instead of the picture."""
    overlay: Overlay | None = None
    """What is drawn over it."""


View = tuple[float, float, float, float]
"""The part of a picture that is seen: left, top, right, bottom as shares of its width and height."""
WHOLE: Final[View] = (0.0, 0.0, 1.0, 1.0)
CLOSEST: Final = 2.0
"""Half cells that a pixel takes at most when a picture is drawn large."""


@dataclass(frozen=True)
class Drawn:
    """A picture as strips, or why there is none."""

    strips: tuple[Strip, ...]
    width: int
    """Cells that each strip takes."""
    error: str = ""
    view: View = WHOLE
    closest: bool = False
    """Whether drawing it larger would only make its pixels larger."""


class Pictures:
    """The store of drawn pictures, with one thread that draws. The newest wish comes first."""

    def __init__(
        self, cache: Path | None = None, *, off: str = "", coded: Callable[[Strip], object] | None = None
    ) -> None:
        """cache: the project's cache folder, for what is kept on disk. off: why no pictures are drawn, "" to draw them.

        coded: makes the codes of a strip's colours, which its styles then keep.
        """
        self.cache = cache
        self.off = off
        self._coded = coded
        self._mutex = threading.Lock()
        self._kept: OrderedDict[tuple[Box, tuple[int, int]], Drawn] = OrderedDict()
        self._cells = 0
        self._wished: set[Box] = set()
        self._queue: LifoQueue[tuple[Box, Callable[[], object]]] = LifoQueue()
        self._thread: threading.Thread | None = None

    def get(self, box: Box, when_there: Callable[[], object]) -> Drawn | None:
        """The picture, or None: it is then drawn, and `when_there` called from the thread."""
        key = (box, _mark(box.path))
        with self._mutex:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        if box not in self._wished:
            self._wished.add(box)
            self._queue.put((box, when_there))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="pictures", daemon=True)
                self._thread.start()
        return None

    def _work(self) -> None:
        while True:
            box, when_there = self._queue.get()
            mark = _mark(box.path)
            drawn = draw(box, self.cache)
            # Hardly two cells of a page of pictures have the same colours: their codes, made when they are first
            # shown, would hold up the interface.
            if self._coded:
                for strip in drawn.strips:
                    self._coded(strip)
            with self._mutex:
                self._kept[(box, mark)] = drawn
                self._cells += drawn.width * len(drawn.strips)
                while self._cells > _CELLS_KEPT and len(self._kept) > 1:
                    _, oldest = self._kept.popitem(last=False)
                    self._cells -= oldest.width * len(oldest.strips)
                self._wished.discard(box)
            when_there()
            # The interface's turn: next to a page of pictures to draw it would wait at every step.
            time.sleep(_BETWEEN_SECONDS)


def draw(box: Box, cache: Path | None) -> Drawn:
    """Decode, scale and lay out; what cannot be opened is drawn as its reason."""
    try:
        picture, view, closest = _zoomed(box) if box.zoom > 1 else (*_scaled(box, cache), False)
    except Refused as refused:
        return Drawn((), 0, str(refused.problems[0].error))
    except OSError as error:
        return Drawn((), 0, error.strerror or "cannot be read")
    if box.overlay:
        from tui.overlaying import drawn_over

        picture = drawn_over(picture, box.overlay, view)
    width, height = picture.size
    pixels = picture.tobytes()
    strips = []
    for row in range(0, height, 2):
        upper, lower = row * width * 3, (row + 1) * width * 3
        segments = [
            Segment("▀", _style(pixels[upper + at : upper + at + 3], pixels[lower + at : lower + at + 3]))
            for at in range(0, width * 3, 3)
        ]
        strips.append(Strip(segments, width))
    return Drawn(tuple(strips), width, view=view, closest=closest)


def fitted(size: tuple[int, int], box: Box) -> tuple[int, int]:
    """Pixels, an even number of rows, that a picture of `size` gets in a box: two a cell, as large as it can be."""
    scale = min(box.width / size[0], 2 * box.height / size[1])
    width = max(1, min(box.width, round(size[0] * scale)))
    height = max(2, min(2 * box.height, round(size[1] * scale / 2) * 2))
    return width, height


def seen(size: tuple[int, int], box: Box) -> tuple[View, bool]:
    """The part of a picture of `size` that its room shows, and whether it is as close as it comes."""
    whole = min(box.width / size[0], 2 * box.height / size[1])
    scale = min(whole * box.zoom, max(CLOSEST, whole))
    shares = (min(1.0, box.width / (size[0] * scale)), min(1.0, 2 * box.height / (size[1] * scale)))
    left, top = (
        max(0.0, min(1.0 - share, middle - share / 2))
        for share, middle in zip(shares, box.middle, strict=True)
    )
    return (left, top, left + shares[0], top + shares[1]), scale >= max(CLOSEST, whole)


def _whole(box: Box) -> "Image.Image":
    """The picture, or the pixels that are trained of it."""
    from engine.dataset.pictures import open_picture, prepared

    return prepared(box.path, box.cut.placement, box.cut.background) if box.cut else open_picture(box.path)


def _zoomed(box: Box) -> "tuple[Image.Image, View, bool]":
    """A part of a picture, as large as its room. Nothing of it is kept on disk: the next step is another part."""
    from PIL import Image

    whole = _whole(box)
    view, closest = seen(whole.size, box)
    part = (view[0] * whole.width, view[1] * whole.height, view[2] * whole.width, view[3] * whole.height)
    size = max(1, round(part[2] - part[0])), max(1, round(part[3] - part[1]))
    wanted = fitted(size, box)
    resample = Image.Resampling.BICUBIC if wanted[0] > size[0] else Image.Resampling.LANCZOS
    return whole.resize(wanted, resample, box=part), view, closest


def _scaled(box: Box, cache: Path | None) -> "tuple[Image.Image, View]":
    # Pillow is imported by the thread that draws, after the first paint.
    from PIL import Image

    from engine.dataset.pictures import open_picture

    kept = None if cache is None else _file_of(box, cache / _FOLDER)
    if kept is not None and kept.is_file():
        return open_picture(kept), WHOLE
    whole = _whole(box)
    wanted = fitted(whole.size, box)
    larger = wanted[0] > whole.size[0]
    scaled = whole.resize(wanted, Image.Resampling.BICUBIC if larger else Image.Resampling.LANCZOS)
    if kept is not None and whole.size[0] * whole.size[1] >= _WORTH_KEEPING:
        _keep(scaled, kept)
    return scaled, WHOLE


def _file_of(box: Box, folder: Path) -> Path | None:
    """Where a scaled picture is kept: under its content, so that it is never an old one, and a moved file's is found.

    A file is read for that once, far quicker than it is decoded. None where it cannot be read.
    """
    from engine.dataset.items import file_sha256

    mark = _mark(box.path)
    known = _CONTENTS.get(box.path)
    if known is None or known[0] != mark:
        if not box.path.is_file():  # A pipe would be read for ever.
            return None
        try:
            known = _CONTENTS[box.path] = mark, file_sha256(box.path)
        except OSError:
            return None
    what = f"{known[1]}:{box.width}x{box.height}" + (f":{box.cut}" if box.cut else "")
    return folder / f"{hashlib.sha1(what.encode('ascii')).hexdigest()}.png"


def _keep(picture: "Image.Image", file: Path) -> None:
    """Keep a scaled picture. Where the project cannot be written it is drawn again the next time."""
    import io

    data = io.BytesIO()
    picture.save(data, "PNG")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(file, data.getvalue())
    except OSError:
        return


def _mark(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


@lru_cache(8192)
def _style(upper: bytes, lower: bytes) -> Style:
    return Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower))
