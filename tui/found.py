"""What fields of the form come to where the project says nothing: steps by rule, pictures by sets, a family read."""

from collections.abc import Mapping
from typing import Final

from projects.plan import LEAST_STEPS, STEPS_A_PICTURE, Plan, slots_a_step
from projects.spec import Role, RunSpec, data_sets

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
