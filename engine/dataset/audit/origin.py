"""What the files themselves say of where they come from. It is shown as declared: silence proves nothing."""

from collections.abc import Callable, Iterator

from engine.dataset.audit.declared import ORIGIN as MEASURED
from engine.dataset.audit.shapes import Audited, Check, Collection
from engine.dataset.findings import Finding


def _said(one: Audited, name: str) -> str:
    return str(one.value("origin", name) or "")


def _forbidden(one: Audited) -> str:
    """What it says against being trained on; "" where it says nothing."""
    if "PROHIBITED" in (mining := _said(one, "mining")).upper():
        return mining.rsplit("/", 1)[-1]
    return "TDM reservation" if _said(one, "reserved").strip() == "1" else ""


def _made(one: Audited) -> str:
    """The program that made it, or "a trained model"; "" where it does not say that one did."""
    if generator := _said(one, "generator"):
        return generator
    return "a trained model" if "trainedalgorithmic" in _said(one, "source").lower() else ""


def _owner(one: Audited) -> str:
    creator, rights, licence = (_said(one, name) for name in ("creator", "rights", "licence"))
    return " · ".join(dict.fromkeys(filter(None, (creator, rights, licence))))


_KINDS: tuple[tuple[Callable[[Audited], str], str, str], ...] = (
    (
        _forbidden, "forbid training in the file itself ({})",
        "Ask the owner and keep the answer, or leave them out.",
    ),
    (
        _made, "say that a program made them ({})",
        "Leave them out where photographs are meant: they teach what that program draws.",
    ),
    (_owner, "name an owner: {}", "Record who allowed what in rights.toml."),
    (
        lambda one: "C2PA" if one.value("origin", "c2pa") else "", "carry a signed history ({}), which is not read here",
        "Look at it with the tools of contentauthenticity.org, if it matters.",
    ),
)  # fmt: skip


def _judge(collection: Collection) -> Iterator[Finding]:
    declared = [
        one for one in collection.of("subject", "regularization", "holdout") if one.values.get("origin")
    ]
    for read, words, remedy in _KINDS:
        by_word: dict[str, list[str]] = {}
        for one in declared:
            if word := read(one):
                by_word.setdefault(word, []).append(one.name)
        for word, names in sorted(by_word.items(), key=lambda each: (-len(each[1]), each[0])):
            count = f"{len(names)} pictures" if len(names) > 1 else names[0]
            said = words.format(word)
            yield Finding(
                check="origin", severity="note", pictures=tuple(names),
                value=f"{count} {said if len(names) > 1 else _singular(said)}.", number=float(len(names)),
                confidence="declared", method=ORIGIN.method, remedy=remedy,
            )  # fmt: skip


def _singular(words: str) -> str:
    verb, _, rest = words.partition(" ")
    verb = "carries" if verb == "carry" else verb + "s"
    return f"{verb} {rest.replace('made them', 'made it')}"


ORIGIN = Check(
    name="origin", title="origin", measures=(MEASURED,), judge=_judge,
    method="EXIF, XMP (Dublin Core, Creative Commons, PLUS, IPTC, TDM), text chunks of PNG, presence of C2PA (v1)",
    known="Exact about what files declare, as far as they use the usual prefixes. Most declare nothing, and what is "
    "declared may be wrong; no program here looks at pixels to tell made pictures.",
)  # fmt: skip
