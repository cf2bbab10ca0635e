"""Whether the pictures of the general category are as many as keep the base's own knowledge, and are not the subject's."""

from collections.abc import Iterator, Sequence

from engine.dataset.audit.faces import faces_of
from engine.dataset.audit.groups import duplicate_groups
from engine.dataset.audit.hashes import HASH
from engine.dataset.audit.header import HEADER
from engine.dataset.audit.people import FACES
from engine.dataset.audit.points import POINTS
from engine.dataset.audit.shapes import Audited, Check, Collection
from engine.dataset.findings import Finding

LOW, HIGH = 0.10, 0.15
"""Share of what an epoch trains, repeats counted in."""
_SLACK = 0.005
"""What a share is off by that people round away."""


def _drawn(pictures: Sequence[Audited]) -> int:
    return sum(one.repeats for one in pictures)


def _share(theirs: Sequence[Audited], subject: Sequence[Audited]) -> float:
    return _drawn(theirs) / (_drawn(theirs) + _drawn(subject))


def _judge(collection: Collection) -> Iterator[Finding]:
    theirs, subject = collection.of("regularization"), collection.of("subject")
    if not theirs:
        return
    share = _share(theirs, subject)
    if not LOW - _SLACK <= share < HIGH + _SLACK:
        # So many of them as they are now, each as often an epoch as it is on average.
        wanted = max(1, round(0.125 * _drawn(subject) / 0.875 * len(theirs) / _drawn(theirs)))
        repeated = any(one.repeats > 1 for one in (*theirs, *subject))
        few = share < LOW
        yield Finding(
            check="regularization", severity="warning", pictures=(),
            value=f"{len(theirs)} regularization pictures beside {len(subject)} of the subject are "
            f"{share:.0%}{' of an epoch with their repeats' if repeated else ''}: "
            + ("too few to hold what the base knows." if few else "so many that the subject is learned less."),
            number=round(share, 3), threshold=LOW if few else HIGH, confidence="exact", method=REGULARIZATION.method,
            remedy=f"10 to 15 % are usual: {wanted} picture{'s' if wanted > 1 else ''} here.",
        )  # fmt: skip
    yield from _unseen(theirs, subject)
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


def _unseen(theirs: Sequence[Audited], subject: Sequence[Audited]) -> Iterator[Finding]:
    """Where both show people: whether they are the same ones is not asked, and not asked is not passed."""
    with_faces = tuple(one.name for one in theirs if faces_of(one))
    if with_faces and 2 * sum(bool(faces_of(one)) for one in subject) >= len(subject):
        count = f"{len(with_faces)} regularization pictures" if len(with_faces) > 1 else with_faces[0]
        yield Finding(
            check="regularization", severity="note", pictures=with_faces, confidence="not-run",
            value=f"Whether {count} with faces show the subject is not looked at: nothing here tells people apart.",
            number=float(len(with_faces)), method=REGULARIZATION.method,
            remedy="Look through them yourself: a picture of the subject there teaches that it is nothing special.",
        )  # fmt: skip


def _cover(collection: Collection) -> str:
    theirs, subject = collection.of("regularization"), collection.of("subject")
    return f"regularization {_share(theirs, subject):.0%}" if theirs else ""


REGULARIZATION = Check(
    name="regularization", title="regularization", measures=(HASH, POINTS, HEADER, FACES), judge=_judge, cover=_cover,
    whole=True,
    method=f"pictures of sets with that role over all that an epoch trains, {LOW:.0%} to {HIGH:.0%}; their hashes against "
    "the subject's (v2)",
    known="The share is exact and a rule of thumb. The same picture in both sets is found as duplicates are; another "
    "picture of the same person is not, as no measure here tells people apart. A set's weight is not counted in.",
)  # fmt: skip
