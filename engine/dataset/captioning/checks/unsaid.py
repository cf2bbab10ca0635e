"""What differs between the pictures and is hardly ever said: distance, light, clothes."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from engine.dataset.captioning.checks.lexicon import SAID
from engine.dataset.captioning.checks.shapes import Check, Collection
from engine.dataset.captioning.entries import Entry
from engine.dataset.captioning.parts import words
from engine.dataset.findings import Finding

LEAST = 10
"""Pictures of which something is known, below which nothing is said."""
VARIES = 0.1
"""Share that the second most usual kind has at least, where pictures differ."""
SELDOM = 0.2
"""Share of the captions that say it, below which it is hardly ever said."""


def _judge(collection: Collection) -> Iterator[Finding]:
    if len(collection.subject) < LEAST:
        return
    unknown = []
    for what, words_for in SAID.items():
        known = collection.known.get(what, {})
        entries = [entry for entry in collection.subject if entry.picture in known]
        if len({entry.picture for entry in entries}) < LEAST:
            unknown.append(what)
            continue
        kinds = Counter(
            known[picture].casefold().strip() for picture in dict.fromkeys(e.picture for e in entries)
        )
        own = {part for kind in kinds for word in words(kind) for part in (word, *word.split("-"))}
        silent = [entry for entry in entries if not _says(entry, words_for | own)]
        said = 1 - len(silent) / len(entries)
        if len(kinds) > 1 and kinds.most_common(2)[1][1] >= VARIES * kinds.total() and said < SELDOM:
            shown = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(4))
            yield Finding(
                check="unsaid", severity="warning", pictures=tuple(dict.fromkeys(entry.picture for entry in silent)),
                about=what, number=round(said, 3), threshold=SELDOM, confidence="heuristic", method=UNSAID.method,
                value=f"The {what} differs ({shown}), and {len(entries) - len(silent)} of {len(entries)} captions say it: "
                "nobody will be able to ask for it.",
                remedy=f"Say the {what} in every caption where it can be seen.",
            )  # fmt: skip
    if unknown:
        yield Finding(
            check="unsaid", severity="note", pictures=(), confidence="not-run", method=UNSAID.method,
            value=f"Not looked for: of most pictures nobody knows the {_joined(unknown)}.",
            remedy="Say what the pictures are, in the room of the pictures; an audit measures the distance of faces.",
        )  # fmt: skip


def _says(entry: Entry, wanted: frozenset[str]) -> bool:
    found = words(entry.text)
    if not wanted.isdisjoint(found):
        return True
    parts = {
        part for word in found if "-" in word or "_" in word for part in word.replace("_", "-").split("-")
    }
    pairs = {f"{a}-{b}" for a, b in pairwise(found)}
    return not wanted.isdisjoint(parts | pairs)


def _joined(what: list[str]) -> str:
    return what[0] if len(what) == 1 else f"{', '.join(what[:-1])} and {what[-1]}"


UNSAID = Check(
    name="unsaid", title="differs, and is not said", judge=_judge,
    method=f"distance (measured by faces, or declared), light and wardrobe (declared) of {LEAST} pictures and more, of two "
    f"kinds with {VARIES:.0%} each; said in less than {SELDOM:.0%} of their captions, by lists of English words (v1)",
    known="Its lists are English and short. Light and clothes are only known where a person has said them.",
)  # fmt: skip
