"""Files that no camera made: each with the check that must name it, "" where it is a picture like any other."""

import io
import os
import socket
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image

Made = bytes | Callable[[Path], object]


def saved(kind: str, size: tuple[int, int] = (120, 90), mode: str = "RGB", **options: object) -> bytes:
    """A picture with some structure in it, in the file format `kind`."""
    picture = Image.linear_gradient("L").resize(size).convert(mode)
    written = io.BytesIO()
    picture.save(written, kind, **options)
    return written.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG with this header, whatever follows it."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks)


def with_chunks(*chunks: bytes) -> bytes:
    """A good PNG with `chunks` behind its header."""
    whole = saved("PNG")
    return whole[:33] + b"".join(chunks) + whole[33:]


def with_segment(marker: int, data: bytes) -> bytes:
    """A good JPEG with a segment behind its first two bytes."""
    whole = saved("JPEG")
    return whole[:2] + b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data + whole[2:]


def gif_of(side: int) -> bytes:
    """The header of a GIF, and hardly anything behind it."""
    frame = b"," + struct.pack("<HHHHB", 0, 0, side, side, 0)
    return b"GIF89a" + struct.pack("<HHBBB", side, side, 0, 0, 0) + frame + b"\x08\0;"


def bmp_of(side: int) -> bytes:
    """The header of a BMP, and hardly anything behind it."""
    header = struct.pack("<IIiiHHIIiiII", 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHH", 99, 0, 0) + header + bytes(99)


def frames(kind: str) -> bytes:
    """Three frames."""
    pictures = [Image.new("RGB", (40, 30), (90 * n, 9, 9)) for n in range(3)]
    written = io.BytesIO()
    pictures[0].save(written, kind, save_all=True, append_images=pictures[1:])
    return written.getvalue()


def exif_that_points_at_itself() -> bytes:
    """An Exif directory whose next one, and whose Exif directory, is the directory itself."""
    table = struct.pack("<HHIIHHIII", 2, 0x8769, 4, 1, 8, 0x8825, 4, 1, 8)[:26]
    return b"Exif\0\0" + b"II*\0\x08\0\0\0" + table + struct.pack("<I", 8)


def cut() -> dict[str, tuple[Made, str]]:
    """Every format, ended at several places."""
    made: dict[str, tuple[Made, str]] = {}
    for kind, ending, places in (
        ("JPEG", "jpg", (2, 20, 200, -2)),
        ("PNG", "png", (8, 30, 45, -8)),
        ("WEBP", "webp", (12, 30, -4)),
        ("GIF", "gif", (6, 13, -20)),
        ("TIFF", "tif", (4, 8, 4000)),
        ("BMP", "bmp", (2, 30, -100)),
    ):
        for place in places:
            made[f"cut-{place}.{ending}"] = (saved(kind)[:place], "*")
    return made


def files() -> Mapping[str, tuple[Made, str]]:
    """Name -> (bytes, or what makes it at a path; the check that names it, "" for none, "*" for any that blocks)."""
    big_text = zlib.compress(b"a" * (80 << 20))
    good_jpeg, good_png = saved("JPEG"), saved("PNG")
    return {
        **cut(),
        "empty.jpg": (b"", "unreadable"),
        "one-byte.png": (b"\x89", "unreadable"),
        "zeros.jpg": (bytes(4096), "unreadable"),
        "text.jpg": (b"not a picture\n" * 50, "unreadable"),
        "page.png": (b"<html><script>alert(1)</script></html>", "unreadable"),
        "drawing.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unreadable"),
        "program.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(ls) system\n", "unreadable"),
        "document.jpg": (b"%PDF-1.7\n1 0 obj<<>>endobj\n", "unreadable"),
        "archive.jpg": (b"PK\x03\x04" + bytes(200), "unreadable"),
        "bomb.png": (png(60_000, 60_000, chunk(b"IDAT", zlib.compress(bytes(99)))), "oversized-file"),
        "bomb.gif": (gif_of(65_535), "oversized-file"),
        "bomb.bmp": (bmp_of(90_000), "oversized-file"),
        "lying.png": (png(13_000, 13_000, chunk(b"IDAT", zlib.compress(bytes(99))), chunk(b"IEND", b"")), "truncated"),
        "no-data.png": (png(40, 30, chunk(b"IEND", b"")), "truncated"),
        "no-size.png": (png(0, 0, chunk(b"IEND", b"")), "*"),
        "bad-sum.png": (good_png[:60] + b"\xff\xff" + good_png[62:], "truncated"),
        "text-bomb.png": (with_chunks(chunk(b"zTXt", b"k\0\0" + big_text)), "*"),
        "many-texts.png": (with_chunks(*[chunk(b"tEXt", b"key\0value")] * 20_000), ""),
        "huge-chunk.png": (with_chunks(struct.pack(">I", 0x7FFFFFFF) + b"tEXt"), "truncated"),
        "comments.jpg": (good_jpeg[:2] + (b"\xff\xfe\xff\xff" + bytes(65533)) * 60 + good_jpeg[2:], ""),
        "bad-exif.jpg": (with_segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff" + bytes(50)), ""),
        "exif-circle.jpg": (with_segment(0xE1, exif_that_points_at_itself()), ""),
        "bad-profile.jpg": (with_segment(0xE2, b"ICC_PROFILE\0\x01\x01" + b"\xff" * 300), ""),
        "bad-xmp.jpg": (with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<!DOCTYPE a [<!ENTITY b '&b;'>]><a>&b;"), ""),
        "moving.gif": (frames("GIF"), "animated"),
        "moving.webp": (frames("WEBP"), "animated"),
        "moving.png": (frames("PNG"), "animated"),
        "pages.tif": (frames("TIFF"), "animated"),
        "float.tif": (saved("TIFF", mode="F"), "mode"),
        "wide-numbers.tif": (saved("TIFF", mode="I"), "mode"),
        "one-pixel.png": (saved("PNG", (1, 1)), ""),
        "needle.png": (saved("PNG", (1, 20_000)), ""),
        "hair.jpg": (saved("JPEG", (20_000, 1)), ""),
        "grey-16.png": (saved("PNG", mode="I;16"), ""),
        "cmyk.jpg": (saved("JPEG", mode="CMYK"), ""),
        "lab.tif": (saved("TIFF", mode="LAB"), ""),
        "bilevel.png": (saved("PNG", mode="1"), ""),
        "clear.png": (saved("PNG", mode="P", transparency=0), ""),
        "named.jpg": (good_png, ""),
        "named.webp": (good_jpeg, ""),
        "zip-behind.png": (good_png + b"PK\x03\x04" + bytes(500), ""),
        "script-behind.jpg": (good_jpeg + b"<script>alert(1)</script>", ""),
        "shell.gif": (saved("GIF") + b"\n#!/bin/sh\nrm -rf /\n", ""),
        "no-decoder.heic": (struct.pack(">I", 24) + b"ftypheic" + bytes(400), "*"),
        "no-picture.avif": (struct.pack(">I", 24) + b"ftypavif" + bytes(400), "*"),
        "no-picture.jp2": (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(400), "*"),
        "pipe.jpg": (os.mkfifo, "unreadable"),
        "socket.jpg": (_socket, "unreadable"),
        "endless.jpg": (lambda path: path.symlink_to("/dev/zero"), "unreadable"),
        "nowhere.jpg": (lambda path: path.symlink_to("gone.jpg"), "unreadable"),
        "itself.jpg": (lambda path: path.symlink_to(path.name), "unreadable"),
        "sparse.jpg": (_sparse, "oversized-file"),
        "line\nbreak.png": (good_png, ""),
        "steering\x1b[2J.png": (good_png, ""),
        "backwards\u202egnp.png": (good_png, ""),
        "undecodable\udcff.png": (good_png, ""),
        "-rf * $(ls) \"'<b>.png": (good_png, ""),
        "n" * 250 + ".png": (good_png, ""),
        "/".join(["deep"] * 120) + "/picture.png": (good_png, ""),
    }  # fmt: skip


def lay(folder: Path) -> Mapping[str, str]:
    """All of them below `folder`, and what is no file at all. Gives name -> expected check."""
    made = files()
    for name, (content, _) in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content) if isinstance(content, bytes) else content(path)
    (folder / "folder.jpg").mkdir()
    (folder / "circle").symlink_to(folder, target_is_directory=True)
    (folder / "circles").mkdir()
    (folder / "circles" / "up").symlink_to("..", target_is_directory=True)
    return {name: check for name, (_, check) in made.items()}


def _socket(path: Path) -> None:
    # Bound from inside its folder: such a path may only be short.
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"\xff\xd8\xff\xe0")
        file.truncate(1 << 40)
