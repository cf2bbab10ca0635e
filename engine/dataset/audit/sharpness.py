"""Blur, softness and noise of the whole picture. A blurred subject before a sharp wall is none of these."""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from engine.dataset.audit.look import SMALLEST, Array, Look
from engine.dataset.audit.shapes import Audited, Check, Collection, Measure, Values
from engine.dataset.findings import Finding

BLURRED: Final = 12.0
SOFT: Final = -2.0
NOISY: Final = 6.0
_NOISE_IN_LAP: Final = 3.75
"""What white noise of sigma 1 adds to `lap`, from the two filters' own coefficients."""
_BLOCK: Final = 16


def _take(look: Look) -> Values:
    grey = look.grey
    return {"lap": round(_lap(grey), 3), "fft": _fft(grey), "noise": round(_noise(grey), 3)}


def _lap(grey: Array) -> float:
    # Smoothed first: sensor noise and JPEG blocks are detail to a bare Laplacian.
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (5, 5), 0.8)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(smooth, cv2.CV_32F, ksize=3))
    return float(deviation[0, 0] ** 2)


def _fft(grey: Array) -> float | None:
    if min(grey.shape) < SMALLEST:
        return None
    # Rows and columns apart, and the softer of both: motion blurs one direction and leaves the other.
    return round(min(_ratio(grey[::4]), _ratio(np.ascontiguousarray(grey[:, ::4].T))), 3)


def _ratio(rows: Array) -> float:
    length = rows.shape[1]
    lines = rows.astype(np.float32)
    lines -= lines.mean(axis=1, keepdims=True)
    lines *= np.hanning(length).astype(np.float32)
    energy = np.square(cv2.dft(lines, flags=cv2.DFT_ROWS)).sum(axis=0)
    # OpenCV packs real spectra as re0, re1, im1, re2, im2, ...; 1 is half the sampling rate.
    frequency = (np.arange(length) + 1) // 2 / length * 2
    fine = energy[(frequency >= 0.5) & (frequency < 0.9)].sum()
    coarse = energy[(frequency >= 0.08) & (frequency < 0.2)].sum()
    return float(np.log10((fine + 1e-3) / (coarse + 1e-3)))


def _noise(grey: Array) -> float:
    height, width = (side // _BLOCK * _BLOCK for side in grey.shape)
    if not height or not width:
        return 0.0
    area = grey[:height, :width]
    down = area[::2].astype(np.float32) - area[1::2]
    detail = np.abs(down[:, ::2] - down[:, 1::2])
    blocks = (width // _BLOCK, height // _BLOCK)
    mean = cv2.resize(area, blocks, interpolation=cv2.INTER_AREA)
    unclipped = cv2.resize(detail, blocks, interpolation=cv2.INTER_AREA)[(mean > 12) & (mean < 243)]
    # Of the calmest fifth of the picture: elsewhere it is foliage and hair.
    return float(np.quantile(unclipped, 0.2)) / 2 / 0.798 if unclipped.size else 0.0


SHARPNESS = Measure(name="sharpness", version="1", stage="pixels", take=_take)
"""At 1024 px: lap, the variance of the Laplacian (0 to some thousands); fft, log10 of the energy at 0.5-0.9 of the sampling
limit to that at 0.08-0.2, None below SMALLEST; noise, sigma in grey levels."""


def _blurred(one: Audited) -> float | None:
    """What is left of `lap` without the noise, None where noise hides it."""
    lap, noise = one.value("sharpness", "lap"), one.value("sharpness", "noise")
    return None if lap is None or noise >= NOISY else max(0.0, lap - _NOISE_IN_LAP * noise**2)


def _blur(collection: Collection) -> Iterator[Finding]:
    for one in collection.of("subject", "regularization"):
        lap = _blurred(one)
        if lap is not None and lap < BLURRED:
            yield Finding(
                check="blur", severity="warning", pictures=(one.name,), number=lap, threshold=BLURRED,
                value=f"{one.name} is out of focus or shaken: sharpness {lap:.0f}.", confidence="measured",
                method=BLUR.method, remedy="Look at it at full size, and leave it out if the subject is not sharp.",
            )  # fmt: skip


def _upscaled(collection: Collection) -> Iterator[Finding]:
    for one in collection.of("subject", "regularization"):
        lap, fft = _blurred(one), one.value("sharpness", "fft")
        if lap is not None and lap >= BLURRED and fft is not None and fft < SOFT:
            yield Finding(
                check="upscaled", severity="warning", pictures=(one.name,), number=fft, threshold=SOFT,
                value=f"{one.name} is soft: it has no finer detail than a picture of half its size, as enlarged ones do.",
                confidence="measured", method=UPSCALED.method,
                remedy="Look for a larger original. Enlarging it with an upscaler adds invented detail.",
            )  # fmt: skip


def _noisy(collection: Collection) -> Iterator[Finding]:
    for one in collection.of("subject", "regularization"):
        noise = one.value("sharpness", "noise")
        if noise is not None and noise >= NOISY:
            yield Finding(
                check="noise", severity="warning", pictures=(one.name,), number=noise, threshold=NOISY,
                value=f"{one.name} is noisy ({noise:.0f} of 255 levels): its sharpness cannot be judged.",
                confidence="measured", method=NOISE.method,
                remedy="Develop it with noise reduction, or leave it out: grain is learned like everything else.",
            )  # fmt: skip


BLUR = Check(
    name="blur", title="blurred", measures=(SHARPNESS,), judge=_blur,
    method=f"variance of the Laplacian at 1024 px, noise taken off, below {BLURRED:.0f} (version 1)",
    known="Finds what is blurred by 2 pixels or more at 1024 px in most pictures, slighter blur in few; see docs/audit.md. "
    "A blurred subject before a sharp background passes.",
)  # fmt: skip
UPSCALED = Check(
    name="upscaled", title="soft or enlarged", measures=(SHARPNESS,), judge=_upscaled,
    method=f"log10 of fine to coarse energy of rows and columns at 1024 px below {SOFT} (version 1)",
    known="Finds nearly all that was enlarged three times and about half of what was enlarged twice; takes about one soft "
    "but honest picture in ten for one; see docs/audit.md.",
)  # fmt: skip
NOISE = Check(
    name="noise", title="noisy", measures=(SHARPNESS,), judge=_noisy,
    method=f"sigma of the calmest fifth (2 x 2 Haar) at 1024 px, from {NOISY:.0f} grey levels (version 1)",
    known="Within one level of planted noise; all-over fine texture such as foliage can measure 5.",
)  # fmt: skip
