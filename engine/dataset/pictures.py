"""The only opening of pictures: upright, sRGB, 8 bits, opaque; or refused with what is wrong. Nothing is written.

The same bytes and the same placement always give the same array, and that array is what the cache encodes.
"""

import importlib
import io
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError, features

from engine.dataset.colour import srgb, upright
from engine.dataset.endings import missing_end
from engine.dataset.items import Placement
from projects.problems import Problem, Refused, refuse

EXTENSIONS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".png": "PNG",
    ".apng": "PNG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".avif": "AVIF",
    ".heic": "HEIF",
    ".heif": "HEIF",
    ".jp2": "JPEG2000",
}
"""What an extension promises, lower case. A file counts as a picture by it; what it is stands in its bytes."""

LARGEST = 178_956_970
"""Pixels. Beyond this a small file can fill the memory (Pillow's own limit for a decompression bomb)."""

LARGEST_FILE = 2 << 30
"""Bytes: `LARGEST` pixels without compression, with some room; a sparse file of terabytes takes no disk."""

# Pillow warns at half of LARGEST; the limit that counts here is LARGEST, and it is an error.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

_REPLACE = "Copy it again from its source, or leave it out in data.excluded."
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


class Unopened(Refused):
    """A file that is no picture to train, with the check of the audit that it fails."""

    def __init__(self, check: str, error: str, *, where: Path, hint: str) -> None:
        super().__init__(Problem(error=error, where=str(where), hint=hint))
        self.check = check
        """unreadable, truncated, oversized-file, animated, decoder or mode."""


@dataclass(frozen=True, kw_only=True)
class PictureFacts:
    """What the full decode of a file found."""

    size: tuple[int, int]
    """Width and height in pixels, upright."""
    kind: str
    """JPEG, PNG, WEBP, TIFF, BMP, GIF, AVIF, HEIF or JPEG2000, by the bytes."""
    notes: tuple[str, ...]
    """Sentences worth knowing that stop nothing: another extension, an unreadable colour profile."""


def open_picture(path: Path, background: str = "#ffffff") -> Image.Image:
    """The picture as RGB, 8 bits, sRGB, turned upright, transparency laid on `background` (#rrggbb).

    Raises Refused for whatever is not one whole still picture of at most `LARGEST` pixels.
    """
    return _opened(path, background)[0]


def inspect_picture(path: Path) -> PictureFacts:
    """Decode the whole file and say what it is. Raises Refused as `open_picture` does."""
    return _opened(path, "#ffffff")[1]


def picture_bytes(path: Path) -> bytes:
    """The whole file. Raises Unopened for what is no file with something in it: a pipe would be read for ever."""
    try:
        if not path.is_file():
            raise Unopened("unreadable", "is not there or is no file.", where=path, hint="Check the name.")
        if (size := path.stat().st_size) > LARGEST_FILE:
            hint = "Save it as PNG or JPEG, or leave it out in data.excluded."
            error = f"is a file of {size / 1e9:.1f} GB; the limit is {LARGEST_FILE / 1e9:.1f} GB."
            raise Unopened("oversized-file", error, where=path, hint=hint)
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        hint = "Check its permissions and the disk."
        raise Unopened("unreadable", f"cannot be read: {reason}.", where=path, hint=hint) from None
    if not data:
        raise Unopened("unreadable", "is empty (0 bytes).", where=path, hint=_REPLACE)
    return data


def open_header(path: Path, data: bytes) -> Image.Image:
    """The file `data`, opened and not decoded. Raises Unopened for what is no picture, too large or animated."""
    return _header(path, data)[0]


def open_data(
    path: Path, data: bytes, background: str, *, at_least: int
) -> tuple[Image.Image, tuple[int, int]]:
    """`open_picture` for looking at, and the size of the whole: the long side may be smaller, down to `at_least` pixels,
    where the decoder is quicker so. Raises Unopened, and Refused for a background that is no colour."""
    picture, _, size = _decoded(path, data, at_least)
    notes: list[str] = []
    rgb = _converted(path, picture, _colour(background), notes)
    turned = rgb.size[0] != picture.size[0]
    return rgb, (size[1], size[0]) if turned else size


def prepared(path: Path, placement: Placement, background: str, flip: bool = False) -> Image.Image:
    """Exactly the array that is encoded: RGB of the size of `placement.bucket`.

    Scaled as a whole with Lanczos, then cropped, then mirrored left to right when `flip`. Raises Refused.
    """
    picture = open_picture(path, background)
    if picture.size != placement.scaled:
        picture = picture.resize(placement.scaled, Image.Resampling.LANCZOS)
    left, top = placement.crop_left_top
    width, height = placement.bucket
    picture = picture.crop((left, top, left + width, top + height))
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else picture


def _opened(path: Path, background: str) -> tuple[Image.Image, PictureFacts]:
    data = picture_bytes(path)
    colour = _colour(background)
    picture, kind, _ = _decoded(path, data)
    notes: list[str] = []
    promised = EXTENSIONS.get(path.suffix.lower())
    if promised != kind:
        notes.append(f"{path.name} is {_an(kind)} whatever its name says; it trains as it is.")
    rgb = _converted(path, picture, colour, notes)
    return rgb, PictureFacts(size=rgb.size, kind=kind, notes=tuple(notes))


def _converted(
    path: Path, picture: Image.Image, colour: tuple[int, int, int], notes: list[str]
) -> Image.Image:
    """RGB in sRGB, opaque and upright."""
    try:
        rgb, alpha = srgb(path, picture, notes)
        if alpha is not None:
            opaque = Image.new("RGB", rgb.size, colour)
            opaque.paste(rgb, mask=alpha)
            rgb = opaque
        rgb = upright(path, picture, rgb, notes)
    except Refused:
        raise
    except Exception as error:
        raise _damaged(path, f"its pixels cannot be converted ({_one_line(error)})") from None
    rgb.info.clear()
    return rgb


def _decoded(
    path: Path, data: bytes, at_least: int | None = None
) -> tuple[Image.Image, str, tuple[int, int]]:
    """The picture with every pixel decoded, its kind, and the size that it is stored in.

    at_least: a long side from which on a smaller version will do, where the decoder has one.
    """
    picture, kind = _header(path, data)
    if reason := missing_end(data, kind):
        raise _damaged(path, reason)
    size = picture.size
    if at_least is not None and kind == "JPEG":
        scale = min(1.0, at_least / max(size))
        picture.draft(None, (max(1, round(size[0] * scale)), max(1, round(size[1] * scale))))
    try:
        picture.load()
    except Exception as error:
        raise _damaged(path, _one_line(error)) from None
    _refuse_unscalable(path, picture, data, kind)
    return picture, kind, size


def _header(path: Path, data: bytes) -> tuple[Image.Image, str]:
    """The file opened and not decoded, and its kind."""
    if not data:
        raise Unopened("unreadable", "is empty (0 bytes).", where=path, hint=_REPLACE)
    if data[4:8] == b"ftyp":
        _need_decoder(path, data)
    try:
        picture = Image.open(io.BytesIO(data), formats=_formats())
        kind = "JPEG" if picture.format == "MPO" else str(picture.format)
        frames = 1 if picture.format == "MPO" else int(getattr(picture, "n_frames", 1))
    except Image.DecompressionBombError as error:
        pixels = re.search(r"\d+", str(error))
        raise _oversized(path, int(pixels[0]) if pixels else LARGEST + 1) from None
    except UnidentifiedImageError:
        if data.startswith(_SIGNATURES):
            raise _damaged(path, "its header cannot be read") from None
        hint = "Save it as JPEG, PNG or WebP, or leave it out in data.excluded."
        raise Unopened(
            "unreadable", "is not a picture that can be read here.", where=path, hint=hint
        ) from None
    except Exception as error:  # Plugins raise whatever damaged bytes lead them to.
        raise _damaged(path, f"its header cannot be read ({_one_line(error)})") from None
    if picture.width * picture.height > LARGEST:
        raise _oversized(path, picture.width * picture.height, f" ({picture.width} x {picture.height})")
    if frames > 1:
        hint = "Save the one frame that you mean as PNG, or leave the file out in data.excluded."
        what = "holds several pages" if kind == "TIFF" else "is animated"
        raise Unopened("animated", f"{what}: {frames} frames of {kind}.", where=path, hint=hint)
    return picture, kind


def _formats() -> list[str]:
    """What may be opened: never the formats that start a program or hold vector code (EPS, WMF)."""
    Image.init()
    wanted = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "JPEG2000", "AVIF", "HEIF")
    return [name for name in wanted if name in Image.OPEN]


def _need_decoder(path: Path, data: bytes) -> None:
    """Refuse HEIC and AVIF by name where nothing here decodes them."""
    brand = data[8:12]
    if brand in (b"avif", b"avis") and not features.check("avif"):
        hint = "Install a Pillow of 11.3 or newer, or save it as JPEG or PNG."
        error = "is an AVIF picture, and this Pillow has no decoder for it."
        raise Unopened("decoder", error, where=path, hint=hint)
    if brand in _HEIF_BRANDS and "HEIF" not in Image.OPEN:
        try:
            importlib.import_module("pi_heif").register_heif_opener()
        except ImportError:
            hint = "Install the extra: pip install 'safelight[heif]'. Or save it as JPEG."
            error = "is a HEIC picture, and no decoder for it is installed."
            raise Unopened("decoder", error, where=path, hint=hint) from None


def _refuse_unscalable(path: Path, picture: Image.Image, data: bytes, kind: str) -> None:
    """Refuse the pixel formats whose white or transparency the file does not say exactly."""
    hint = "Save it with 8 or 16 bits a channel."
    if picture.mode in ("I", "F"):
        error = f"has 32 bits a channel (mode {picture.mode}), which have no agreed white."
        raise Unopened("mode", error, where=path, hint=hint)
    if kind == "TIFF" and picture.mode.startswith("I;16"):
        bits = tuple(getattr(picture, "tag_v2", {}).get(258, (16,)))
        if bits != (16,):
            error = f"has {bits[0]} bits a channel in a 16-bit file."
            raise Unopened("mode", error, where=path, hint=hint)
    if kind == "PNG" and data[24] == 16 and "transparency" in picture.info:
        error = "has 16 bits a channel and one transparent colour, which 8 bits do not tell apart."
        raise Unopened("mode", error, where=path, hint="Save it with an alpha channel, or with 8 bits.")


def _colour(background: str) -> tuple[int, int, int]:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", background):
        hint = 'Write it as "#rrggbb", for example "#ffffff".'
        error = f'"{background}" is not a colour.'
        raise refuse(error, where="project.toml: data.background", hint=hint, usage=True)
    return int(background[1:3], 16), int(background[3:5], 16), int(background[5:7], 16)


def _an(kind: str) -> str:
    return f"an {kind}" if kind in ("AVIF", "HEIF") else f"a {kind}"


def _one_line(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__).rstrip(".")


def _damaged(path: Path, reason: str) -> Refused:
    return Unopened("truncated", f"is truncated or damaged: {reason}.", where=path, hint=_REPLACE)


def _oversized(path: Path, pixels: int, size: str = "") -> Refused:
    hint = "Scale it down; a side of 4096 pixels is more than any base can use."
    megapixels = f"{pixels / 1e6:.0f} megapixels{size}; the limit is {LARGEST / 1e6:.0f}"
    error = f"is a decompression bomb or far too large: {megapixels}."
    return Unopened("oversized-file", error, where=path, hint=hint)
