"""Pictures with planted defects, and pictures to plant them into that need no file.

A picture is (H, W, 3), uint8. Everything is the same for the same seed.
"""

from typing import Any, Final

import cv2
import numpy as np
from PIL import Image, ImageDraw

Picture = np.ndarray[Any, Any]


def leaves(seed: int, width: int = 640, height: int = 480) -> Picture:
    """Dead leaves: discs of all sizes over each other, lit and grained. Their spectrum is that of photographs."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), rng.integers(40, 200, 3), np.uint8)
    for radius in np.sort(3 + 0.25 * width * rng.power(0.35, 900))[::-1]:
        centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        colour = [int(level) for level in rng.integers(20, 235, 3)]
        cv2.circle(picture, centre, int(radius), colour, -1, cv2.LINE_AA)
    light = np.linspace(*rng.uniform(0.7, 1.1, 2), width)[None, :, None]
    grain = rng.normal(0, 2, picture.shape)
    return np.clip(picture * light + grain, 0, 255).astype(np.uint8)


def saved(picture: Picture, quality: int = 92) -> Picture:
    """As a JPEG gives it back."""
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1))


def blurred(picture: Picture, sigma: float) -> Picture:
    """Out of focus; sigma in pixels."""
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def shaken(picture: Picture, length: int, *, diagonal: bool = False) -> Picture:
    """Moved while it was taken, by `length` pixels to the right or down to the right."""
    kernel = np.eye(length, dtype=np.float32)
    if not diagonal:
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1
    return cv2.filter2D(picture, -1, kernel / length)


def noisy(picture: Picture, sigma: float, seed: int = 0) -> Picture:
    """With sensor noise of `sigma` grey levels."""
    rng = np.random.default_rng(seed)
    return np.clip(picture + rng.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)


def enlarged(picture: Picture, factor: int) -> Picture:
    """As large as it was, with the detail of one that is `factor` times smaller."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def marked(picture: Picture, kind: str, opacity: float) -> Picture:
    """With a white mark: "logo" and "text" in the lower right corner, "centre", or "tiled" all over."""
    height, width = picture.shape[:2]
    side = min(height, width)
    layer = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(layer)
    if kind == "logo":
        left, top, size = width - 0.22 * side, height - 0.22 * side, 0.16 * side
        draw.ellipse((left, top, left + size, top + size), outline=255, width=max(2, int(0.012 * side)))
        corners = [(0.5, 0.2), (0.8, 0.75), (0.2, 0.75)]
        draw.polygon([(left + x * size, top + y * size) for x, y in corners], fill=255)
    elif kind == "text":
        corner = (width - 0.04 * side, height - 0.03 * side)
        draw.text(corner, "(c) Jane Doe", fill=255, anchor="rb", font_size=0.045 * side)
    elif kind == "centre":
        draw.text((width / 2, height / 2), "SAMPLE", fill=255, anchor="mm", font_size=0.2 * side)
    else:
        for top in np.arange(0.05, 1, 0.22) * height:
            for left in np.arange(0.02, 1, 0.3) * width:
                draw.text((left, top), "PREVIEW", fill=255, font_size=0.05 * side)
    return _laid(picture, layer, opacity, (255, 255, 255))


STYLES: Final = ("corner", "address", "centre", "diagonal", "subtitle", "date")
_NAMES: Final = (
    "Jane Doe",
    "Ivo Brandt",
    "Mara Lind",
    "Otto Wei",
    "Studio North",
    "Atelier Blum",
    "R. Okafor",
    "Lea Costa",
)
_LINES: Final = (
    "I never said that.", "Where were you last night?", "Wait for me at the station", "You have to see this",
    "It was never about money", "Good morning, everyone",
)  # fmt: skip


def lettered(picture: Picture, style: str, opacity: float, seed: int) -> Picture:
    """With letters on it, one of STYLES, the words by the seed: the credit of a photographer and the address of a page in a
    corner, SAMPLE and its like in the middle or all over, a subtitle, the date of a camera."""
    rng = np.random.default_rng(seed)
    height, width = picture.shape[:2]
    side = min(height, width)
    name, year = str(rng.choice(_NAMES)), int(rng.integers(1998, 2027))
    layer, colour = Image.new("L", (width, height), 0), (255, 255, 255)
    draw = ImageDraw.Draw(layer)
    edge = (width - 0.03 * side, height - 0.03 * side)
    if style == "corner":
        forms = (
            "© {1} {0}",
            "© {0}",
            "{0} Photography",
            "Photo: {0}",
            "(c) {0} {1}",
            "© {0}. All rights reserved",
        )
        draw.text(
            edge, str(rng.choice(forms)).format(name, year), fill=255, anchor="rb", font_size=0.04 * side
        )
    elif style == "address":
        host = name.lower().replace(" ", "").replace(".", "")
        forms = ("www.{0}.com", "{0}.net", "www.{0}.de", "instagram.com/{0}", "https://{0}.photo", "@{0}")
        draw.text(edge, str(rng.choice(forms)).format(host), fill=255, anchor="rb", font_size=0.022 * side)
    elif style == "centre":
        word = str(rng.choice(["SAMPLE", "PREVIEW", "PROOF", "WATERMARK", "STOCK PHOTO", "COPYRIGHT"]))
        draw.text((width / 2, height / 2), word, fill=255, anchor="mm", font_size=0.9 * side / len(word))
    elif style == "diagonal":
        word = str(rng.choice(["shutterpic", "PREVIEW", name, "imagebank.com", "do not copy"]))
        whole = Image.new("L", (2 * max(width, height),) * 2, 0)
        pencil = ImageDraw.Draw(whole)
        for row, top in enumerate(np.arange(0, whole.height, 0.2 * side)):
            for left in np.arange(-0.25 * (row % 2) * side, whole.width, 0.5 * side):
                pencil.text((left, top), word, fill=255, font_size=0.05 * side)
        left, top = (whole.width - width) // 2, (whole.height - height) // 2
        layer = whole.rotate(30, Image.Resampling.BICUBIC).crop((left, top, left + width, top + height))
    elif style == "subtitle":
        size, middle = 0.05 * side, (width / 2, height - 0.06 * side)
        outline = Image.new("L", (width, height), 0)
        words = str(rng.choice(_LINES))
        ImageDraw.Draw(outline).text(
            middle, words, fill=255, anchor="mb", font_size=size, stroke_width=max(1, int(size / 12))
        )
        picture = _laid(picture, outline, opacity, (0, 0, 0))
        draw.text(middle, words, fill=255, anchor="mb", font_size=size)
    else:
        month, day, hour = int(rng.integers(1, 13)), int(rng.integers(1, 29)), int(rng.integers(0, 24))
        forms = (
            "'{y:02} {m} {d}",
            "{d:02}/{m:02}/{year}",
            "{year}.{m:02}.{d:02}",
            "{d:02}.{m:02}.{year} {h:02}:42",
            "{m} {d} '{y:02}",
        )
        words = str(rng.choice(forms)).format(y=year % 100, year=year, m=month, d=day, h=hour)
        draw.text(
            (edge[0] - 0.03 * side, edge[1] - 0.03 * side),
            words,
            fill=255,
            anchor="rb",
            font_size=0.04 * side,
        )
        colour = (255, 150, 40)
    return _laid(picture, layer, opacity, colour)


def _laid(picture: Picture, layer: Image.Image, opacity: float, colour: tuple[int, int, int]) -> Picture:
    share = np.asarray(layer, np.float32)[..., None] / 255 * opacity
    return np.asarray(np.rint(picture * (1 - share) + np.array(colour) * share), np.uint8)


def collage(
    pictures: list[Picture], columns: int, gutter: int = 0, cell: tuple[int, int] = (384, 320)
) -> Picture:
    """Pictures in a grid, each cropped to `cell` (width, height), with `gutter` white pixels between them."""
    rows = len(pictures) // columns
    width, height = cell
    whole = np.full(
        (rows * height + (rows - 1) * gutter, columns * width + (columns - 1) * gutter, 3), 255, np.uint8
    )
    for index, picture in enumerate(pictures):
        top, left = index // columns * (height + gutter), index % columns * (width + gutter)
        whole[top : top + height, left : left + width] = filled(picture, width, height)
    return whole


def filled(picture: Picture, width: int, height: int) -> Picture:
    """The middle of a picture, scaled to cover width x height."""
    scale = max(width / picture.shape[1], height / picture.shape[0])
    size = (max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale)))
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return scaled[top : top + height, left : left + width]


def barred(picture: Picture, share: float, *, sides: bool = False, level: int = 0) -> Picture:
    """With bars of `share` of the height above and below, or of the width at both sides."""
    bar = int(share * picture.shape[1 if sides else 0])
    around = (0, 0, bar, bar) if sides else (bar, bar, 0, 0)
    return cv2.copyMakeBorder(picture, *around, cv2.BORDER_CONSTANT, value=(level, level, level))


def screenshot(seed: int, width: int = 1080, height: int = 800, picture: Picture | None = None) -> Picture:
    """A window with a bar, a list, lines of text and buttons; with a picture in it if one is given."""
    rng = np.random.default_rng(seed)
    dark = bool(rng.integers(0, 2))
    ground, ink, panel = ((30, 31, 34), (214, 214, 218), (43, 45, 50))
    if not dark:
        ground, ink, panel = ((255, 255, 255), (40, 40, 44), (238, 239, 242))
    window = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(window)
    accent = tuple(int(level) for level in rng.integers(40, 220, 3))
    draw.rectangle((0, 0, width, 44), fill=panel)
    draw.rectangle((0, 44, width // 5, height), fill=panel)
    words = [
        "Layers",
        "export",
        "model",
        "File",
        "steps",
        "image",
        "Open recent",
        "view",
        "0.85",
        "rate",
        "help",
    ]
    for top in range(60, height - 40, 28):
        draw.text((16, top), str(rng.choice(words)), fill=ink, font_size=15)
        if rng.random() < 0.75:
            line = " ".join(rng.choice(words, int(rng.integers(3, 12))))
            draw.text((width // 5 + 24, top), line, fill=ink, font_size=15)
    for left in range(width // 2, width - 120, 130):
        draw.rounded_rectangle((left, 8, left + 110, 36), 6, outline=ink, fill=accent)
        draw.text((left + 55, 22), "Run", fill=ink, anchor="mm", font_size=14)
    made = np.array(window)
    if picture is not None:
        box = (width * 2 // 5, height // 2)
        made[height // 3 : height // 3 + box[1], width // 2 : width // 2 + box[0]] = filled(picture, *box)
    return made


WARM, COOL = (1.22, 1.0, 0.72), (0.80, 1.0, 1.22)
"""Gains of red, green and blue in two gradings that nobody takes for one."""
MILD_WARM, MILD_COOL = (1.1, 1.0, 0.9), (0.9, 1.0, 1.1)


def cast(picture: Picture, gains: tuple[float, float, float]) -> Picture:
    """In a light of another colour."""
    return np.asarray(np.clip(picture * np.array(gains), 0, 255), np.uint8)


def retaken(picture: Picture, seed: int, strength: float) -> Picture:
    """The same scene a moment later: turned, moved and zoomed a little, brighter or darker by up to `strength`."""
    rng = np.random.default_rng(seed)
    height, width = picture.shape[:2]
    centre = (width * rng.uniform(0.47, 0.53), height * rng.uniform(0.47, 0.53))
    moved = cv2.getRotationMatrix2D(centre, rng.uniform(-5, 5), rng.uniform(1, 1.1))
    pixels = cv2.warpAffine(picture.astype(np.float32), moved, (width, height), borderMode=cv2.BORDER_REFLECT)
    light = 1 + rng.uniform(-strength, strength) * np.array([0.4, 0, 0.4]) + rng.uniform(-strength, strength)
    grain = rng.normal(0, 1.5, pixels.shape)
    return np.asarray(np.clip(pixels * light + grain, 0, 255), np.uint8)
