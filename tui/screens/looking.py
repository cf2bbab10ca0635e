"""Looking at pictures closer than a list does: large, in another program, what was found, the crop."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui import audit_words as words
from tui.audited import Row, Seen
from tui.external import open_with, opener
from tui.follow_lines import shown
from tui.overlay import Cut, overlay_of
from tui.spans import Spans
from tui.working import in_thread

if TYPE_CHECKING:
    from tui.app import Workbench
    from tui.screens.large import Alone


def read(bench: "Workbench", title: str, lines: Sequence[Spans]) -> None:
    """Words to read, over the room."""
    from tui.screens.modal import Reading  # nothing that a key asks for is imported before it

    bench.push_screen(Reading(title, lines, folded=True))


def large(bench: "Workbench", seen: Seen, names: Sequence[str], here: str) -> None:
    """These pictures, one at a time, as large as the terminal, from `here` on."""
    from tui.screens.large import Large

    there = [name for name in names if name in seen.rows]
    pictures = [_alone(seen, seen.rows[name]) for name in there]
    bench.push_screen(Large(bench.pictures, pictures, there.index(here) if here in there else 0))


def _alone(seen: Seen, row: Row) -> "Alone":
    from tui.screens.large import Alone

    found = seen.of.get(row.name, ())
    return Alone(
        row.path, f"{row.name}: {words.without(row.name, found[0].value)}" if found else row.name,
        overlay_of(row.name, row.placements, found),
        tuple(Cut(each, seen.declared.background) for each in row.placements),
    )  # fmt: skip


def crop(bench: "Workbench", row: Row, moved: Callable[[tuple[float, float]], object]) -> None:
    """Move the point that the crop keeps; `moved` hears of it once it is to be saved."""
    from tui.screens.cropping import Cropping

    def ended(point: tuple[float, float] | None) -> None:
        if point is not None:
            moved(point)

    bench.push_screen(Cropping(bench.pictures, row.path, row.placements[0]), ended)


def elsewhere(bench: "Workbench", path: Path, name: str) -> None:
    """Open the picture in the desktop's own program, or say where it lies."""
    program = opener()
    if not program:
        bench.say(f"No display here. It is {shown(path)}; safelight look shows it in a browser elsewhere.")
        return

    def opened(problem: str) -> None:
        bench.say(problem or f"{name} is open in another program.")

    bench.say(f"Opening {name} ...")
    in_thread(bench, lambda: open_with(program, path), opened)
