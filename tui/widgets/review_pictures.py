"""The pictures of a review in one of three ways: as a grid, as a list with its sheets, or as evidence of a test."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from textual import on
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from tui import review_words as words
from tui.pictures import Pictures
from tui.review_grid import Grid
from tui.review_pairs import Pair, beside_of, pairs_of
from tui.reviewed import Made, Review, Test
from tui.screens.large import Alone
from tui.spans import Spans, cell, wrapped
from tui.widgets.evidence import Evidence
from tui.widgets.lines import Lines
from tui.widgets.picture_row import off_lines
from tui.widgets.review_list import ReviewList
from tui.widgets.weights_grid import WeightsGrid

View = Literal["grid", "sheets", "evidence"]
VIEWS: Final[Sequence[View]] = ("grid", "sheets", "evidence")


class ReviewPictures(Vertical):
    """Keeps what is looked at: the way, the prompt and the seed; what the keys of its parts mean is theirs."""

    class Moved(Message):
        """Another picture is looked at."""

    class Chosen(Message):
        """Enter was pressed on a picture."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.view: View = "grid"
        self._store: Pictures | None = None
        self._review: Review | None = None
        self._grid = Grid()
        self._test: Test | None = None
        self._prompt = self._seed = 0
        """Which of the grid's."""
        self._beside: Sequence[Made] = ()
        """Pictures that stand beside their training pictures; none where a test's evidence is shown."""

    def compose(self) -> Iterable[Widget]:
        """All three; one is seen."""
        yield Lines(id="grid-title")
        yield WeightsGrid(id="grid")
        yield Lines(id="grid-words")
        yield ReviewList(id="sheets-pane")
        yield Evidence(id="evidence")

    def on_mount(self) -> None:
        self._turn("grid")

    def show(self, store: Pictures | None, review: Review | None, grid: Grid, test: Test | None) -> None:
        """Show this review; where the person looks stays, as far as that is there. test: whose evidence is shown."""
        if test is None or self._test is None or test.name != self._test.name:
            self._beside = ()
        self._store, self._review, self._grid, self._test = store, review, grid, test
        self._prompt = min(self._prompt, max(0, len(grid.prompts) - 1))
        self._seed = min(self._seed, max(0, len(grid.seeds) - 1))
        self._draw()

    def begin(self) -> None:
        """Another run: from the beginning."""
        self._prompt = self._seed = 0
        self._beside = ()

    def go(self, view: View) -> None:
        """Show the pictures in this way, with the focus on them; evidence is the test's."""
        self._beside = ()
        self._turn(view)
        self.take_focus()
        self.call_after_refresh(self._draw)

    def take_focus(self) -> None:
        """The focus goes to what is shown."""
        parts: dict[str, Widget] = {"grid": self._places, "evidence": self._evidence}
        parts.get(self.view, self._list.rows).focus()

    @property
    def here(self) -> Made | None:
        """The picture that is looked at."""
        if self.view == "grid":
            return self._places.made
        if self.view == "sheets":
            return self._list.made
        return self._evidence.pair.made if self._evidence.pair else None

    @property
    def seeds(self) -> int:
        """How many there are to go through."""
        return len(self._grid.seeds)

    def step(self, by: int) -> None:
        """To another prompt, or where pictures are gone through one by one, to another of them."""
        if self.view == "evidence":
            (self._evidence.do_later if by > 0 else self._evidence.do_earlier)()
        elif self.view == "sheets":
            self._list.rows.move(by)
        elif self._grid.prompts:
            self._prompt = (self._prompt + by) % len(self._grid.prompts)
            self._draw()

    def next_seed(self) -> None:
        """The same prompt from another seed."""
        self._seed = (self._seed + 1) % max(1, self.seeds)
        self._draw()

    def beside_training(self) -> None:
        """The picture beside its nearest training picture, and from weight to weight the others like it."""
        here, review = self.here, self._review
        if here is None or review is None:
            return

        def like(made: Made) -> bool:
            mine, its = here.cell, made.cell
            same = (mine.prompt, mine.seed, mine.checkpoint) == (its.prompt, its.seed, its.checkpoint)
            return same and made.nearest is not None

        self.go("evidence")
        self._beside = sorted(filter(like, review.pictures), key=lambda made: made.cell.weight)
        self._draw()
        self._evidence.go_to(here.id)

    def alone(self) -> tuple[list[Alone], int]:
        """What can be seen large from here, and where to begin."""
        if self.view == "sheets":
            return self._list.alone()
        return self._pairs_alone() if self.view == "evidence" else self._grid_alone()

    def _turn(self, view: View) -> None:
        self.view = view
        for name in ("#grid-title", "#grid", "#grid-words"):
            self.query_one(name).display = view == "grid"
        self._list.display = view == "sheets"
        self._evidence.display = view == "evidence"

    def _draw(self) -> None:
        grid = self._grid
        prompt, seed = self._shown
        self._list.show(self._store, self._review)
        self._places.show(self._store, grid, prompt, seed)
        title = self.query_one("#grid-title", Lines)
        title.show([self._grid_title(max(20, title.size.width))])
        self._evidence.show(self._store, *self._pairs())
        self._say()

    @property
    def _shown(self) -> tuple[str, int | None]:
        """Prompt and seed of the grid."""
        grid = self._grid
        prompt = grid.prompts[self._prompt] if grid.prompts else ""
        return prompt, grid.seeds[self._seed] if grid.seeds else None

    def _grid_title(self, width: int) -> Spans:
        grid = self._grid
        if not grid.prompts:
            return []
        prompt, seed = self._shown
        place = f"prompt {self._prompt + 1}/{len(grid.prompts)}  "
        number = f"  seed {seed if seed is not None else '-'}"
        number += f"  {self._seed + 1}/{len(grid.seeds)}" if len(grid.seeds) > 1 else ""
        quoted = f'"{prompt}"'
        room = max(10, width - len(place) - len(number))
        shown = cell(quoted, room).rstrip()
        return [(place, "muted"), (shown, "text"), (number, "muted")]

    def _pairs(self) -> tuple[Spans, Sequence[Pair], str]:
        """Title and pairs of the evidence, and what stands there without any."""
        review, test = self._review, self._test
        if review is not None and self._beside:
            made = [review.by_cell[each.cell] for each in self._beside if each.cell in review.by_cell]
            title: Spans = [("beside the nearest training picture", "bold")]
            return title, pairs_of(review, made, "training"), ""
        if review is None or test is None:
            return [], [], "No test was made yet: its pictures would be here."
        sign, ink = words.MARKS[test.verdict]
        empty = "This test names no single picture; v goes on to the grid."
        pairs = pairs_of(review, review.evidence(test), beside_of(test))
        return [(f"{sign} ", ink), (f"evidence of {test.name}", "bold")], pairs, empty

    def _say(self) -> None:
        """The figures of the place that the cursor is on."""
        shown = self.query_one("#grid-words", Lines)
        made = self._places.made
        if made is not None:
            told = words.made_words(made)
        elif self._grid.columns:
            whole = self._review is not None and self._review.whole
            told = "Nothing was drawn here." if whole else "Not made yet."
        else:
            told = ""
        width = max(20, shown.size.width)
        lines = wrapped(told, width)[:2]
        if made is not None and self._store is not None and self._store.off:
            lines += off_lines(self._store.off, [made.path], width)
        shown.show([[(line, "muted")] for line in lines])

    def _grid_alone(self) -> tuple[list[Alone], int]:
        """All of this prompt and seed, the base once."""
        grid, here = self._grid, self._places.made
        places = [(row, column) for row in range(len(grid.rows)) for column in range(len(grid.columns))]
        made = [each for at in places if (each := grid.at(*at, *self._shown)) is not None]
        made = list({each.path: each for each in made}.values())
        alone = [Alone(each.path, words.full_words(each)) for each in made]
        return alone, made.index(here) if here in made else 0

    def _pairs_alone(self) -> tuple[list[Alone], int]:
        """Each picture, and behind it what it is compared with: one key goes from one to the other."""
        alone, at = list[Alone](), 0
        for pair in self._evidence.pairs:
            if pair is self._evidence.pair:
                at = len(alone)
            alone.append(Alone(pair.made.path, words.full_words(pair.made)))
            if pair.beside is not None:
                alone.append(Alone(pair.beside, pair.beside_name))
        return alone, at

    @property
    def _places(self) -> WeightsGrid:
        return self.query_one(WeightsGrid)

    @property
    def _list(self) -> ReviewList:
        return self.query_one(ReviewList)

    @property
    def _evidence(self) -> Evidence:
        return self.query_one(Evidence)

    @on(WeightsGrid.Moved)
    @on(Evidence.Moved)
    @on(ReviewList.Moved)
    def moved(self) -> None:
        """Another picture."""
        self._say()
        self.post_message(self.Moved())

    @on(WeightsGrid.Chosen)
    @on(Evidence.Chosen)
    @on(ReviewList.Chosen)
    def chosen(self) -> None:
        """Enter on a picture."""
        self.post_message(self.Chosen())
