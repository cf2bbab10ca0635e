"""Contact sheets: many small pictures on one, enlarged, with an optional label under each."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from engine.demo.world import Picture
from projects.atomic import write_bytes


def png_bytes(picture: Picture | Image.Image) -> bytes:
    """The picture as a PNG file."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def contact_sheet(
    pictures: Sequence[Picture],
    columns: int,
    labels: Sequence[str] | None = None,
    scale: int = 3,
    size: int = 64,
) -> Image.Image:
    """Pictures in rows of `columns`, each in a cell of `size` x `scale` pixels; labels are cut to the cell's width."""
    pad, text = 4, 12 if labels is not None else 0
    cell = size * scale
    rows = (len(pictures) + columns - 1) // columns
    sheet = Image.new("RGB", (columns * (cell + pad) + pad, rows * (cell + pad + text) + pad), (24, 24, 24))
    draw = ImageDraw.Draw(sheet)
    for index, picture in enumerate(pictures):
        x = pad + (index % columns) * (cell + pad)
        y = pad + (index // columns) * (cell + pad + text)
        image = Image.fromarray(picture)
        image.thumbnail((size, size), Image.Resampling.BOX)
        sheet.paste(
            image.resize((image.width * scale, image.height * scale), Image.Resampling.BICUBIC), (x, y)
        )
        if labels is not None:
            draw.text((x, y + cell), labels[index][: cell // 6], fill=(230, 230, 230))
    return sheet


def save_sheet(path: Path, sheet: Image.Image) -> None:
    """Write a sheet as PNG, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, png_bytes(sheet))
