"""Whether the subject is seen from several distances, in several lights and in several clothes."""

from collections.abc import Iterator

from engine.dataset.audit.kinds import (
    DISTANCES,
    LEAST,
    LIGHTS,
    OUTFIT,
    OUTFITS,
    SHARE,
    distances,
    lights,
    outfits,
    ranges,
)
from engine.dataset.audit.nearness import CLOSE, MEDIUM
from engine.dataset.audit.people import FACES
from engine.dataset.audit.shapes import Check, Collection
from engine.dataset.audit.tints import COLOUR
from engine.dataset.findings import Finding


def _all_alike(collection: Collection) -> bool:
    """One distance, one light and one outfit, or none to be seen: then that is one thing to say, not three."""
    found = distances(collection)
    if found.total() < LEAST or ranges(found) != 1:
        return False
    return lights(collection) == 1 and outfits(collection) <= 1


def _framing(collection: Collection) -> Iterator[Finding]:
    found = distances(collection)
    if found.total() < LEAST or ranges(found) >= DISTANCES:
        return
    (most, count), *_ = found.most_common(1)
    if _all_alike(collection):
        worn = " and one outfit" if outfits(collection) else ""
        value = (
            f"{count} near-identical pictures: {_plural(most)} in one light{worn}. They teach nothing else."
        )
        remedy = "Add pictures from other distances, in other light and other clothes; 20 that differ are worth more."
    else:
        value = f"{count} of {found.total()} pictures are {_plural(most)}: other distances are not learned."
        remedy = f"Add pictures from other distances: two or three, each with {SHARE:.0%} at least. Or say what they are."
    yield _finding("framing", value, float(ranges(found)), DISTANCES, FRAMING.method, remedy)


def _plural(distance: str) -> str:
    return {"close-up": "close-ups", "medium": "medium shots", "full body": "full-body shots"}.get(
        distance, distance
    )


def _framing_cover(collection: Collection) -> str:
    found = distances(collection)
    counts = [found[each] for each in ("close-up", "medium", "full body")]
    return "distance " + "/".join(map(str, counts)) if sum(counts) else ""


def _lighting(collection: Collection) -> Iterator[Finding]:
    count = lights(collection)
    if len(collection.of("subject")) >= LEAST and 0 < count < LIGHTS and not _all_alike(collection):
        yield _finding(
            "lighting", f"{_number(count, 'lighting set-up')} in the whole set, by an estimate from light and colour.",
            float(count), LIGHTS, LIGHTING.method,
            f"Add pictures in other light, as window, softbox and evening: {LIGHTS} at least. Or say what their light is.",
        )  # fmt: skip


def _lighting_cover(collection: Collection) -> str:
    count = lights(collection) if collection.knows(*LIGHTING.measures) else 0
    return f"light {count} set-up{'s' if count > 1 else ''}" if count else ""


def _wardrobe(collection: Collection) -> Iterator[Finding]:
    count = outfits(collection)
    if len(collection.of("subject")) >= LEAST and 0 < count < OUTFITS and not _all_alike(collection):
        yield _finding(
            "wardrobe", f"{_number(count, 'outfit')} in the whole set: what is always worn becomes part of the subject.",
            float(count), OUTFITS, WARDROBE.method,
            f"Add pictures in other clothes or styling: {OUTFITS} at least. Or say what is worn.",
        )  # fmt: skip


def _wardrobe_cover(collection: Collection) -> str:
    count = outfits(collection) if collection.knows(*WARDROBE.measures) else 0
    return f"wardrobe {count}" if count else ""


def _number(count: int, what: str) -> str:
    return f"Only {count} {what}{'s' if count > 1 else ''}"


def _finding(check: str, value: str, number: float, threshold: int, method: str, remedy: str) -> Finding:
    return Finding(
        check=check, severity="warning", pictures=(), value=value, number=number, threshold=float(threshold),
        confidence="heuristic", method=method, remedy=remedy,
    )  # fmt: skip


FRAMING = Check(
    name="framing", title="distances", measures=(FACES,), judge=_framing, cover=_framing_cover, whole=True,
    method=f"height of the largest face over the picture's: close-up from {CLOSE}, medium from {MEDIUM}, else full body; "
    "what a person says goes first (v1)",
    known="Of 60 pictures with a clear label it agreed with a person on 13 of 13 close-ups and 37 of 41 medium shots (four "
    "were called close-ups), but on 2 of 6 full bodies: people who sit count as medium. Without a visible face a picture "
    "is unknown, and where more than half are, nothing is judged.",
)  # fmt: skip
LIGHTING = Check(
    name="lighting", title="lighting", measures=(COLOUR, FACES), judge=_lighting, cover=_lighting_cover, whole=True,
    method="clusters by brightness, contrast, dark share, warmth and the two sides of the face, complete linkage; or as "
    "many lights as a person names (v1)",
    known="An estimate that was never held against labelled lights: it sees what differs in the whole picture, a new "
    "background too. One photograph in light changed by up to 25 % was one set-up in 38 of 47 cases, six photographs were "
    "three or more in 59 of 60. Say the light of your pictures and it counts that.",
)  # fmt: skip
WARDROBE = Check(
    name="wardrobe", title="clothes", measures=(FACES,), judge=_wardrobe, cover=_wardrobe_cover, whole=True,
    method=f"Hellinger distance of Lab histograms below the face, a little smeared in lightness, complete linkage at "
    f"{OUTFIT}; or as many as a person names (v2)",
    known="One outfit in light changed by up to 25 % was counted as one in 15 of 39 cases, else as more; six outfits as "
    "four or more in 60 of 60. So it rather counts too many. Clothes of one colour are one outfit; no clothes are seen "
    "where there is no face or no room below it.",
)  # fmt: skip
