"""Captions that say the same of different pictures."""

from collections.abc import Iterator

from engine.dataset.captioning.checks.length import telling
from engine.dataset.captioning.checks.shapes import Check, Collection
from engine.dataset.findings import Finding
from projects.problems import listed


def _judge(collection: Collection) -> Iterator[Finding]:
    for entries in collection.by_text.values():
        pictures = tuple(dict.fromkeys(entry.picture for entry in entries))
        # Bare triggers are one thing to say, and too-short says it.
        if len(pictures) > 1 and telling(collection, entries[0]):
            yield Finding(
                check="identical", severity="warning", pictures=pictures, number=float(len(pictures)),
                value=f"{listed(list(pictures))} have the same caption.", confidence="exact", method=IDENTICAL.method,
                remedy="Say what tells these pictures apart: else it is learned by accident.",
            )  # fmt: skip


IDENTICAL = Check(
    name="identical", title="the same caption", judge=_judge,
    method="equal texts of different subject pictures, spaces around them aside",
    known="Exact. Captions that differ in one word are not found.",
)  # fmt: skip
