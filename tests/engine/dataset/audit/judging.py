"""Pictures through the measures and one check, as the audit does it, without its processes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2

from engine.dataset.audit.look import Look
from engine.dataset.audit.shapes import STAGES, Audited, Check, Collection
from engine.dataset.findings import Finding
from tests.engine.dataset.audit.planted import Picture


def write(folder: Path, pictures: Mapping[str, Picture], quality: int = 92) -> list[Path]:
    """The pictures as files, JPEG unless a name ends otherwise."""
    paths = []
    for name, picture in pictures.items():
        path = folder / (name if "." in name else f"{name}.jpg")
        cv2.imwrite(str(path), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        paths.append(path)
    return paths


def collected(
    paths: Sequence[Path], checks: Sequence[Check], set_of: Mapping[Path, str] | None = None
) -> Collection:
    """What the measures of these checks say of the files; names are stems."""
    measures = {measure.name: measure for check in checks for measure in check.measures}
    pictures = []
    for path in paths:
        look = Look(path)
        values = {name: measure.take(look) for name, measure in measures.items()}
        of = (set_of or {}).get(path, "pictures")
        pictures.append(
            Audited(name=path.stem, path=path, role="subject", set=of, sha256=look.sha256, values=values)
        )
    return Collection(
        pictures=pictures, floors=(0, 0), native_size=0, resolution=(), declared={}, absent=frozenset(),
        measured=frozenset(STAGES),
    )  # fmt: skip


def findings(
    folder: Path, pictures: Mapping[str, Picture], *checks: Check, quality: int = 92
) -> list[Finding]:
    """What the checks have to say of these pictures."""
    collection = collected(write(folder, pictures, quality), checks)
    return [finding for check in checks for finding in check.judge(collection)]
