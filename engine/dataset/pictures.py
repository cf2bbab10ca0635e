"""The only opening of pictures: upright, sRGB, 8 bits, opaque; or refused with what is wrong. Nothing is written.

The same bytes and the same placement always give the same array, and that array is what the cache encodes.
"""

import importlib
import io
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError, features

from engine.dataset.endings import missing_end
from engine.dataset.items import Placement
from projects.problems import Refused, refuse

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

# Pillow warns at half of LARGEST; the limit that counts here is LARGEST, and it is an error.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

_REPLACE = "Copy it again from its source, or leave it out in data.excluded."
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


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
    data = _bytes(path)
    colour = _colour(background)
    picture, kind = _decoded(path, data)
    notes = []
    promised = EXTENSIONS.get(path.suffix.lower())
    if promised != kind:
        notes.append(f"{path.name} is {_an(kind)} whatever its name says; it trains as it is.")
    try:
        rgb, alpha = _srgb(path, picture, notes)
        if alpha is not None:
            opaque = Image.new("RGB", rgb.size, colour)
            opaque.paste(rgb, mask=alpha)
            rgb = opaque
        rgb = _upright(path, picture, rgb, notes)
    except Refused:
        raise
    except Exception as error:
        raise _damaged(path, f"its pixels cannot be converted ({_one_line(error)})") from None
    rgb.info.clear()
    return rgb, PictureFacts(size=rgb.size, kind=kind, notes=tuple(notes))


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise refuse("is not there or is no file.", where=path, hint="Check the name.")
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        hint = "Check its permissions and the disk."
        raise refuse(f"cannot be read: {reason}.", where=path, hint=hint) from None
    if not data:
        raise refuse("is empty (0 bytes).", where=path, hint=_REPLACE)
    return data


def _decoded(path: Path, data: bytes) -> tuple[Image.Image, str]:
    """The picture with every pixel decoded, and its kind."""
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
        raise refuse("is not a picture that can be read here.", where=path, hint=hint) from None
    except Exception as error:  # Plugins raise whatever damaged bytes lead them to.
        raise _damaged(path, f"its header cannot be read ({_one_line(error)})") from None
    if picture.width * picture.height > LARGEST:
        raise _oversized(path, picture.width * picture.height, f" ({picture.width} x {picture.height})")
    if frames > 1:
        hint = "Save the one frame that you mean as PNG, or leave the file out in data.excluded."
        what = "holds several pages" if kind == "TIFF" else "is animated"
        raise refuse(f"{what}: {frames} frames of {kind}.", where=path, hint=hint)
    if reason := missing_end(data, kind):
        raise _damaged(path, reason)
    try:
        picture.load()
    except Exception as error:
        raise _damaged(path, _one_line(error)) from None
    _refuse_unscalable(path, picture, data, kind)
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
        raise refuse("is an AVIF picture, and this Pillow has no decoder for it.", where=path, hint=hint)
    if brand in _HEIF_BRANDS and "HEIF" not in Image.OPEN:
        try:
            importlib.import_module("pi_heif").register_heif_opener()
        except ImportError:
            hint = "Install the extra: pip install 'safelight[heif]'. Or save it as JPEG."
            error = "is a HEIC picture, and no decoder for it is installed."
            raise refuse(error, where=path, hint=hint) from None


def _refuse_unscalable(path: Path, picture: Image.Image, data: bytes, kind: str) -> None:
    """Refuse the pixel formats whose white or transparency the file does not say exactly."""
    hint = "Save it with 8 or 16 bits a channel."
    if picture.mode in ("I", "F"):
        error = f"has 32 bits a channel (mode {picture.mode}), which have no agreed white."
        raise refuse(error, where=path, hint=hint)
    if kind == "TIFF" and picture.mode.startswith("I;16"):
        bits = tuple(getattr(picture, "tag_v2", {}).get(258, (16,)))
        if bits != (16,):
            raise refuse(f"has {bits[0]} bits a channel in a 16-bit file.", where=path, hint=hint)
    if kind == "PNG" and data[24] == 16 and "transparency" in picture.info:
        error = "has 16 bits a channel and one transparent colour, which 8 bits do not tell apart."
        raise refuse(error, where=path, hint="Save it with an alpha channel, or with 8 bits.")


def _srgb(path: Path, picture: Image.Image, notes: list[str]) -> tuple[Image.Image, Image.Image | None]:
    """RGB in sRGB, and the alpha channel where there is one."""
    profile = picture.info.get("icc_profile")
    if picture.mode.startswith("I;16"):
        # To 8 bits with rounding: value / 257. A plain conversion clips at 255 instead.
        picture = picture.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    elif picture.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        return _transformed(picture, ImageCms.ImageCmsProfile(lab)), None
    elif picture.mode in ("P", "PA", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    elif picture.mode == "La":
        picture = picture.convert("LA")
    elif picture.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
        picture = picture.convert("RGB")
    alpha = picture.getchannel("A") if picture.mode in ("LA", "RGBA") else None
    if alpha is not None:
        picture = picture.convert("RGB" if picture.mode == "RGBA" else "L")
    if profile:
        return _with_profile(path, picture, profile, notes), alpha
    if picture.mode == "CMYK":
        notes.append(f"{path.name} is CMYK without a colour profile: its colours are only roughly right.")
    return picture.convert("RGB"), alpha


def _with_profile(path: Path, picture: Image.Image, data: bytes, notes: list[str]) -> Image.Image:
    """L, RGB or CMYK through the embedded profile; a profile that cannot be used is noted and left aside."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        space = str(profile.profile.xcolor_space).strip()
        if picture.mode == "L" and space == "RGB":
            picture = picture.convert("RGB")
        if space != {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}[picture.mode]:
            notes.append(f"{path.name} has a colour profile for {space}, which it is not; it is left aside.")
            return picture.convert("RGB")
        return _transformed(picture, profile)
    except (ImageCms.PyCMSError, OSError, ValueError):
        notes.append(f"{path.name} has a colour profile that cannot be read; its colours are taken as sRGB.")
        return picture.convert("RGB")


def _transformed(picture: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    transform = ImageCms.buildTransform(
        profile,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        picture.mode,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    converted = ImageCms.applyTransform(picture, transform)
    assert converted is not None  # None is for in-place work only.
    return converted


def _upright(path: Path, picture: Image.Image, rgb: Image.Image, notes: list[str]) -> Image.Image:
    """`rgb` turned as the file's EXIF says."""
    try:
        orientation = picture.getexif().get(0x0112, 1)
    except Exception:
        notes.append(f"{path.name} has EXIF data that cannot be read; it is taken as upright.")
        return rgb
    carrier = Image.Exif()
    carrier[0x0112] = orientation
    rgb.info["exif"] = carrier.tobytes()
    return ImageOps.exif_transpose(rgb)


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
    return refuse(f"is truncated or damaged: {reason}.", where=path, hint=_REPLACE)


def _oversized(path: Path, pixels: int, size: str = "") -> Refused:
    hint = "Scale it down; a side of 4096 pixels is more than any base can use."
    megapixels = f"{pixels / 1e6:.0f} megapixels{size}; the limit is {LARGEST / 1e6:.0f}"
    return refuse(f"is a decompression bomb or far too large: {megapixels}.", where=path, hint=hint)
