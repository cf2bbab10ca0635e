"""The filter language of the lists of pictures and captions: `sharp<100 and not finding:watermark "red coat"`. Pure.

Bare words and quoted phrases are looked for in names and texts, whatever their case. FIELD:VALUE asks a field that holds
words, FIELD<NUMBER (<= > >= = !=) one that holds a number; is:WORD what a person has done about it. not, and, or and
parentheses as usual; what stands side by side must all hold.
"""

import difflib
import operator
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from projects.problems import Refused, refuse

Row = Mapping[str, object]
"""A picture by the names of the fields. What it lacks is unknown: no comparison holds of it."""
Test = Callable[[Row], bool]

NUMBERS: Final = ("width", "height", "short", "long", "sharp", "faces", "tokens")
"""Fields with a number. short and long follow from width and height."""
WORDS: Final[Mapping[str, Sequence[str]]] = {
    "severity": ("blocker", "warning", "note"),
    "is": ("left-out", "ignored", "moved", "declared", "draft", "open", "empty"),
    "role": ("subject", "regularization", "holdout"),
}
"""Fields with one of these words, or a list of them: another word is a mistake."""
CLOSED: Final = ("finding", "kind", "distance", *WORDS)
"""Fields with one of a few words, or a list of them: FIELD:VALUE asks for the whole word."""
OPEN: Final = ("name", "text", "set", "light", "wardrobe")
"""Fields with anybody's words, or a list of them: FIELD:VALUE asks for a part of them, FIELD=VALUE for all of them."""
FIELDS: Final = (*NUMBERS, *CLOSED, *OPEN)
DEEPEST: Final = 50
"""Parentheses within each other."""

_COMPARED: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, ":": operator.eq,
    "!=": operator.ne,
}  # fmt: skip
_TOKEN: Final = re.compile(
    r'\s*(?:(?P<mark>[()])|(?P<operator><=|>=|!=|[<>=:])|"(?P<phrase>[^"]*)"|(?P<word>(?:(?!!=)[^\s()"<>=:])+)|(?P<bad>\S))'
)
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class Filter:
    """What `parse` made of a text."""

    text: str
    """As it was written."""
    test: Test

    def matches(self, row: Row) -> bool:
        """Whether the picture is meant. Of an empty filter every picture is."""
        return self.test(row)


def parse(text: str) -> Filter:
    """The filter that `text` means. Raises Refused (usage) with the column of the first mistake."""
    return Filter(text, _Parser(text).whole())


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int

    def is_word(self, word: str) -> bool:
        return self.kind == "word" and self.text.lower() == word

    def is_mark(self, mark: str) -> bool:
        return self.kind == "mark" and self.text == mark


class _Parser:
    """One way down the grammar: or, and, not, parentheses, terms."""

    def __init__(self, text: str) -> None:
        self._tokens = [
            _Token(str(found.lastgroup), found[str(found.lastgroup)], found.start(str(found.lastgroup)))
            for found in _TOKEN.finditer(text)
        ]
        self._end = _Token("end", "", len(text))
        self._next = 0
        self._depth = 0

    def whole(self) -> Test:
        if not self._tokens:
            return lambda row: True
        test = self._either()
        if self._peek().kind != "end":  # Only a parenthesis can be left over.
            raise _mistake("This parenthesis was never opened.", self._peek(), "Take it out.")
        return test

    def _peek(self, ahead: int = 0) -> _Token:
        index = self._next + ahead
        return self._tokens[index] if index < len(self._tokens) else self._end

    def _take(self) -> _Token:
        token = self._peek()
        self._next += 1
        return token

    def _either(self) -> Test:
        tests = [self._all()]
        while self._peek().is_word("or"):
            self._take()
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while not (token := self._peek()).is_word("or") and token.kind != "end" and not token.is_mark(")"):
            if token.is_word("and"):
                self._take()
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        turned = False
        while self._peek().is_word("not"):
            self._take()
            turned = not turned
        test = self._inside() if self._peek().is_mark("(") else self._term()
        return (lambda row: not test(row)) if turned else test

    def _inside(self) -> Test:
        opened = self._take()
        self._depth += 1
        if self._depth > DEEPEST:
            raise _mistake(
                f"More than {DEEPEST} parentheses stand within each other.", opened, "Take some out."
            )
        test = self._either()
        if self._peek().kind == "end":
            raise _mistake("This parenthesis is never closed.", opened, "Close it with ).")
        self._take()
        self._depth -= 1
        return test

    def _term(self) -> Test:
        token = self._take()
        if token.kind == "word" and self._peek().kind == "operator":
            return self._field(token)
        if token.kind == "phrase" or (
            token.kind == "word" and not any(map(token.is_word, ("and", "or", "not")))
        ):
            return _holding(token.text)
        if token.kind == "bad":
            raise _mistake("This quotation mark is never closed.", token, 'Close it with another ".')
        if token.kind == "end":
            raise _mistake("Something is missing at the end.", token, "Write what is looked for.")
        raise _mistake(
            f"A word or a field must stand before {token.text}.",
            token,
            f'To look for it write "{token.text}".',
        )

    def _field(self, field: _Token) -> Test:
        name, sign, value = field.text.lower(), self._take(), self._take()
        if name not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS, n=1, cutoff=0.6)
            known = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(FIELDS)}."
            raise _mistake(f"{field.text} is no field.", field, known)
        if value.kind not in ("word", "phrase"):
            raise _mistake(
                f"After {field.text}{sign.text} a value is missing.", sign, _EXAMPLES[name in NUMBERS]
            )
        if name in NUMBERS:
            if not _NUMBER.fullmatch(value.text):
                raise _mistake(f'"{value.text}" is no number.', value, _EXAMPLES[True])
            return _comparing(name, _COMPARED[sign.text], float(value.text))
        if sign.text not in (":", "=", "!="):
            raise _mistake(f"{field.text} holds words, not numbers.", sign, _EXAMPLES[False])
        words = WORDS.get(name)
        if words and value.text and value.text.lower() not in words:
            near = difflib.get_close_matches(value.text.lower(), words, n=1, cutoff=0.6)
            hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(words)}."
            raise _mistake(f"{name}:{value.text} means nothing.", value, hint)
        equal = _asking(name, value.text, whole=name in CLOSED or sign.text != ":")
        return (lambda row: not equal(row)) if sign.text == "!=" else equal


_EXAMPLES: Final = {True: "Write it as sharp<100 or width>=1024.", False: "Write it as finding:watermark."}


def _comparing(name: str, compare: Callable[[float, float], bool], wanted: float) -> Test:
    def test(row: Row) -> bool:
        number = _number(row, name)
        return number is not None and compare(number, wanted)

    return test


def _number(row: Row, name: str) -> float | None:
    if name in ("short", "long"):
        sides = (row.get("width"), row.get("height"))
        numbers = [side for side in sides if isinstance(side, int | float)]
        return None if len(numbers) < 2 else float((min if name == "short" else max)(numbers))
    value = row.get(name)
    return float(value) if isinstance(value, int | float) else None


def _holding(phrase: str) -> Test:
    wanted = _folded(phrase)

    def test(row: Row) -> bool:
        # Asked of every row at every letter: two loops take half the time of what stands in one line.
        for name in ("name", "text"):
            for each in _words(row, name):
                if wanted in _folded(each):
                    return True
        return False

    return test


def _asking(name: str, value: str, *, whole: bool) -> Test:
    wanted = _folded(value)
    if whole:
        return lambda row: any(wanted == _folded(each) for each in _words(row, name) or [""])
    return lambda row: any(wanted in _folded(each) for each in _words(row, name))


def _words(row: Row, name: str) -> list[str]:
    value = row.get(name)
    if isinstance(value, str):
        return [value]
    return [str(each) for each in value] if isinstance(value, list | tuple) else []


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()


def _mistake(error: str, token: _Token, hint: str) -> Refused:
    return refuse(error, where=f"filter, column {token.at + 1}", hint=hint, usage=True)
