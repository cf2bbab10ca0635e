"""What a text points at: a minor, nudity or sex, or both in one word. Pure; the terms are data in wording.toml."""

import importlib.resources
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from projects.folding import Disguises, fold, readings, words


@dataclass(frozen=True)
class Wording:
    """The words of one text that the rule is about, as they read once folded, each list sorted."""

    minor: tuple[str, ...]
    """Words and ages that point at a minor."""
    sexual: tuple[str, ...]
    """Words of nudity and sex."""
    joined: tuple[str, ...]
    """Words that are both at once."""

    @property
    def joins(self) -> bool:
        """The text joins a minor with nudity or sex."""
        return bool(self.joined or (self.minor and self.sexual))


@dataclass(frozen=True)
class _Age:
    """One way to say an age, and the ages that point at a minor."""

    pattern: re.Pattern[str]
    number_first: bool
    number_last: bool
    least: int
    under: int


@dataclass(frozen=True)
class _Rule:
    disguises: Disguises
    exceptions: re.Pattern[str]
    minor: re.Pattern[str]
    sexual: re.Pattern[str]
    joined: re.Pattern[str]
    minor_words: frozenset[str]
    sexual_words: frozenset[str]
    ages: tuple[_Age, ...]
    numbers: Mapping[str, int]
    tens: frozenset[str]
    units: frozenset[str]
    things: frozenset[str]
    persons: re.Pattern[str]

    @property
    def sought(self) -> frozenset[str]:
        return self.minor_words | self.sexual_words


@lru_cache(maxsize=4096)
def wording_of(text: str) -> Wording:
    """What `text` points at, in every way it can be read."""
    rule = _rule()
    minor: set[str] = set()
    sexual: set[str] = set()
    joined: set[str] = set()
    ages: set[str] = set()
    aged_things = True
    for whole in readings(text, rule.disguises, rule.sought):
        reading = rule.exceptions.sub(" , ", whole)
        minor.update(_found(rule.minor, reading))
        sexual.update(_found(rule.sexual, reading))
        joined.update(_found(rule.joined, reading))
        joined.update(_compounds(rule, reading))
        ages.update(_ages(rule, reading))
        aged_things = aged_things and _tells_of_things(rule, whole)
    if sexual or not aged_things:
        minor |= ages
    return Wording(tuple(sorted(minor)), tuple(sorted(sexual)), tuple(sorted(joined)))


def _found(pattern: re.Pattern[str], reading: str) -> Iterator[str]:
    return (found[0] for found in pattern.finditer(reading))


def _compounds(rule: _Rule, reading: str) -> Iterator[str]:
    """Words made of a minor's and a sexual one without a space between them."""
    for word in reading.split():
        for first, second in ((rule.minor_words, rule.sexual_words), (rule.sexual_words, rule.minor_words)):
            if any(
                word[:cut] in first and word[cut:].removesuffix("s") in second
                for cut in range(2, len(word) - 1)
            ):
                yield word


def _ages(rule: _Rule, reading: str) -> Iterator[str]:
    for age in rule.ages:
        for found in age.pattern.finditer(reading):
            before, behind = reading[: found.start()].split()[-2:], reading[found.end() :].split()[:1]
            if age.number_last and behind and behind[0] in rule.units:
                continue
            values = [_value(rule, found["n"])]
            if age.number_first and before:
                if before[-1] in rule.tens:
                    continue
                # 15 to 18 year old: the lower end counts.
                lower = before[0] if before[-1] in ("to", "or", "and") else before[-1]
                values.append(_value(rule, lower))
            if any(age.least <= value <= age.under for value in values):
                yield found[0]


def _value(rule: _Rule, number: str) -> int:
    """A number in digits or words; what is neither is no age."""
    return int(number) if number.isdecimal() else rule.numbers.get(number, 1000)


def _tells_of_things(rule: _Rule, reading: str) -> bool:
    """A text about things that have an age, and about no person."""
    return not rule.persons.search(reading) and any(word in rule.things for word in reading.split())


@lru_cache(maxsize=1)
def _rule() -> _Rule:
    table = tomllib.loads((importlib.resources.files("projects") / "wording.toml").read_text("utf-8"))
    numbers = {word: value for value, word in enumerate(table["numbers"])}
    lookalikes = str.maketrans(table["lookalikes"]["from"], table["lookalikes"]["to"])
    not_ages = table["not_ages"]
    return _Rule(
        disguises=Disguises(swaps=table["swaps"], lookalikes=lookalikes),
        exceptions=_terms(table["exceptions"], plural=False),
        minor=_terms(table["minor"]),
        sexual=_terms(table["sexual"]),
        joined=_terms(table["joined"]),
        minor_words=_single(table["minor"]),
        sexual_words=_single(table["sexual"]),
        ages=tuple(way for entry in table["ages"] for way in _ways_to_say_ages(entry, numbers)),
        numbers=numbers,
        tens=frozenset(table["tens"]),
        units=frozenset(not_ages["units"]),
        things=frozenset(not_ages["things"]),
        persons=_terms(not_ages["persons"]),
    )


def _terms(terms: Iterable[str], *, plural: bool = True) -> re.Pattern[str]:
    """Whole words or phrases of a reading, the longest first."""
    ends = "s?" if plural else ""
    patterns = [
        re.escape(_plain(term)) + (r"[^\W_]*" if term.endswith("*") else ends)
        for term in sorted(terms, key=len, reverse=True)
    ]
    return re.compile(rf"(?<= )(?:{'|'.join(patterns)})(?= )")


def _ways_to_say_ages(entry: Mapping[str, Any], numbers: Iterable[str]) -> Iterator[_Age]:
    number = rf"(?P<n>[0-9]{{1,4}}|{'|'.join(numbers)})"
    for phrase in entry["phrases"]:
        parts = phrase.split()
        pattern = " ".join(number if part == "N" else re.escape(part) for part in parts)
        yield _Age(
            pattern=re.compile(rf"(?<= ){pattern}(?= )"),
            number_first=parts[0] == "N",
            number_last=parts[-1] == "N",
            least=entry.get("least", 0),
            under=entry["under"],
        )


def _single(terms: Iterable[str]) -> frozenset[str]:
    return frozenset(plain for term in terms if not term.endswith("*") and " " not in (plain := _plain(term)))


def _plain(term: str) -> str:
    return words(fold(term.removesuffix("*"))).strip()
