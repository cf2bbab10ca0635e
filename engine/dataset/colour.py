"""Pixels as the models know them: sRGB through the file's own profile, and upright. What cannot be used is noted."""

import io
from pathlib import Path

from PIL import Image, ImageCms, ImageOps


def srgb(path: Path, picture: Image.Image, notes: list[str]) -> tuple[Image.Image, Image.Image | None]:
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


def upright(path: Path, picture: Image.Image, rgb: Image.Image, notes: list[str]) -> Image.Image:
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
