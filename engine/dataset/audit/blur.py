"""Blurred, soft and noisy pictures. A blurred subject before a sharp wall is none of these: the whole picture is judged."""

from collections.abc import Iterator
from typing import Final

from engine.dataset.audit.shapes import Audited, Check, Collection
from engine.dataset.audit.sharpness import SHARPNESS
from engine.dataset.findings import Finding

BLURRED: Final = 12.0
SOFT: Final = -2.0
SHAKEN: Final = 0.85
NOISY: Final = 4.5
_NOISE_IN_LAP: Final = 3.75
"""What white noise of sigma 1 adds to `lap`, from the two filters' own coefficients."""


def _blurred(one: Audited) -> float | None:
    """What is left of `lap` without the noise, None where noise hides it."""
    lap, noise = one.value("sharpness", "lap"), one.value("sharpness", "noise")
    return None if lap is None or noise >= NOISY else max(0.0, lap - _NOISE_IN_LAP * noise**2)


def _blur(collection: Collection) -> Iterator[Finding]:
    for one in collection.of("subject", "regularization"):
        lap = _blurred(one)
        if lap is None:
            continue
        if lap < BLURRED:
            number, threshold, value = lap, BLURRED, f"is out of focus: sharpness {lap:.0f}."
        elif (shake := one.value("sharpness", "shake")) is not None and shake >= SHAKEN:
            number, threshold = shake, SHAKEN
            value = "is sharp in one direction only: moved while it was taken, or full of lines."
        else:
            continue
        yield Finding(
            check="blur", severity="warning", pictures=(one.name,), number=number, threshold=threshold,
            value=f"{one.name} {value}", confidence="measured", method=BLUR.method,
            remedy="Look at it at full size, and leave it out if the subject is not sharp.",
        )  # fmt: skip


def _upscaled(collection: Collection) -> Iterator[Finding]:
    for one in collection.of("subject", "regularization"):
        lap, fft = _blurred(one), one.value("sharpness", "fft")
        shaken = (one.value("sharpness", "shake") or 0) >= SHAKEN
        if lap is not None and lap >= BLURRED and not shaken and fft is not None and fft < SOFT:
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
    method=f"variance of the Laplacian at 1024 px, noise taken off, below {BLURRED:.0f}, or fine energy of rows and "
    f"columns apart by {SHAKEN} of log10 (version 1)",
    known="With the check for soft pictures it finds nearly every blur of 1.5 px or more at 1024 px, and most motion "
    "along a side; slanted motion in half of the pictures. A blurred subject on a sharp wall passes. See docs/audit.md.",
)  # fmt: skip
UPSCALED = Check(
    name="upscaled", title="soft or enlarged", measures=(SHARPNESS,), judge=_upscaled,
    method=f"log10 of fine to coarse energy of rows and columns at 1024 px below {SOFT} (version 1)",
    known="Finds nearly all that was enlarged three times and about half of what was enlarged twice; takes about one soft "
    "but honest picture in ten for one; see docs/audit.md.",
)  # fmt: skip
NOISE = Check(
    name="noise", title="noisy", measures=(SHARPNESS,), judge=_noisy,
    method=f"sigma of the calmest fifth (2 x 2 Haar) at 1024 px, from {NOISY} grey levels (version 1)",
    known="Finds noise of 5 levels and more in every picture; foliage and fur that fill the picture measure as much.",
)  # fmt: skip
