"""What fields of the form come to where the project says nothing: steps by rule, pictures by sets, a family read."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from projects.plan import LEAST_STEPS, STEPS_A_PICTURE, Plan, slots_a_step
from projects.spec import Base, Role, RunSpec, data_sets

TRIGGER: Final = "trigger"
"""The one field of which something is found that stands beside what the project says."""
_ROLES: Final[Mapping[str, Role]] = {
    "data.images": "subject",
    "data.regularization": "regularization",
    "data.holdout": "holdout",
}


def found_values(spec: RunSpec, plan: Plan | None) -> dict[str, str]:
    """Key -> words that say the value and where it comes from; keys of which nothing is known are left out.

    spec: resolved, with train.steps filled.
    """
    alpha = spec.adapter.alpha
    found = {"adapter.alpha": f"{alpha:g}  = rank" if alpha == spec.adapter.rank else ""}
    if spec.base.family:
        found["base.family"] = f"{spec.base.family}  read from the base"
    if not spec.sample.prompts:
        found["sample.prompts"] = "the captions of the first three pictures"
    if plan is not None:
        found["train.steps"] = f"{plan.steps:,}  {_rule(spec, plan)}"
    if not spec.data.sets:
        found |= {key: "none" for key, role in _ROLES.items() if role != "subject"}
    else:
        found |= {key: _pictures(spec, plan, role) for key, role in _ROLES.items()}
    return {key: words for key, words in found.items() if words}


def trigger_words(project: Path, base: Base, trigger: str, should_stop: Callable[[], bool]) -> str:
    """What the base makes of a trigger: "5 tokens, not a word"; "" where its vocabulary is not there. Half a second.

    In a process that is gone afterwards: a vocabulary takes more memory than a room has.
    """
    from engine.dataset.captioning.counting import Counting
    from engine.dataset.captioning.trigger_word import worst

    if not trigger or not base.source:
        return ""
    key = (None if base.source == "demo" else project, base, trigger)
    if key not in _judged:
        counting = Counting(project, base, should_stop=should_stop)
        try:
            told = worst(counting.trigger(trigger)[0])
        finally:
            counting.close()
        if told is None:
            return ""
        _judged[key] = told.brief
    return _judged[key]


_judged: Final[dict[tuple[Path | None, Base, str], str]] = {}
"""What was found out about the triggers that were typed; a handful."""


def _rule(spec: RunSpec, plan: Plan) -> str:
    subject, slots = plan.counts.get("subject", 0), slots_a_step(spec)
    rule = f"max({LEAST_STEPS:,}, {STEPS_A_PICTURE} x {subject} pictures)"
    return f"= {rule}" + (f" / {slots}" if slots > 1 else "")


def _pictures(spec: RunSpec, plan: Plan | None, role: Role) -> str:
    sets = [one.path for one in data_sets(spec.data) if one.role == role]
    if not sets:
        return "none in data.sets"
    many = f"{plan.counts.get(role, 0)} in " if plan else ""
    return f"{many}{', '.join(sets)}  (data.sets)"
