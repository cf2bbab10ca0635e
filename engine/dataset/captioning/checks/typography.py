"""Quotes, spaces and commas that a keyboard does not type, or types by accident."""

import re
from collections.abc import Callable, Iterator, Mapping

from engine.dataset.captioning.checks.shapes import Check, Collection, Fix
from engine.dataset.captioning.tidying import StraightQuotes, TidyCommas
from engine.dataset.findings import Finding

_QUOTES = re.compile("[\u2018-\u201f\u2032\u2033\u00ab\u00bb\u2026]")
_SPACES = re.compile("[\u00a0\u2000-\u200b\u202f\u2060\u3000\ufeff\u00ad]")


def _trailing(text: str) -> bool:
    return text.rstrip().endswith(",")


def _nothing_between(text: str) -> bool:
    parts = text.replace("\n", ",").split(",")
    return any(not part.strip() for part in parts[:-1])


_LOOKED_FOR: Mapping[str, tuple[Callable[[str], object], str, str]] = {
    "quotes": (_QUOTES.search, "typographic quotes or dots", "Straighten them: prompts are typed with ' and \"."),
    "spaces": (
        _SPACES.search, "spaces that cannot be seen", "Replace them: no tokenizer sees a space there.",
    ),
    "trailing comma": (_trailing, "a comma at the end", "Remove it: it is trained, and no prompt ends in one."),
    "empty phrase": (_nothing_between, "a comma with nothing before it", "Remove it."),
}  # fmt: skip


def _judge(collection: Collection) -> Iterator[Finding]:
    for about, (test, what, remedy) in _LOOKED_FOR.items():
        held = tuple(dict.fromkeys(entry.picture for entry in collection.told if test(entry.text)))
        if held:
            count = "1 caption has" if len(held) == 1 else f"{len(held)} captions have"
            yield Finding(
                check="typography", severity="warning", pictures=held, about=about, value=f"{count} {what}.",
                number=float(len(held)), confidence="exact", method=TYPOGRAPHY.method, remedy=remedy,
            )  # fmt: skip


def _fix(collection: Collection, finding: Finding) -> Fix | None:
    return StraightQuotes() if finding.about in ("quotes", "spaces") else TidyCommas()


TYPOGRAPHY = Check(
    name="typography", title="typography", judge=_judge, fix=_fix,
    method="typographic quotes and ellipses, spaces other than the usual one, commas without a phrase",
    known="Exact; in other languages such quotes can be right, and then the check is to be ignored with that reason.",
)  # fmt: skip
