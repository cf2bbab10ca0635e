"""review.json, read for the screens: format 2, which is written again and again while a review goes on, and format 1.

No file makes this raise: what is missing is empty, and what cannot be used is counted and named. A person's own verdicts
are other files.
"""

import json
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast, get_args

from projects.job import JobDir
from tui.reviewed import (
    MEASURES,
    Case,
    Cell,
    Figures,
    Interval,
    Judge,
    Made,
    Nearest,
    Recommended,
    Review,
    Sheet,
    Step,
    Test,
    Verdict,
)  # fmt: skip

FORMAT: Final = 2
_SHEETS: Final[Mapping[str, str]] = {
    "sweep": "weight sweep", "isolation": "without the trigger", "before_after": "before and after",
    "before-after": "before and after",
}  # fmt: skip
_MEANING: Final[Mapping[str, str]] = {
    "sweep": "0 would be: it does nothing.",
    "isolation": "0 would be: nothing leaks.",
}
_AGAIN: Final = "R draws the review again."


def exported(run: JobDir) -> Sequence[str]:
    """Names of the exported files of a run, as its export.json lists them; none where there is none, or it is damaged."""
    try:
        record = json.loads((run.export / "export.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return ()
    told = record.get("files") if isinstance(record, dict) else None
    files = told if isinstance(told, list) else []
    return [Path(str(file["path"])).name for file in files if isinstance(file, dict) and "path" in file]


def read_review(run: JobDir, project: Path) -> Review | None:
    """The review, None where there is none. Never raises: what is damaged is named in `error`."""
    file = run.review / "review.json"
    try:
        record = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        return Review(error=f"{file} cannot be read. {_AGAIN}")
    if not isinstance(record, dict):
        return Review(error=f"{file} is no review. {_AGAIN}")
    return _Reader(record, project).review()


class _Reader:
    """One review.json, and how much of it is no use."""

    def __init__(self, record: Mapping[str, Any], project: Path) -> None:
        self._record, self._project = record, project
        self._damaged: Counter[str] = Counter()
        self._checkpoint = _whole(record.get("checkpoint"))
        self._old = (_whole(record.get("format")) or 1) < FORMAT

    def review(self) -> Review:
        """All that can be read."""
        record = self._record
        more, settings = _table(record.get("more")), _table(record.get("settings"))
        weights = settings.get("weights")
        return Review(
            checkpoint=self._checkpoint,
            whole=record.get("whole") is not False,
            depth="refined" if record.get("depth") == "refined" else "coarse",
            case=cast("Case", _one_of(record.get("case"), get_args(Case))),
            words=_text(record.get("words")),
            recommended=self._recommended(_table(record.get("recommended"))),
            tests=[self._test(told) for told in self._tables("tests")],
            weights=[
                self._figures(told, _number(told.get("weight")), MEASURES) for told in self._tables("weights")
            ],
            checkpoints=[
                self._figures(told, None, ("loss", "loss_holdout", *MEASURES[:2], "leak", "gap"))
                for told in self._tables("checkpoints")
            ],
            judges=[
                Judge(measure=_text(told.get("measure")), name=_text(told.get("name")), trust=_text(told.get("trust")))
                for told in self._tables("judges")
            ],
            more=_text(more.get("words")),
            more_pictures=_whole(more.get("pictures")) or 0,
            planned=[
                weight
                for each in (weights if isinstance(weights, list) else [])
                if (weight := _number(each)) is not None
            ],
            settings=settings,
            sheets=self._sheets(),
            pictures=[made for told in self._tables("pictures") if (made := self._made(told))],
            error=self._error(),
        )  # fmt: skip

    def _error(self) -> str:
        """Asked last, once everything was looked at."""
        version = _whole(self._record.get("format"))
        if version is not None and version > FORMAT:
            return f"A newer Safelight wrote this review (format {version}): what this one does not know is missing."
        if not self._damaged:
            return ""
        parts = [f"{count} of its {name}" for name, count in sorted(self._damaged.items())]
        return f"review.json is damaged: {', '.join(parts)} cannot be read. {_AGAIN}"

    def _tables(self, key: str) -> Sequence[Mapping[str, Any]]:
        told = self._record.get(key)
        if not isinstance(told, list):
            self._spoilt(key, told is not None)
            return []
        good = [each for each in told if isinstance(each, dict)]
        self._spoilt(key, len(told) - len(good))
        return good

    def _spoilt(self, key: str, count: int = 1) -> None:
        if count:
            self._damaged[key] += count

    def _sheets(self) -> list[Sheet]:
        told = self._record.get("sheets")
        paths = [self._path(each) for each in told] if isinstance(told, list) else []
        self._spoilt("sheets", paths.count(None))
        return [Sheet(path, _SHEETS.get(path.stem, path.stem)) for path in paths if path is not None]

    def _path(self, told: object) -> Path | None:
        """What no file can be called is no path."""
        if not isinstance(told, str) or not told or "\0" in told:
            return None
        try:
            os.fsencode(told)
        except UnicodeEncodeError:
            return None
        return self._project / told

    def _recommended(self, told: Mapping[str, Any]) -> Recommended | None:
        weight = _number(told.get("weight"))
        if weight is None:
            return None
        return Recommended(
            weight=weight,
            checkpoint=_whole(told.get("checkpoint")),
            certain=told.get("certain") is True,
            words=_text(told.get("words")),
        )

    def _test(self, told: Mapping[str, Any]) -> Test:
        words, unit = _text(told.get("words")), _text(told.get("unit"))
        name, figure = _text(told.get("test")), _interval(told)
        if not words and self._old:
            words, unit = _first_words(name, figure, _number(told.get("weight")))
        steps, ids = told.get("steps"), told.get("pictures")
        return Test(
            name=name,
            verdict=cast("Verdict", _one_of(told.get("verdict"), get_args(Verdict))),
            figure=figure,
            unit=unit,
            threshold=_number(told.get("threshold")),
            words=words,
            advice=_text(told.get("advice")),
            steps=self._steps(steps if isinstance(steps, list) else []),
            pictures=[each for each in (ids if isinstance(ids, list) else []) if isinstance(each, str)],
        )

    def _steps(self, told: Sequence[object]) -> list[Step]:
        found = []
        for each in told[:2]:
            step = _table(each)
            values = _table(step.get("set"))
            if _text(step.get("words")) and all(_settable(value) for value in values.values()):
                found.append(Step(words=_text(step.get("words")), set=values))
            else:
                self._spoilt("steps")
        return found

    def _figures(self, told: Mapping[str, Any], weight: float | None, names: Sequence[str]) -> Figures:
        """Of a measure a table with its interval, or of a loss the number alone."""
        found: dict[str, Interval] = {}
        for name in names:
            said = told.get(name)
            if isinstance(said, dict):
                found[name] = _interval(said)
            elif (value := _number(said)) is not None:
                found[name] = Interval(value=value)
        return Figures(checkpoint=_whole(told.get("checkpoint")), weight=weight, measures=found)

    def _made(self, told: Mapping[str, Any]) -> Made | None:
        path, weight = self._path(told.get("path")), told.get("weight")
        at = 0.0 if weight is None else _number(weight)
        if path is None or at is None:
            self._spoilt("pictures")
            return None
        checkpoint = _whole(told.get("checkpoint"))
        if at and checkpoint is None:
            checkpoint = self._checkpoint  # Format 1 knows one only.
        tests = told.get("tests", told.get("sheets"))
        taken = _table(told.get("measures"))
        seed = told.get("seed")
        return Made(
            id=_text(told.get("id")) or _text(told.get("path")),
            path=path,
            tests=[each for each in tests if isinstance(each, str)] if isinstance(tests, list) else [],
            group=_text(told.get("group")),
            cell=Cell(
                checkpoint=checkpoint if at else None,
                weight=at,
                prompt=_text(told.get("prompt")),
                seed=seed if type(seed) is int else None,
            ),
            measures={name: value for name in MEASURES if (value := _number(taken.get(name))) is not None},
            nearest=self._nearest(_table(told.get("nearest"))),
        )

    def _nearest(self, told: Mapping[str, Any]) -> Nearest | None:
        path = self._path(told.get("picture"))
        if path is None:
            return None
        kind = _text(told.get("kind")) or "none"
        distance = _number(told.get("distance"))
        return Nearest(path=path, name=_text(told.get("picture")), distance=distance, kind=kind)


def _first_words(name: str, figure: Interval, weight: float | None) -> tuple[str, str]:
    """Words and unit of a test of format 1, which measured grey levels and judged nothing."""
    if figure.value is None:
        return "Nothing judged it: look.", ""
    at = f"At weight {weight:g} a" if weight is not None else "A"
    words = f"{at} pixel differs from the base's by {figure.value:.3g} of 255 grey levels."
    parts = (words, _MEANING.get(name, ""), "Nothing judged it: look.")
    return " ".join(filter(None, parts)), "of 255 grey levels"


def _interval(told: Mapping[str, Any]) -> Interval:
    value, low, high = (_number(told.get(name)) for name in ("value", "low", "high"))
    return Interval(value=value, low=low, high=high, n=_whole(told.get("n")))


def _number(told: object) -> float | None:
    """A finite number; True is none."""
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    try:
        value = float(told)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def _whole(told: object) -> int | None:
    return told if type(told) is int else None


def _text(told: object) -> str:
    return told if isinstance(told, str) else ""


def _table(told: object) -> Mapping[str, Any]:
    return told if isinstance(told, dict) else {}


def _settable(told: object, *, within: bool = False) -> bool:
    """Whether a key of project.toml can have that value: a number, a text, or a list of such; None takes it out."""
    if isinstance(told, list) and not within:
        return all(_settable(each, within=True) for each in told)
    return isinstance(told, str | bool) or _number(told) is not None or (told is None and not within)


def _one_of(told: object, known: Sequence[str]) -> str:
    """What a later Safelight may say instead is unknown here."""
    return told if isinstance(told, str) and told in known else "unknown"
