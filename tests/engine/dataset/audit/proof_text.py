"""python -m tests.engine.dataset.audit.proof_text FOLDER: recall and false alarms of the check of text, as tables.

FOLDER holds photographs that were not used to choose a threshold. Letters are planted into them at 1024 px, then JPEG.
"""

import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import cv2

from engine.dataset.audit.text_overlay import TEXT_OVERLAY
from engine.dataset.findings import Finding
from tests.engine.dataset.audit import planted
from tests.engine.dataset.audit.judging import findings
from tests.engine.dataset.audit.planted import Picture
from tests.engine.dataset.audit.proof import QUALITY, read

OPACITIES = (0.1, 0.3, 0.5, 0.8)
EVERY = 3
"""Each style is planted into one picture of so many."""


def main(folder: Path) -> None:
    """Print the tables."""
    pictures = dict(zip(*read(folder), strict=True))
    started = time.process_time()
    found = _found(pictures)
    seconds = (time.process_time() - started) / len(pictures)
    with_text = {name for one in found for name in one.pictures}
    print(f"{len(pictures)} photographs, {seconds:.2f} s each. Text is read in {len(with_text)}:\n")
    print("| severity | said |\n| --- | --- |")
    for one in found:
        print(f"| {one.severity} | {one.value} |")
    # What stands in a picture already would be taken for what is planted.
    plain = [(name, picture) for name, picture in pictures.items() if name not in with_text]
    cells = " | ".join(f"{opacity:.0%}" for opacity in OPACITIES)
    print(f"\n| planted | {cells} | of them a warning |\n| --- |{' --- |' * (len(OPACITIES) + 1)}")
    for number, style in enumerate(planted.STYLES):
        _row(style, dict(plain[number % EVERY :: EVERY]))


def _row(style: str, pictures: Mapping[str, Picture]) -> None:
    cells, seen, warned = [], 0, 0
    for opacity in OPACITIES:
        found = _found({
            name: planted.lettered(one, style, opacity, seed) for seed, (name, one) in enumerate(pictures.items())
        })  # fmt: skip
        hits = sum(len(one.pictures) for one in found)
        cells.append(f"{hits} of {len(pictures)}")
        seen += hits
        warned += sum(len(one.pictures) for one in found if one.severity == "warning")
    print(f"| {style} | {' | '.join(cells)} | {warned} of {seen} |", flush=True)


def _found(pictures: Mapping[str, Picture]) -> list[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        return findings(Path(folder), pictures, TEXT_OVERLAY, quality=QUALITY)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main(Path(sys.argv[1]))
