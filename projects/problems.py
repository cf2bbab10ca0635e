"""What is wrong, where, and the next step: the one shape in which Safelight refuses something."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that stands in the way, in one or two sentences a person can act on."""

    error: str
    """What is wrong, as a sentence."""
    where: str = ""
    """The file and key, e.g. `project.toml: train.learning_rate (line 12)`."""
    hint: str = ""
    """The next step."""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.error) if part) + (
            f" {self.hint}" if self.hint else ""
        )


class Refused(Exception):
    """Raised where the fault is, with ALL problems found there; caught once at each program's edge."""

    def __init__(self, problems: Problem | Sequence[Problem], *, usage: bool = False) -> None:
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        self.usage = usage
        """True for arguments and specification (exit code 2), False for everything else (exit code 1)."""
        super().__init__("\n".join(str(problem) for problem in self.problems))


def refuse(error: str, *, where: object = "", hint: str = "", usage: bool = False) -> Refused:
    """A `Refused` of one problem, for `raise refuse(...)`."""
    return Refused(Problem(error=error, where=str(where), hint=hint), usage=usage)
