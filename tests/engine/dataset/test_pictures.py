"""Pictures as people have them: read right, or refused by what is wrong with them."""

import hashlib
import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from engine.dataset.buckets import placement
from engine.dataset.pictures import inspect_picture, open_picture, prepared
from projects.problems import Refused


def gradient(width: int = 40, height: int = 30) -> Image.Image:
    picture = Image.new("RGB", (width, height))
    picture.putdata(
        [(x * 6 % 256, y * 8 % 256, (x + y) * 3 % 256) for y in range(height) for x in range(width)]
    )
    return picture


def saved(path: Path, picture: Image.Image, **options) -> Path:
    picture.save(path, **options)
    return path


def png(
    path: Path, width: int, height: int, depth: int, colour: int, rows: bytes, *extra: tuple[bytes, bytes]
) -> Path:
    """A PNG written by hand, for what Pillow does not write."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)), *extra]
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def swapped_profile() -> bytes:
    """sRGB with the colorants of red and green exchanged: full red in it is full green in sRGB."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {
        bytes(data[at : at + 4]): at
        for at in range(132, 132 + 12 * struct.unpack(">I", data[128:132])[0], 12)
    }
    data[tags[b"rXYZ"] : tags[b"rXYZ"] + 4], data[tags[b"gXYZ"] : tags[b"gXYZ"] + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


def cmyk_profile() -> bytes:
    """A printer whose cyan is a neutral grey: a table of 2^4 Lab colours, L* 255 without ink and 128 with cyan."""
    table = bytes(v for n in range(16) for v in ((128 if n & 8 else 255) if not n & 7 else 0, 128, 128))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    ramp = bytes(range(256))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + ramp * 4 + table + ramp * 3
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    text = b"text" + bytes(4) + b"test\0"
    tags = [(b"A2B0", lut), (b"wtpt", white), (b"cprt", text)]
    at, entries, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags:
        data += bytes(-len(data) % 4)
        entries += name + struct.pack(">II", at + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s12s4s4s24s3i48s", at + len(body), b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ",
                         bytes(12), b"acsp", bytes(4), bytes(24), 63190, 65536, 54061, bytes(48))  # fmt: skip
    return header + struct.pack(">I", len(tags)) + entries + body


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(tmp_path, orientation):
    upright = gradient()
    undo = {
        2: 0,
        3: 3,
        4: 1,
        5: 5,
        6: 2,
        7: 6,
        8: 4,
    }  # Transposes that lead back from upright to what lies on disk.
    stored = upright.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a.png", "a.tiff"):
        path = saved(tmp_path / name, stored, exif=exif)
        assert open_picture(path).tobytes() == upright.tobytes()
        assert inspect_picture(path).size == (40, 30)


def test_an_embedded_profile_is_converted_to_srgb(tmp_path):
    path = saved(tmp_path / "a.png", Image.new("RGB", (8, 8), (255, 0, 0)), icc_profile=swapped_profile())
    red, green, blue = open_picture(path).getpixel((3, 3))
    assert red <= 2 and green >= 253 and blue <= 2


def test_alpha_is_laid_on_the_background_after_the_colours_are_converted(tmp_path):
    picture = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    picture.putpixel((1, 0), (255, 0, 0, 0))
    path = saved(tmp_path / "a.png", picture, icc_profile=swapped_profile())
    opened = open_picture(path, "#102030")
    assert opened.getpixel((0, 0))[1] >= 253
    assert opened.getpixel((1, 0)) == (0x10, 0x20, 0x30)


def test_cmyk_goes_through_its_profile(tmp_path):
    cyan = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    with_profile = open_picture(saved(tmp_path / "a.tif", cyan, icc_profile=cmyk_profile())).getpixel((3, 3))
    assert max(with_profile) - min(with_profile) <= 3 and 100 < with_profile[0] < 140
    without = tmp_path / "b.jpg"
    saved(without, cyan, quality=95)
    assert open_picture(without).getpixel((3, 3))[0] < 10 < 245 < open_picture(without).getpixel((3, 3))[1]
    assert "CMYK without a colour profile" in inspect_picture(without).notes[0]


def test_a_profile_that_cannot_be_used_is_noted_and_left_aside(tmp_path):
    grey = Image.new("RGB", (4, 4), (10, 20, 30))
    broken = saved(tmp_path / "a.png", grey, icc_profile=b"no profile at all")
    wrong = saved(tmp_path / "b.png", grey, icc_profile=cmyk_profile())
    assert open_picture(broken).getpixel((0, 0)) == open_picture(wrong).getpixel((0, 0)) == (10, 20, 30)
    assert "cannot be read" in inspect_picture(broken).notes[0]
    assert "for CMYK" in inspect_picture(wrong).notes[0]


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    values = [0, 128, 129, 257, 32768, 40000, 65535]
    wanted = [round(value / 257) for value in values]
    grey = Image.new("I;16", (len(values), 1))
    for x, value in enumerate(values):
        grey.putpixel((x, 0), value)
    for name in ("a.png", "a.tif"):
        opened = open_picture(saved(tmp_path / name, grey))
        assert [opened.getpixel((x, 0)) for x in range(len(values))] == [(v, v, v) for v in wanted]
    row = b"\0" + b"".join(struct.pack(">HHH", value, 0, 65535) for value in values)
    opened = open_picture(png(tmp_path / "rgb.png", len(values), 1, 16, 2, row))
    assert all(abs(opened.getpixel((x, 0))[0] - value) <= 1 for x, value in enumerate(wanted))
    assert opened.getpixel((0, 0))[2] == 255


def test_transparency_of_every_kind_is_laid_on_the_background(tmp_path):
    rgba = Image.new("RGBA", (2, 1), (0, 0, 0, 255))
    rgba.putpixel((1, 0), (0, 0, 0, 128))
    palette = Image.new("P", (2, 1), 0)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.putpixel((1, 0), 1)
    colour_key = palette.convert("RGB")
    half = [saved(tmp_path / "rgba.png", rgba), saved(tmp_path / "la.png", rgba.convert("LA"))]
    clear = [
        saved(tmp_path / "p.png", palette, transparency=1),
        saved(tmp_path / "p.gif", palette, transparency=1),
    ]
    clear.append(saved(tmp_path / "rgb.png", colour_key, transparency=(255, 0, 0)))
    for paths, wanted in ((half, 127), (clear, 0)):
        for path in paths:
            opened = open_picture(path, "#00ff00")
            assert opened.mode == "RGB" and opened.getpixel((0, 0)) == (0, 0, 0)
            red, green, blue = opened.getpixel((1, 0))
            assert (red, blue) == (0, 0) and abs(green - (wanted or 255)) <= 1


def test_a_palette_with_alpha_per_entry_is_blended(tmp_path):
    palette = Image.new("P", (1, 1), 0)
    palette.putpalette([0, 0, 0])
    path = saved(tmp_path / "p.png", palette, transparency=bytes([128]))
    assert open_picture(path, "#ffffff").getpixel((0, 0)) == (127, 127, 127)


def jpeg(tmp_path: Path, **options) -> bytes:
    buffer = io.BytesIO()
    gradient(200, 150).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_cut_anywhere_is_refused_its_end_mark_included(tmp_path, progressive):
    thumbnail = b"\xff\xd8\xff\xd9"  # An end mark inside a segment is not the picture's.
    data = jpeg(tmp_path, progressive=progressive, exif=b"Exif\0\0" + thumbnail)
    path = tmp_path / "a.jpg"
    for length in (3, 30, len(data) // 2, len(data) - 40, len(data) - 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(Refused, match="truncated or damaged"):
            open_picture(path)
    path.write_bytes(data + b"a film that a phone appended")
    assert open_picture(path).size == (200, 150)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif", "a.gif", "a.bmp", "a.avif"])
def test_other_kinds_cut_short_are_refused(tmp_path, name):
    path = saved(tmp_path / name, gradient(200, 150))
    data = path.read_bytes()
    for length in (len(data) // 2, len(data) * 9 // 10):
        path.write_bytes(data[:length])
        with pytest.raises(Refused):
            open_picture(path)


def test_a_png_without_its_end_or_with_a_flipped_bit_is_refused(tmp_path):
    path = saved(tmp_path / "a.png", gradient())
    data = path.read_bytes()
    path.write_bytes(data[:-12])
    with pytest.raises(Refused, match="no end mark"):
        open_picture(path)
    at = data.index(b"IDAT") + 40
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    with pytest.raises(Refused, match="IDAT chunk is damaged"):
        open_picture(path)


def test_what_is_no_picture_is_named(tmp_path):
    for name, data, said in (
        ("empty.jpg", b"", "0 bytes"),
        ("text.jpg", b"<html>not found</html>", "not a picture"),
        ("script.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
        ("phone.heic", b"\0\0\0\x18ftypheic" + bytes(200), r"HEIC.*safelight\[heif\]"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(Refused, match=said) as refused:
            open_picture(tmp_path / name)
        assert str(tmp_path / name) in str(refused.value) and refused.value.problems[0].hint
    with pytest.raises(Refused, match="is not there"):
        open_picture(tmp_path / "none.jpg")
    with pytest.raises(Refused, match="is not there"):
        open_picture(tmp_path)


def test_avif_without_decoder_is_named(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.avif", gradient())
    monkeypatch.setattr("engine.dataset.pictures.features.check", lambda name: False)
    with pytest.raises(Refused, match="AVIF picture"):
        open_picture(path)


def test_a_decompression_bomb_is_refused_with_its_size(tmp_path):
    path = png(tmp_path / "bomb.png", 20_000, 20_000, 8, 0, bytes(100))
    with pytest.raises(Refused, match=r"400 megapixels.*limit is 179"):
        open_picture(path)


def test_animations_are_refused_by_name(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    for name, kind in (
        ("a.gif", "GIF"),
        ("a.png", "PNG"),
        ("a.webp", "WEBP"),
        ("a.tif", "TIFF"),
        ("a.avif", "AVIF"),
    ):
        path = saved(tmp_path / name, frames[0], save_all=True, append_images=frames[1:])
        with pytest.raises(Refused, match=f"3 frames of {kind}"):
            open_picture(path)
    assert open_picture(saved(tmp_path / "still.gif", frames[0])).size == (8, 8)


def test_a_jpeg_of_several_pictures_is_its_first(tmp_path):
    path = tmp_path / "phone.jpg"
    frames = [gradient(), gradient(20, 15)]
    frames[0].save(path, "MPO", save_all=True, append_images=frames[1:])
    facts = inspect_picture(path)
    assert (facts.size, facts.kind, facts.notes) == ((40, 30), "JPEG", ())


def test_another_extension_than_the_content_is_noted_and_trains(tmp_path):
    gradient().save(tmp_path / "a.jpg", "PNG")
    facts = inspect_picture(tmp_path / "a.jpg")
    assert facts.kind == "PNG" and "a.jpg is a PNG whatever its name says" in facts.notes[0]
    assert open_picture(tmp_path / "a.jpg").tobytes() == gradient().tobytes()


def test_numbers_without_an_agreed_white_are_refused(tmp_path):
    for mode in ("F", "I"):
        with pytest.raises(Refused, match="32 bits a channel"):
            open_picture(saved(tmp_path / f"{mode}.tif", Image.new(mode, (4, 4))))
    rows = b"\0" + struct.pack(">H", 7)
    with pytest.raises(Refused, match="one transparent colour"):
        open_picture(png(tmp_path / "t.png", 1, 1, 16, 0, rows, (b"tRNS", struct.pack(">H", 7))))


def test_damaged_exif_leaves_the_picture_upright(tmp_path):
    path = saved(tmp_path / "a.jpg", gradient(), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert open_picture(path).size == (40, 30)


def test_prepared_is_the_scaled_picture_cut_at_the_placement(tmp_path):
    path = saved(tmp_path / "a.png", gradient(300, 200))
    placed = placement((300, 200), 64, 16, (0.9, 0.5))
    first = prepared(path, placed, "#ffffff")
    scaled = gradient(300, 200).resize(placed.scaled, Image.Resampling.LANCZOS)
    left, top = placed.crop_left_top
    assert first.mode == "RGB" and first.size == placed.bucket
    assert (
        first.tobytes() == scaled.crop((left, top, left + placed.bucket[0], top + placed.bucket[1])).tobytes()
    )
    assert prepared(path, placed, "#ffffff").tobytes() == first.tobytes()
    mirrored = prepared(path, placed, "#ffffff", flip=True)
    assert mirrored.tobytes() == first.transpose(Image.Transpose.FLIP_LEFT_RIGHT).tobytes() != first.tobytes()


def test_opening_never_touches_the_file(tmp_path):
    path = saved(tmp_path / "a.jpg", gradient())
    before = hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns
    open_picture(path)
    assert (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns) == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.jpg"]


def test_a_background_that_is_no_colour_is_refused(tmp_path):
    with pytest.raises(Refused, match="is not a colour"):
        open_picture(saved(tmp_path / "a.png", gradient()), "white")
