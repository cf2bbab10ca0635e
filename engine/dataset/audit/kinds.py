"""How many kinds of distance, light and clothes a set has: measured, or as a person says."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from engine.dataset.audit.clusters import clusters, counted, spread
from engine.dataset.audit.faces import faces_of
from engine.dataset.audit.look import Array
from engine.dataset.audit.nearness import distance_by
from engine.dataset.audit.people import BINS, LEVELS
from engine.dataset.audit.shapes import Audited, Collection, Values

VERSION = "2"
SHARE = 0.1
"""Of the pictures, that a distance needs to count."""
LEAST = 10
"""Pictures of which something is known, below which variety is not judged."""
DISTANCES, LIGHTS, OUTFITS = 2, 3, 4
OUTFIT = 0.45
"""Hellinger distance of two torsos in one outfit at most."""
SMEARED = 0.25
"""Share of a torso's bin that counts for each neighbour in lightness: a little more light is no other outfit."""
LIGHT: Mapping[tuple[str, str], float] = {
    ("colour", "lightness"): 25.0, ("colour", "range"): 35.0, ("colour", "warmth"): 0.6, ("colour", "dark"): 0.4,
    ("faces", "sides"): 0.5,
}  # fmt: skip
"""What tells lights apart, and the difference from which on each alone makes another light."""


def distance_of(collection: Collection, one: Audited) -> str:
    """close-up, medium, full body, or what else a person says; "" where nobody knows."""
    if declared := collection.declared.get("distance", {}).get(one.name):
        return declared
    if not (faces := faces_of(one)):
        return ""
    return distance_by(faces[0].bottom - faces[0].top)


def distances(collection: Collection) -> Counter[str]:
    """Distance -> pictures of the subject; none at all where less than half of them are known."""
    pictures = collection.of("subject")
    known = Counter(filter(None, (distance_of(collection, one) for one in pictures)))
    return known if 2 * known.total() >= len(pictures) else Counter()


def ranges(found: Counter[str]) -> int:
    """How many of these distances are more than exceptions."""
    return sum(count >= SHARE * found.total() for count in found.values())


def lights(collection: Collection) -> int:
    """Set-ups: as many as people name or as the numbers show, whichever is more. 0: unknown."""
    seen = _some(collection, "colour", "lightness")

    def make() -> Values:
        values = np.array([[one.value(*key) or 0.0 for key in LIGHT] for one in seen])
        scaled = values / np.array(list(LIGHT.values()))
        apart = np.abs(scaled[:, None] - scaled[None]).max(axis=2)
        return {"count": counted(clusters(apart, 1.0))}

    measured = collection.once("lights", VERSION, seen, make)["count"] if seen else 0
    return max(_named(collection, "light"), measured)


def outfits(collection: Collection) -> int:
    """The same for clothes, from the torsos under the faces; 0 where there are few."""
    seen = _some(collection, "faces", "torso")

    def make() -> Values:
        torsos = np.zeros((len(seen), BINS))
        for row, one in enumerate(seen):
            for place, share in one.value("faces", "torso").items():
                torsos[row, int(place)] = share
        roots = np.sqrt(_smeared(torsos / torsos.sum(axis=1, keepdims=True)))
        return {"count": counted(clusters(np.sqrt(np.maximum(0.0, 1 - roots @ roots.T)), OUTFIT))}

    measured = collection.once("outfits", VERSION, seen, make)["count"] if len(seen) >= LEAST else 0
    return max(_named(collection, "wardrobe"), measured)


def _smeared(torsos: Array) -> Array:
    """(N, BINS) shares, each spread over its neighbours in lightness."""
    levels = torsos.reshape(len(torsos), LEVELS, -1)
    around = np.concatenate([levels[:, :1], levels, levels[:, -1:]], axis=1)
    spread_out = (1 - 2 * SMEARED) * levels + SMEARED * (around[:, :-2] + around[:, 2:])
    return np.asarray(spread_out.reshape(len(torsos), -1))


def _some(collection: Collection, measure: str, name: str) -> list[Audited]:
    seen = [one for one in collection.of("subject") if one.value(measure, name)]
    return [seen[index] for index in spread(len(seen))]


def _named(collection: Collection, what: str) -> int:
    said = collection.declared.get(what, {})
    return len({said[one.name].casefold().strip() for one in collection.of("subject") if one.name in said})
