"""Every check of captions, in the order in which people see them. To add one: its file beside this, and its line here."""

from collections.abc import Iterator, Mapping

from engine.dataset.captioning.checks import (
    alphabet,
    common,
    files,
    length,
    sameness,
    style,
    trigger,
    typography,
    unsaid,
)
from engine.dataset.captioning.checks.shapes import Check, Collection, Fix
from engine.dataset.findings import Finding

CHECKS: tuple[Check, ...] = (
    files.MISSING,
    files.EMPTY,
    files.ENCODING,
    files.PLACEHOLDER,
    files.ORPHAN,
    trigger.MISSING,
    trigger.POSITION,
    trigger.TWICE,
    trigger.WORD,
    length.TOO_LONG,
    length.TOO_SHORT,
    sameness.IDENTICAL,
    common.UBIQUITOUS,
    common.COMPANION,
    unsaid.UNSAID,
    style.STYLE,
    alphabet.ALPHABET,
    typography.TYPOGRAPHY,
)
_BY_NAME = {check.name: check for check in CHECKS}


def judged(collection: Collection, ignored: Mapping[str, str]) -> Iterator[Finding]:
    """What every check has to say, as the project wants it. One that fails says that, and never looks like a pass."""
    for check in CHECKS:
        try:
            found = list(check.judge(collection))
        except Exception as error:
            found = [
                Finding(
                    check=check.name, severity="note", pictures=(), confidence="not-run", method=check.method,
                    value=f"Could not be judged: {check.title} ({type(error).__name__}: {error}).",
                    remedy="This is a fault of Safelight: tell its developers.",
                )
            ]  # fmt: skip
        yield from (finding.told(ignored) for finding in found)


def titles() -> dict[str, str]:
    """Check -> what people call it."""
    return {check.name: check.title for check in CHECKS}


def fix_of(collection: Collection, finding: Finding) -> Fix | None:
    """What one key does about a finding, to the captions of its pictures; None where a person has to write."""
    check = _BY_NAME.get(finding.check)
    if check is None or check.fix is None or finding.confidence == "not-run" or not finding.pictures:
        return None
    return check.fix(collection, finding)
