"""Pictures inside a page: scaled, encoded as JPEG, written as data into the one file."""

import base64
import io
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps

from engine.picture_file import made_mark
from engine.review.markup import Html, element

LONGEST: Final = 512
"""Longer side in pixels of the largest picture in a page."""
MOST_BYTES: Final = 24_000_000
"""Of all pictures of a page together, as they are written: so it can still be sent."""
_QUALITY: Final = 85


class Inlined:
    """The pictures of one page."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._left = most_bytes
        self._encoded: dict[tuple[Path, int, bool], str] = {}

    def picture(
        self, file: Path | None, name: str, *, alt: str, longest: int = LONGEST, made: bool = True
    ) -> Html:
        """`file` as an element no larger than `longest`, or a line that says why it is not there.

        file: None where the path is none of the project's. name: how the line calls it. made: by a model, and marked so; a
        training picture is not. Nothing else of the file comes along: where a photograph was taken stays out of the page.
        """
        if file is None:
            return _absent(f"{name} is no file of this project.")
        try:
            data = self._data(file, min(longest, LONGEST), made)
        except FileNotFoundError:
            return _absent(f"{name} is not there any more.")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return _absent(f"{name} cannot be read.")
        if len(data) > self._left:
            return _absent(f"{name} is left out, to keep this file small.")
        self._left -= len(data)
        return element("img", src=f"data:image/jpeg;base64,{data}", alt=alt)

    def _data(self, file: Path, longest: int, made: bool) -> str:
        key = (file, longest, made)
        if key not in self._encoded:
            self._encoded[key] = base64.b64encode(_jpeg(file, longest, made)).decode("ascii")
        return self._encoded[key]


def _jpeg(file: Path, longest: int, made: bool) -> bytes:
    with Image.open(file) as opened:
        opened.draft("RGB", (longest, longest))
        upright = ImageOps.exif_transpose(opened)
        if upright.has_transparency_data:
            upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright.convert("RGBA"))
        picture = upright.convert("RGB")
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    picture.info.clear()
    buffer = io.BytesIO()
    xmp = {"xmp": made_mark().encode("utf-8")} if made else {}
    picture.save(buffer, "JPEG", quality=_QUALITY, subsampling=0, **xmp)
    return buffer.getvalue()


def _absent(words: str) -> Html:
    return element("span", words, class_="absent")
