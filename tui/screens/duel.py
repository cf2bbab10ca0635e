"""A duel: two pictures of one prompt and seed, one key for the better one, and below them what that comes to so far.

Nothing says which is which until it is decided. Every verdict is on the disk before the next two pictures are shown.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import ModalScreen

from projects.duels import Duel, Pair, Won, add, next_pair, read_duels, take_back
from projects.job import JobDir
from projects.sides import Sweep, read_sweep
from projects.strengths import Ranking, ranking
from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.duel_words import decided, ranking_lines
from tui.pictures import Box, fitted
from tui.screens.large import Alone, Large
from tui.spans import Spans, marked
from tui.widgets.frame import KeyLine
from tui.widgets.lines import Lines
from tui.widgets.picture_view import PictureView
from tui.working import in_thread

if TYPE_CHECKING:
    from tui.app import Workbench

_SHARE: Final = 5
"""One of so many lines of the screen is a row of the ranking."""


class Duelling(ModalScreen[None]):
    """Shows two pictures after the other, until the person leaves."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("duel")
    ROOM: ClassVar[str] = "duel"
    """Place whose keys the help shows first."""

    def __init__(self, run: JobDir, project: Path, *, seed: int | None = None) -> None:
        """seed: of the draws; left out, another one each time."""
        super().__init__()
        self._run, self._project = run, project
        self._seed = random.randrange(1 << 32) if seed is None else seed
        self._sweep: Sweep | None = None
        self._duels: Sequence[Duel] = ()
        self._pair: Pair | None = None
        self._last: Duel | None = None
        """What was decided here last: its labels are shown."""
        self._ranking = Ranking(sides=())
        self._wrong = ""
        """Why there is nothing to compare."""
        self._busy = True
        """Something is read or written. A key that comes meanwhile is about pictures that nobody has seen yet."""

    def compose(self) -> ComposeResult:
        """The pictures over what came of them."""
        yield Lines(id="duel-title")
        with Container(id="duel-pictures"):
            yield PictureView(id="duel-left")
            yield PictureView(id="duel-right")
        yield Lines(id="duel-last")
        yield Lines(id="duel-ranking")
        yield KeyLine()

    @property
    def bench(self) -> "Workbench":
        """The app."""
        return cast("Workbench", self.app)

    def on_mount(self) -> None:
        mine = [each for each in ACTIONS.values() if each.place == "duel"]
        self.query_one(KeyLine).show([(self.bench.keymap.shown(each), each.label) for each in mine])

        def read() -> tuple[Sweep, Sequence[Duel]]:
            return read_sweep(self._run, self._project), read_duels(self._run.duels)

        def found(given: tuple[Sweep, Sequence[Duel]]) -> None:
            self._sweep = given[0]
            self._take(given[1], None)

        in_thread(self.bench, read, found, self._failed)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def on_key(self) -> None:
        self.query_one(KeyLine).say("")

    def action_act(self, action_id: str) -> None:
        """Do what a key means here."""
        getattr(self, ACTIONS[action_id].method)()

    # ---- deciding

    def _decide(self, won: Won) -> None:
        pair = self._pair
        if self._busy or pair is None or self._sweep is None:
            return
        views = [self.query_one(f"#duel-{name}", PictureView) for name in ("left", "right")]
        if not (self._blank or all(view.complete for view in views)):
            self.query_one(KeyLine).say("The pictures are not drawn yet.")
            return
        duel = Duel(
            left=pair.left.side, right=pair.right.side, prompt=pair.left.prompt, seed=pair.left.seed, won=won,
            time=self.bench.clock(),
        )  # fmt: skip
        self._busy = True

        def write() -> Sequence[Duel]:
            add(self._run.duels, duel)
            return read_duels(self._run.duels)

        in_thread(self.bench, write, lambda duels: self._take(duels, duel), self._failed)

    def do_undo(self) -> None:
        """Take the last duel back, of this sitting or an earlier one, and show its two pictures again."""
        if self._busy:
            return
        if not self._duels:
            self.query_one(KeyLine).say("There is no duel to take back.")
            return
        self._busy, now = True, self.bench.clock()

        def write() -> Sequence[Duel]:
            take_back(self._run.duels, now)
            return read_duels(self._run.duels)

        in_thread(self.bench, write, lambda duels: self._take(duels, None), self._failed)

    def _take(self, duels: Sequence[Duel], decided_now: Duel | None) -> None:
        """The duels as they stand on the disk: the next two pictures at once, the ranking when it is computed."""
        self._busy = False
        if not self.is_attached or self._sweep is None:
            return
        self._duels, self._last = duels, decided_now
        self._pair = next_pair(self._sweep.pictures, duels, self._seed)
        if self._pair is None:
            self.query_one(KeyLine).say("No two pictures of this review have the same prompt and seed.")
        self._draw()

        def ranked(found: Ranking) -> None:
            if self.is_attached and self._duels is duels:
                self._ranking = found
                self._draw()

        in_thread(self.bench, lambda: ranking([duel.compared for duel in duels]), ranked, self._failed)

    def _failed(self, sentence: str) -> None:
        self._busy = False
        if self.is_attached and self._sweep is None:
            # Nothing else is shown then, and a key must not take the sentence away.
            self._wrong = sentence
            self._draw()
        elif self.is_attached:
            self.query_one(KeyLine).say(sentence)

    # ---- drawing

    def _draw(self) -> None:
        pair, width, height = self._pair, self.size.width, self.size.height
        stacked = self._stacked()
        self.query_one("#duel-pictures").set_class(stacked, "-stacked")
        title: list[tuple[str, str]] = [(" DUEL   ", "bold")]
        if pair is not None:
            where = "   left is the upper one" if stacked else ""
            title.append((f"{len(self._duels)} decided{where}   ", "muted"))
            title += [(f"seed {pair.left.seed}   ", "muted"), (pair.left.prompt, "text")]
        self.query_one("#duel-title", Lines).show([title])
        for name, one in (("left", pair and pair.left), ("right", pair and pair.right)):
            self.query_one(f"#duel-{name}", PictureView).show(self.bench.pictures, one.file if one else None)
        last: Spans = decided(self._last) if pair is not None else []
        self.query_one("#duel-last", Lines).show([last])
        if pair is not None:
            lines = ranking_lines(self._ranking, width, max(3, height // _SHARE))
        else:
            lines = marked("!", "bad", self._wrong, width - 1) if self._wrong else []
        self.query_one("#duel-ranking", Lines).show(lines)

    def _stacked(self) -> bool:
        """Whether the pictures are larger one above the other."""
        region = self.query_one("#duel-pictures").size
        size = self._sweep.size if self._sweep else (1, 1)
        beside = fitted(size, Box(Path(), max(1, region.width // 2), max(1, region.height)))
        above = fitted(size, Box(Path(), max(1, region.width), max(1, region.height // 2)))
        return above[0] > beside[0]

    @property
    def _blank(self) -> bool:
        """Whether pictures are off in this terminal, and looked at somewhere else."""
        return self.bench.pictures is None or bool(self.bench.pictures.off)

    # ---- keys

    def do_left(self) -> None:
        self._decide("left")

    def do_right(self) -> None:
        self._decide("right")

    def do_neither(self) -> None:
        self._decide("neither")

    def do_large(self) -> None:
        if self._pair is not None:
            names = ("upper", "lower") if self._stacked() else ("left", "right")
            both = zip((self._pair.left, self._pair.right), names, strict=True)
            self.app.push_screen(Large(self.bench.pictures, [Alone(one.file, name) for one, name in both]))

    def do_help(self) -> None:
        self.bench.do_help()

    def do_leave(self) -> None:
        self.dismiss(None)
