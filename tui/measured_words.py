"""Time and memory of a plan in words, the same by line and in the project room."""

from typing import TYPE_CHECKING

from tui.follow_lines import duration

if TYPE_CHECKING:
    from projects.plan import Plan


def measured_rows(plan: "Plan") -> list[tuple[str, str, str]]:
    """Name, value and note of time and memory; none where they were not measured."""
    measured = plan.measured
    if measured is None or plan.seconds is None or plan.seconds_range is None:
        return []
    low, high = map(duration, plan.seconds_range)
    span = f"{low} to {high}, " if low != high else ""
    many = f"of {measured.device_memory_gb:,.0f} GB, measured, preview included"
    if not measured.preview_seconds:
        many = many.removesuffix(", preview included")
    return [
        ("time", duration(plan.seconds), f"{span}measured here, {measured.steps} steps"),
        ("memory", f"{measured.memory_gb:.1f} GB", many),
    ]
