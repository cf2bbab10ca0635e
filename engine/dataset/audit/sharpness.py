"""How sharp and how noisy a picture is as a whole, in numbers."""

from typing import Final

import cv2
import numpy as np

from engine.dataset.audit.look import SMALLEST, Array, Look
from engine.dataset.audit.shapes import Measure, Values

_BLOCK: Final = 16


def _take(look: Look) -> Values:
    grey = look.grey
    fft, shake = _spectrum(grey) if min(grey.shape) >= SMALLEST else (None, None)
    return {"lap": round(_lap(grey), 3), "fft": fft, "shake": shake, "noise": round(_noise(grey), 3)}


def _lap(grey: Array) -> float:
    # Smoothed first: sensor noise and JPEG blocks are detail to a bare Laplacian.
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (5, 5), 0.8)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(smooth, cv2.CV_32F, ksize=3))
    return float(deviation[0, 0] ** 2)


def _spectrum(grey: Array) -> tuple[float, float]:
    # Rows and columns apart: motion blurs one direction and leaves the other.
    rows, columns = _bands(grey[::4]), _bands(np.ascontiguousarray(grey[:, ::4].T))
    fft = min(finest - coarse for finest, _, coarse in (rows, columns))
    return round(fft, 3), round(abs(rows[1] - columns[1]), 3)


def _bands(rows: Array) -> tuple[float, float, float]:
    """log10 of the energy of rows at 0.5-0.9, 0.3-0.9 (of one frequency and pixel) and 0.08-0.2 of the sampling limit."""
    length = rows.shape[1]
    lines = rows.astype(np.float32)
    lines -= lines.mean(axis=1, keepdims=True)
    lines *= np.hanning(length).astype(np.float32)
    energy = np.square(cv2.dft(lines, flags=cv2.DFT_ROWS)).mean(axis=0) / length
    # OpenCV packs real spectra as re0, re1, im1, re2, im2, ...; 1 is half the sampling rate.
    frequency = (np.arange(length) + 1) // 2 / length * 2
    fine = energy[(frequency >= 0.3) & (frequency < 0.9)]
    finest = energy[(frequency >= 0.5) & (frequency < 0.9)].sum()
    coarse = energy[(frequency >= 0.08) & (frequency < 0.2)].sum()
    finest, mean, coarse = (float(np.log10(each + 1e-3)) for each in (finest, fine.mean(), coarse))
    return finest, mean, coarse


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
"""At 1024 px. lap: variance of the Laplacian, 0 to some thousands. fft: log10 of the energy at 0.5-0.9 of the sampling
limit to that at 0.08-0.2; shake: how far rows and columns are apart in log10 of it at 0.3-0.9; both None below SMALLEST.
noise: sigma in grey levels."""
