"""What of the pictures the last audit measured and captions can be held against. No picture is opened."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from engine.dataset.audit.store import Store

_FACES: Final = "faces"


def measured(project: Path, pictures: Mapping[Path, str]) -> dict[str, dict[str, str]]:
    """{"distance": {picture: close-up, medium or full body}}, of the pictures in which a face was found.

    pictures: file -> name. {} where no audit has run. A tenth of a second for ten thousand.
    """
    file = project / "cache" / "audit.sqlite"
    if not file.is_file():
        return {}
    from engine.dataset.audit.kinds import CLOSE, MEDIUM
    from engine.dataset.audit.people import FACES

    try:
        with closing(Store(file, only_read=True)) as store:
            contents = store.contents(pictures)
            values = store.values(contents.values(), {_FACES: FACES.version})
    except (OSError, sqlite3.Error, ValueError, KeyError, TypeError):
        return {}
    found = {}
    for path, content in contents.items():
        faces = values.get(content, {}).get(_FACES, {}).get("faces") or ()
        if faces:
            height = faces[0][3] - faces[0][1]
            found[pictures[path]] = (
                "close-up" if height >= CLOSE else "medium" if height >= MEDIUM else "full body"
            )
    return {"distance": found}
