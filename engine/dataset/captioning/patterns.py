"""Regular expressions that people type: said where they are wrong, and stopped where they never end."""

import math
from typing import Any, Final

import regex

from projects.problems import Refused, refuse

ONE_SECONDS: Final = 0.25
"""How long one caption may take. An ordinary pattern takes a few microseconds."""
LONGEST: Final = 1_000
"""Letters of a pattern."""
_MOST_REPEATED: Final = 10_000
"""Product of the counts in braces: compiling takes as long as that says."""
_BRACES: Final = regex.compile(r"\{(\d*)(?:,(\d*))?\}")


class Pattern:
    """A pattern and what stands in its place, compiled. Raises Refused (usage) where either is none, with the column."""

    def __init__(self, pattern: str, new: str, *, match_case: bool) -> None:
        counts = [
            max(int(each or 1) for each in (low, high or "1"))
            for low, high in _BRACES.findall(pattern[:LONGEST])
        ]
        if len(pattern) > LONGEST or math.prod(max(1, count) for count in counts) > _MOST_REPEATED:
            raise refuse(
                "The pattern is too large.", hint="Make it shorter, or repeat fewer times.", usage=True
            )
        if not pattern:
            raise refuse("The pattern is empty.", hint="Say what is to be found.", usage=True)
        self._new = new
        try:
            self._compiled = regex.compile(pattern, 0 if match_case else regex.IGNORECASE)
        except regex.error as error:
            raise _refusal("pattern", error) from None
        except (RecursionError, OverflowError, MemoryError):
            raise refuse("The pattern is too large.", hint="Make it shorter.", usage=True) from None
        self._check(new)

    def replaced(self, text: str) -> str:
        """The text with what is found replaced. Raises Refused where that does not come to its end."""
        try:
            # The interface goes on while it looks.
            return str(self._compiled.sub(self._new, text, timeout=ONE_SECONDS, concurrent=True))
        except TimeoutError:
            hint = "Parts that repeat within parts that repeat, as (a+)+, take forever: say it without."
            raise refuse(
                f"The pattern does not come to its end within {ONE_SECONDS:g} s.", hint=hint, usage=True
            ) from None

    def _check(self, new: str) -> None:
        """Groups that are not there would else be told at the first hit only."""
        names = {number: name for name, number in self._compiled.groupindex.items()}
        groups = "".join(
            f"(?P<{names[number]}>)" if number in names else "()"
            for number in range(1, self._compiled.groups + 1)
        )
        try:
            regex.compile(groups).sub(new, "")
        except regex.error as error:
            raise _refusal("replacement", error) from None
        except IndexError:
            hint = f"The pattern has {self._compiled.groups} groups."
            raise refuse("The replacement names a group that is not there.", hint=hint, usage=True) from None


def _refusal(what: str, error: Any) -> Refused:
    at = f" at column {error.colno}" if error.pos is not None else ""
    hint = "A backslash before . ( ) [ ] { } * + ? ^ $ | makes it the letter itself."
    message = str(error.msg).partition(" at position")[0]
    return refuse(f"The {what} is none{at}: {message}.", hint=hint, usage=True)
