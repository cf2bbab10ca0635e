"""What the model sees of a picture at a step: the pixels that are trained, and the tokens of each encoder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen

from engine.dataset.captioning.seen import Drawn, drawn, texts_of
from engine.dataset.items import Placement
from engine.dataset.tokens import Piece, Place
from projects.problems import Refused
from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.caption_rows import Captions
from tui.overlay import Cut
from tui.pictures import Pictures
from tui.spans import Span, Spans, length, wrapped
from tui.widgets.frame import KeyLine
from tui.widgets.lines import Lines
from tui.widgets.picture_view import PictureView
from tui.working import in_thread

if TYPE_CHECKING:
    from tui.app import Workbench

_STEPS: Final = 200
"""Times of a picture that one can step through."""
Pieces = Sequence[tuple[Place, Sequence[Piece] | None]]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a run that started now would train of one picture."""

    times: Sequence[Drawn]
    """In their order; none for a held-out picture."""
    placements: Sequence[Placement]
    background: str
    problem: str = ""
    """Why the picture cannot be placed."""


def seen_of(project: Path, captions: Captions, picture: str) -> Seen:
    """Draws and placements. In a thread: the picture's header is read."""
    from engine.dataset.buckets import placement
    from engine.dataset.pictures import inspect_picture
    from projects.bases import describe

    spec = captions.spec
    items = texts_of([entry for row in captions.rows.values() for entry in row.entries], spec)
    index = next(at for at, item in enumerate(items) if item.picture == picture)
    times = list(islice(drawn(items, spec, index), _STEPS))
    background = spec.data.background
    try:
        step = describe(spec.base.source, project, revision=spec.base.revision).bucket_step
        size = inspect_picture(captions.rows[picture].path).size
        focal = spec.data.crop.get(picture, (0.5, 0.5))
        placed = [placement(size, side, step, focal) for side in spec.train.resolution] if step else []
    except Refused as refused:
        return Seen(times=times, placements=(), background=background, problem=str(refused.problems[0].error))
    why = "" if placed else "The base is not on this machine: nobody knows its buckets."
    return Seen(times=times, placements=placed, background=background, problem=why)


class Seeing(ModalScreen[None]):
    """Steps through the times that a picture is trained."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("seeing")

    def __init__(
        self,
        store: Pictures | None,
        path: Path,
        name: str,
        seen: Callable[[], Seen],
        pieces: Callable[[str], Pieces],
    ) -> None:
        """seen, pieces: asked in a thread."""
        super().__init__()
        self._store, self._path, self._called = store, path, name
        self._ask, self._pieces = seen, pieces
        self._seen: Seen | None = None
        self._at = 0
        self._told: dict[str, Pieces] = {}

    def compose(self) -> ComposeResult:
        """The pixels beside the words, over the keys."""
        with Horizontal():
            yield PictureView(id="seen-picture")
            yield Lines(id="seen-words")
        yield KeyLine()

    def on_mount(self) -> None:
        keymap = cast("Workbench", self.app).keymap
        own = [each for each in ACTIONS.values() if each.place == "seeing"]
        self.query_one(KeyLine).show([(keymap.shown(each), each.label) for each in own], fixed=1)
        in_thread(cast("Workbench", self.app), self._ask, self._answered)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _answered(self, seen: Seen) -> None:
        self._seen = seen
        self._show()

    @property
    def _time(self) -> Drawn | None:
        return self._seen.times[self._at] if self._seen and self._seen.times else None

    def _show(self) -> None:
        text = (self._time.text or "") if self._time else None
        if text is not None and text not in self._told:
            bench = cast("Workbench", self.app)
            in_thread(bench, lambda: self._pieces(text), lambda told: self._learned(text, told))
        self._draw()

    def _learned(self, text: str, told: Pieces) -> None:
        self._told[text] = told
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted or self._seen is None:
            return
        seen, time = self._seen, self._time
        placed = seen.placements[time.resolution if time else 0] if seen.placements else None
        cut = Cut(placed, seen.background) if placed else None
        self.query_one("#seen-picture", PictureView).show(self._store, self._path, seen.problem, cut=cut)
        words = self.query_one("#seen-words", Lines)
        words.show(seen_lines(self._called, seen, time, placed, self._told, max(20, words.size.width - 1)))

    def action_act(self, action_id: str) -> None:
        """Do what a key means here."""
        getattr(self, ACTIONS[action_id].method)()

    def do_later(self) -> None:
        self._go(1)

    def do_earlier(self) -> None:
        self._go(-1)

    def _go(self, by: int) -> None:
        if self._seen and self._seen.times:
            self._at = max(0, min(self._at + by, len(self._seen.times) - 1))
            self._show()

    def do_leave(self) -> None:
        self.dismiss(None)


def seen_lines(
    name: str, seen: Seen, time: Drawn | None, placed: Placement | None, told: dict[str, Pieces], width: int
) -> list[Spans]:
    """What is told the model, in words and in tokens."""
    lines: list[Spans] = [[(name, "bold")]]
    if placed:
        size = f"{placed.bucket[0]}×{placed.bucket[1]}"
        lines.append([("pixels   ", "muted"), (f"{size} of {placed.resolution}", "text")])
    if time is None:
        lines.append([("It is held out: no step trains it.", "muted")])
        return lines
    flip = "   mirrored, which the picture here is not" if time.flip else ""
    lines += [
        [("step     ", "muted"), (f"{time.step:,}", "text"), (f"   slot {time.slot}{flip}", "muted")],
        [],
    ]
    if time.text is None:
        lines.append([("The caption is dropped here: the model is told nothing.", "warn")])
        return lines
    lines += [[(line, "text")] for line in wrapped(time.text, width)]
    for place, pieces in told.get(time.text, ()):
        lines += [[], *_token_lines(place, pieces, width)]
    return lines


def _token_lines(place: Place, pieces: Sequence[Piece] | None, width: int) -> list[Spans]:
    if pieces is None:
        return [[(place.label, "bold"), ("   -   its vocabulary is not on this machine", "muted")]]
    own = sum(piece.end > piece.start for piece in pieces)
    lines: list[Spans] = [[(place.label, "bold"), (f"   {own} of {place.limit}", "muted")]]
    line: list[Span] = []
    for piece in pieces:
        mark = piece.end == piece.start
        span = (f"{piece.token} ", "muted" if mark else "text" if piece.read else "faint")
        if length(line) + length([span]) > width and line:
            lines.append(line)
            line = []
        line.append(span)
    lines.append(line)
    if cut := sum(not piece.read for piece in pieces):
        lines.append([(f"{cut} tokens behind the end mark are not read", "bad")])
    return lines
