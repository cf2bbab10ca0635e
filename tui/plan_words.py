"""The plan beside the form, in lines of spans: numbers first, then what stands in the way and what is worth knowing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from projects.problems import Problem
from tui.form import key_of
from tui.measured_words import measured_rows
from tui.spans import Spans, wrapped

if TYPE_CHECKING:
    from projects.plan import Plan


def plan_lines(
    plan: "Plan | None", free_bytes: int | None, parts: tuple[int, int] | None, width: int
) -> list[Spans]:
    """The numbers of a run. parts: how many pictures are checked of how many, while that goes on."""
    lines: list[Spans] = [[("PLAN", "muted")]]
    if parts is not None:
        lines.append(
            [(f"checking pictures, {parts[0]} of {parts[1]}" if parts[1] else "checking …", "muted")]
        )
    if plan is None:
        return lines if parts is not None else [*lines, [("-", "muted")]]
    rows = [("steps", f"{plan.steps:,}", f"{plan.epochs:,.1f} epochs")]
    rows.append(("seen", f"{plan.seen_subject:,.0f} times", "each picture of the subject"))
    if plan.seen_regularization:
        rows.append(("", f"{plan.seen_regularization:,.0f} times", "each regularization picture"))
    rows += measured_rows(plan)
    kept = f"{len(plan.checkpoints)} checkpoint{'s' * (len(plan.checkpoints) != 1)} kept"
    if plan.disk_bytes is not None:
        free = f", {_size(free_bytes)} free" if free_bytes is not None else ""
        rows.append(("disk", _size(plan.disk_bytes), kept + free))
    else:
        rows.append(("disk", "", kept))
    return [
        *lines,
        *(
            [(f"{name:<8}", "muted"), (f"{value:>12}  ", "text"), (note, "muted")]
            for name, value, note in rows
        ),
    ]


def problem_lines(problems: Sequence[Problem], notes: Sequence[str], width: int) -> list[Spans]:
    """What stands in the way, then what is worth knowing; or that nothing does."""
    lines: list[Spans] = [[("BEFORE YOU START", "muted")]]
    for problem in problems:
        where = key_of(problem) or problem.where.removeprefix("project.toml: ")
        words = f"{where}: {problem.error}" if where else problem.error
        lines += _paragraph("!", "bad", words, "text", width)
        if problem.hint:
            lines += _paragraph(" ", "text", problem.hint, "muted", width)
    if not problems:
        lines.append([("✓ ", "good"), ("nothing stands in the way", "text")])
    for note in notes:
        lines += _paragraph("·", "muted", note, "muted", width)
    return lines


def summary(plan: "Plan | None", problems: Sequence[Problem], checked: bool) -> Spans:
    """The same on one line, for a terminal without room for it."""
    if problems:
        many = f"{len(problems)} problem{'s' * (len(problems) > 1)}"
        return [
            ("! ", "bad"),
            (f"{many} stand{'s' * (len(problems) == 1)} in the way", "text"),
            ("   \\ shows", "muted"),
        ]
    if plan is None or not checked:
        return [("checking …", "muted")]
    return [
        ("✓ ", "good"),
        (f"{plan.steps:,} steps, each picture seen {plan.seen_subject:,.0f} times", "text"),
        ("   \\ shows the plan", "muted"),
    ]


def _paragraph(mark: str, mark_ink: str, words: str, ink: str, width: int) -> list[Spans]:
    lines = wrapped(words, max(10, width - 2))
    return [[(f"{mark if at == 0 else ' '} ", mark_ink), (line, ink)] for at, line in enumerate(lines)]


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
