"""Which light each picture has: the set-ups that `kinds.lights` counts, by picture, for lists and filters."""

from collections.abc import Mapping

import numpy as np

from engine.dataset.audit.clusters import clusters, spread
from engine.dataset.audit.kinds import LIGHT, VERSION
from engine.dataset.audit.people import FACES
from engine.dataset.audit.shapes import Collection, Values
from engine.dataset.audit.tints import COLOUR


def setups(collection: Collection) -> Mapping[str, int]:
    """Name -> its set-up, 1 the most frequent. Of a set that is not measured yet, and of a single odd picture, nothing."""
    known = [one for one in collection.of("subject") if one.value("colour", "lightness")]
    seen = [known[index] for index in spread(len(known))] if collection.knows(COLOUR, FACES) else []

    def make() -> Values:
        values = np.array([[one.value(*key) or 0.0 for key in LIGHT] for one in seen])
        scaled = values / np.array(list(LIGHT.values()))
        return {"members": clusters(np.abs(scaled[:, None] - scaled[None]).max(axis=2), 1.0)}

    members = collection.once("setups", VERSION, seen, make)["members"] if seen else []
    least = max(2, 0.05 * len(seen))
    return {
        seen[index].name: number
        for number, each in enumerate(members, 1)
        if len(each) >= least
        for index in each
    }
