"""What of the pictures the last audit measured and captions can be held against. No picture is opened."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from engine.dataset.audit.nearness import FACES_VERSION, distance_by
from engine.dataset.audit.store import Store

_FACES: Final = "faces"


def measured(project: Path, pictures: Mapping[Path, str]) -> dict[str, dict[str, str]]:
    """{"distance": {picture: close-up, medium or full body}}, of the pictures in which a face was found.

    pictures: file -> name. {} where no audit has run. A tenth of a second for ten thousand.
    """
    file = project / "cache" / "audit.sqlite"
    if not file.is_file():
        return {}
    try:
        with closing(Store(file, only_read=True)) as store:
            contents = store.contents(pictures)
            values = store.values(contents.values(), {_FACES: FACES_VERSION})
    except (OSError, sqlite3.Error, ValueError, KeyError, TypeError):
        return {}
    found = {}
    for path, content in contents.items():
        faces = values.get(content, {}).get(_FACES, {}).get("faces") or ()
        if faces:
            found[pictures[path]] = distance_by(faces[0][3] - faces[0][1])
    return {"distance": found}
