"""Which case a run is, from all tests together, and what to use of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.review import broken, echo, isolation, muddle, sweep
from engine.review.evidence import Evidence
from engine.review.record import Case, Test, TestName
from engine.review.sweep import Recommended

_CASES: Final[Mapping[TestName, Case]] = {
    "broken": "broken", "echo": "echo", "isolation": "leaking", "muddle": "muddled",
}  # fmt: skip
"""In this order: what is broken obeys no test any more, and what echoes leaks too."""
_ESSENTIAL: Final[Sequence[TestName]] = ("broken", "isolation")
"""Without which nobody can call a run good."""
_UNTESTED: Final[Mapping[TestName, str]] = {
    "echo": "whether it copies was not tested", "muddle": "whether it holds one look was not tested",
}  # fmt: skip
_WORDS: Final[Mapping[Case, str]] = {
    "good": "It does what the trigger asks, keeps its prompts, and little comes without the trigger.",
    "leaking": "It acts where nobody asked: the look comes without the trigger.",
    "echo": "It knows its training pictures by heart.",
    "broken": "It no longer keeps its prompts: the rate was too high.",
    "muddled": "It holds two looks at once.",
    "unknown": "There is too little to say what it is: see the tests.",
}


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a review comes to."""

    case: Case
    words: str
    recommended: Recommended | None
    """None where nothing can be recommended."""
    tests: Sequence[Test]
    evidence: Evidence
    likes: str
    """What measured likeness."""
    trust: str
    """How far that can be trusted."""
    reads: str
    """What measured how prompts are kept."""
    checkpoints: Sequence[Mapping[str, Any]]
    """What is known of each, as review.json has it."""


def judged(
    evidence: Evidence,
    rate: float,
    *,
    likes: str,
    trust: str,
    reads: str,
    checkpoints: Sequence[Mapping[str, Any]],
) -> Judged:
    """All verdicts. rate: the run's learning rate; the rest is passed on."""
    recommended = sweep.recommend(evidence)
    tests = (
        sweep.judge(evidence, recommended), isolation.judge(evidence, rate), echo.judge(evidence, rate),
        muddle.judge(evidence), broken.judge(evidence, rate),
    )  # fmt: skip
    case = case_of(tests)
    return Judged(
        case=case, words=_words(case, tests), recommended=recommended, tests=tests, evidence=evidence, likes=likes,
        trust=trust, reads=reads, checkpoints=checkpoints,
    )  # fmt: skip


def _words(case: Case, tests: Sequence[Test]) -> str:
    """The case in a sentence, and what of it is open."""
    if case != "good":
        return _WORDS[case]
    verdicts = {test.test: test.verdict for test in tests}
    suspect = [test.test for test in tests if test.verdict == "suspect" and test.test != "sweep"]
    open_ones = [words for name, words in _UNTESTED.items() if verdicts.get(name) == "unknown"]
    open_ones += (
        [f"{' and '.join(suspect)} {'is' if len(suspect) == 1 else 'are'} suspect"] if suspect else []
    )
    return f"{_WORDS[case]} But {'; '.join(open_ones)}." if open_ones else _WORDS[case]


def case_of(tests: Sequence[Test]) -> Case:
    """The first bad test's case; good where none is, and unknown where too little is known, or no weight is fit for use."""
    verdicts = {test.test: test.verdict for test in tests}
    for name, case in _CASES.items():
        if verdicts.get(name) == "bad":
            return case
    if verdicts.get("sweep") == "bad" or any(verdicts.get(name) == "unknown" for name in _ESSENTIAL):
        return "unknown"
    return "good"
