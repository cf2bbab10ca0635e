"""What is wrong, where, and the next step: the one shape in which Safelight refuses something."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NAMED: Final = 5
"""Names that a sentence gives; the others are counted."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that stands in the way, in one or two sentences a person can act on."""

    error: str
    """What is wrong, as a sentence."""
    where: str = ""
    """The file and key, e.g. `project.toml: train.learning_rate (line 12)`."""
    hint: str = ""
    """The next step."""
    files: Sequence[str] = ()
    """Every picture or file that it is about, where there may be more than the sentence names."""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.error) if part) + (
            f" {self.hint}" if self.hint else ""
        )

    def table(self) -> dict[str, object]:
        """What scripts get: error, where and hint, and all files where there are any."""
        told: dict[str, object] = {"error": self.error, "where": self.where, "hint": self.hint}
        return {**told, "files": list(self.files)} if self.files else told


class Refused(Exception):
    """Raised where the fault is, with ALL problems found there; caught once at each program's edge."""

    def __init__(self, problems: Problem | Sequence[Problem], *, usage: bool = False) -> None:
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        self.usage = usage
        """True for arguments and specification (exit code 2), False for everything else (exit code 1)."""
        super().__init__("\n".join(str(problem) for problem in self.problems))


def listed(names: Sequence[str]) -> str:
    """Names for a sentence: the first `NAMED` and how many more. What is not printable is shown as its code."""
    words = ["".join(c if c.isprintable() else ascii(c)[1:-1] for c in name) for name in names[:NAMED]]
    more = len(names) - len(words)
    return ", ".join(words) + (f" and {more:,} more" if more > 0 else "")


def refuse(error: str, *, where: object = "", hint: str = "", usage: bool = False) -> Refused:
    """A `Refused` of one problem, for `raise refuse(...)`."""
    return Refused(Problem(error=error, where=str(where), hint=hint), usage=usage)
