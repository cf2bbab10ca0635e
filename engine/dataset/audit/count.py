"""How many pictures of the subject there are, each counted once however often it is there."""

from collections.abc import Iterator

from engine.dataset.audit.groups import duplicate_groups
from engine.dataset.audit.hashes import HASH
from engine.dataset.audit.header import HEADER
from engine.dataset.audit.points import POINTS
from engine.dataset.audit.shapes import Check, Collection
from engine.dataset.findings import Finding, Severity

LEAST, SWEET, MOST = 20, 40, 200
"""Pictures: a data set, a good one, and more than teaches anything."""


def usable(collection: Collection) -> int:
    """Different pictures of the subject that open; while not all is measured, different files."""
    if not collection.knows(HASH, POINTS, HEADER):
        return len({one.sha256 or one.name for one in collection.of("subject")})
    return sum(any(one.role == "subject" for one in group.members) for group in duplicate_groups(collection))


def _judge(collection: Collection) -> Iterator[Finding]:
    count = usable(collection)
    severity: Severity = "note"
    if count < LEAST:
        severity, threshold = "warning", LEAST
        value = f"{_pictures(count)} of the subject: a starting point, not a data set. The model will memorize them."
        remedy = f"Add different pictures: {LEAST} are the least, {SWEET} to 80 the best."
    elif count < SWEET:
        threshold = SWEET
        value = f"{_pictures(count)} of the subject: enough to train, and {SWEET} to 80 are better."
        remedy = "Add pictures that differ in light, distance and clothes."
    elif count > MOST:
        threshold = MOST
        value = f"{_pictures(count)} of the subject: past {MOST} more pictures teach little more."
        remedy = "Keep the best of them, or train longer: every picture is to be seen a few dozen times."
    else:
        return
    yield Finding(
        check="count", severity=severity, pictures=(), value=value, number=float(count), threshold=float(threshold),
        confidence="measured", method=COUNT.method, remedy=remedy,
    )  # fmt: skip


def _pictures(count: int) -> str:
    return "1 usable picture" if count == 1 else f"{count} usable pictures"


def _cover(collection: Collection) -> str:
    if not collection.knows(*COUNT.measures):
        return ""
    return f"{usable(collection)} usable of {sum(one.role == 'subject' for one in collection.pictures)}"


COUNT = Check(
    name="count", title="how many", measures=(HASH, POINTS, HEADER), judge=_judge, cover=_cover, whole=True,
    method=f"pictures of the subject that open, duplicates counted once; {LEAST}, {SWEET}, {MOST}",
    known="The numbers are rules of thumb of the field. A duplicate that is not found is counted.",
)  # fmt: skip
