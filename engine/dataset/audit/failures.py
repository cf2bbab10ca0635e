"""What could not be measured, kept like what could: a picture that breaks a measure costs its time once.

It is tried again when its content, the measure's version or a library is another. What may have been the machine's fault
is not kept (`hand.PASSING`) or counts only the second time: that a picture took too long or ended the process.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import PIL

from engine.dataset.audit.look import Look
from engine.dataset.audit.shapes import Measure, Values
from engine.dataset.audit.store import Taken
from engine.dataset.pictures import Unopened

LIBRARIES: Final = f"{PIL.__version__} {cv2.__version__} {np.__version__}"
"""What the measures fail in; a newer one may not."""
ENDED: Final = "failed"
"""Name under which a picture is kept that took too long or ended the process; of a measure's it is "failed:NAME"."""
TRIES: Final = 2
"""Audits after which such a picture is not tried again."""

Told = Mapping[str, tuple[str, Values]]
"""Name -> (version, values), as the store takes them."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the store has of a picture, taken apart."""

    values: Mapping[str, Values]
    failed: dict[str, str]
    """Measure -> why it has no values."""
    ended: str
    """Why the picture is not tried again; "" while it is."""
    tries: int
    """Audits in which it took too long or ended the process."""


def versions(measures: Iterable[Measure]) -> dict[str, str]:
    """What to ask the store for, beside the measures themselves."""
    return {ENDED: LIBRARIES, **{_name(each.name): _version(each) for each in measures}}


def known(kept: Mapping[str, Any]) -> Known:
    """Of what the store gave for one content."""
    if not any(name.startswith(ENDED) for name in kept):
        return Known(values=kept, failed={}, ended="", tries=0)
    failed = {
        name.partition(":")[2]: told["error"] for name, told in kept.items() if name.startswith(f"{ENDED}:")
    }
    ended = kept.get(ENDED, {"tries": 0, "error": ""})
    return Known(
        values={name: told for name, told in kept.items() if name.partition(":")[0] != ENDED},
        failed=failed,
        ended=str(ended["error"]) if ended["tries"] >= TRIES else "",
        tries=int(ended["tries"]),
    )


def of_measures(failed: Mapping[str, str], measures: Mapping[str, Measure]) -> Told:
    """To be kept: why these measures have no values."""
    return {_name(name): (_version(measures[name]), {"error": error}) for name, error in failed.items()}


def ended(path: Path, error: str, content: str, tries: int) -> Taken | None:
    """To be kept of a picture that took too long or ended the process, as it did `tries` times with that content."""
    with suppress(Unopened):
        look = Look(path)
        told = {"error": error, "tries": tries + 1 if look.sha256 == content else 1}
        return Taken(path=path, content=look.sha256, stat=look.stat, values={ENDED: (LIBRARIES, told)})
    return None


def unreadable(error: str) -> Values:
    """What the measure `opened` would say of a picture that no process survives."""
    return {
        "check": "unreadable",
        "error": f"{error}.",
        "hint": "Check the file and save it anew, or leave it out.",
    }


def _name(measure: str) -> str:
    return f"{ENDED}:{measure}"


def _version(measure: Measure) -> str:
    return f"{measure.version} {LIBRARIES}"
