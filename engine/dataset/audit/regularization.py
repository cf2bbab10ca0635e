"""Whether the pictures of the general category are as many as keep the base's own knowledge, and are not the subject's."""

from collections.abc import Iterator

from engine.dataset.audit.groups import duplicate_groups
from engine.dataset.audit.hashes import HASH
from engine.dataset.audit.header import HEADER
from engine.dataset.audit.points import POINTS
from engine.dataset.audit.shapes import Check, Collection
from engine.dataset.findings import Finding

LOW, HIGH = 0.10, 0.15
"""Share of all trained pictures."""
_SLACK = 0.005
"""What a share is off by that people round away."""


def _share(collection: Collection) -> tuple[int, int]:
    return len(collection.of("regularization")), len(collection.of("subject"))


def _judge(collection: Collection) -> Iterator[Finding]:
    theirs, subject = _share(collection)
    if not theirs:
        return
    share = theirs / (theirs + subject)
    if not LOW - _SLACK <= share < HIGH + _SLACK:
        wanted = max(1, round(0.125 * subject / 0.875))
        few = share < LOW
        yield Finding(
            check="regularization", severity="warning", pictures=(),
            value=f"{theirs} regularization pictures beside {subject} of the subject are {share:.0%}: "
            + ("too few to hold what the base knows." if few else "so many that the subject is learned less."),
            number=round(share, 3), threshold=LOW if few else HIGH, confidence="exact", method=REGULARIZATION.method,
            remedy=f"10 to 15 % are usual: {wanted} pictures here.",
        )  # fmt: skip
    for group in duplicate_groups(collection):
        others = [one.name for one in group.members if one.role == "regularization"]
        own = [one.name for one in group.members if one.role == "subject"]
        if others and own:
            yield Finding(
                check="regularization", severity="warning", pictures=(*others, *own),
                value=f"{others[0]} stands for the general category and is the subject's own {own[0]}.",
                number=float(group.distance), confidence="measured", method=REGULARIZATION.method,
                remedy="Leave it out of the regularization set: there it teaches that the subject is nothing special.",
            )  # fmt: skip


def _cover(collection: Collection) -> str:
    theirs, subject = _share(collection)
    return f"regularization {theirs / (theirs + subject):.0%}" if theirs else ""


REGULARIZATION = Check(
    name="regularization", title="regularization", measures=(HASH, POINTS, HEADER), judge=_judge, cover=_cover, whole=True,
    method=f"pictures of sets with that role over all that are trained, {LOW:.0%} to {HIGH:.0%}; their hashes against the "
    "subject's (v1)",
    known="The share is exact and a rule of thumb. The same picture in both sets is found as duplicates are; another "
    "picture of the same person is not. A set's weight and repeats are not counted in.",
)  # fmt: skip
