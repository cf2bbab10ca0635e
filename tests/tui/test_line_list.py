"""The one list: ten thousand rows, a cursor that stays where it is, filter, search, selection."""

from collections.abc import Sequence

import pytest
from textual.app import App, ComposeResult

from tui import theme
from tui.spans import Spans
from tui.widgets.line_list import LineList

MANY = 10_000


class Rows(App[None]):
    """One list on the screen; counts the rows it draws."""

    def __init__(self, rows: Sequence[object], **options: object) -> None:
        super().__init__()
        self.drawn: list[object] = []
        self.moved: list[object] = []
        self._rows, self._options = rows, options

    def compose(self) -> ComposeResult:
        yield LineList(self._row, **self._options)  # type: ignore[arg-type]

    def on_mount(self) -> None:
        for each in theme.themes():
            self.register_theme(each)
        self.theme = "safelight"
        self.list.show(self._rows)
        self.list.focus()

    @property
    def list(self) -> LineList:
        return self.query_one(LineList)

    def _row(self, key: object, _width: int) -> Spans:
        self.drawn.append(key)
        return [(f"row {key}", "text")]

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        self.moved.append(event.key)


async def test_ten_thousand_rows_cost_what_is_seen() -> None:
    app = Rows(range(MANY))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert len(set(app.drawn)) <= 21, "only rows on the screen are made"
        app.drawn.clear()
        await pilot.press("down")
        await pilot.pause()
        assert set(app.drawn) == {0, 1}, (
            "a cursor key draws the row that was left and the one that is entered"
        )
        app.drawn.clear()
        await pilot.press("G")
        await pilot.pause()
        assert app.list.key == MANY - 1 and len(set(app.drawn)) <= 21
        await pilot.press("g", "pagedown", "k")
        assert app.list.key == 18


async def test_the_cursor_stays_on_its_row_when_rows_come_and_go() -> None:
    app = Rows(list("abcdef"))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("j", "j", "j")
        assert app.list.key == "d"
        app.list.show(list("xyabcdef"))
        assert app.list.key == "d"
        app.list.show(list("ab"))
        assert app.list.key == "b"
        app.list.show([])
        await pilot.press("j", "enter", "G")
        assert app.list.key is None


async def test_filter_narrows_and_search_goes_around() -> None:
    app = Rows(["red cup", "blue cup", "red bowl", "grey"])
    async with app.run_test(size=(40, 10)) as pilot:
        app.list.set_filter("RED")
        assert list(app.list.rows) == ["red cup", "red bowl"]
        await pilot.press("n")
        assert app.list.key == "red bowl"
        await pilot.press("n")
        assert app.list.key == "red cup"
        app.list.set_filter("cup blue")
        assert list(app.list.rows) == ["blue cup"]
        app.list.set_filter("")
        assert len(app.list.rows) == 4 and app.list.key == "blue cup"


async def test_a_filter_is_seen_below_its_hits_and_esc_clears_it() -> None:
    app = Rows(["#HEAD", *(f"row {at}" for at in range(30))], skip=lambda key: str(key).startswith("#"))
    async with app.run_test(size=(50, 8)) as pilot:
        app.list.set_filter("29")
        await pilot.pause()
        assert lines(app)[1].strip() == "filter: 29   1 of 30   esc clears"
        app.list.set_filter("nowhere")
        await pilot.pause()
        assert lines(app)[0].strip() == "filter: nowhere   0 of 30   esc clears"
        app.list.set_filter("row")
        await pilot.press("G")
        await pilot.pause()
        assert "row row 29" in lines(app)[-2] and "30 of 30" in lines(app)[-1], "the last hit is not hidden"
        await pilot.press("escape")
        await pilot.pause()
        assert app.list.filter == "" and len(app.list.rows) == 31 and "filter" not in "".join(lines(app))


def lines(app: App[None]) -> list[str]:
    """The screen."""
    strips = app.screen._compositor.render_strips(app.size)
    return ["".join(segment.text for segment in line) for line in strips]


async def test_headings_are_passed_over() -> None:
    app = Rows(["#A", "a", "#B", "#C", "c", "#END"], skip=lambda key: str(key).startswith("#"))
    async with app.run_test(size=(40, 10)) as pilot:
        assert app.list.key == "a"
        await pilot.press("down")
        assert app.list.key == "c"
        await pilot.press("down")
        assert app.list.key == "c"
        await pilot.press("up", "up")
        assert app.list.key == "a"
        await pilot.press("G")
        assert app.list.key == "c"


@pytest.mark.parametrize("selectable", [True, False])
async def test_selection_is_there_where_it_is_wanted(selectable: bool) -> None:
    app = Rows(list("abc"), selectable=selectable)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("space", "space")
        assert app.list.selected == ({"a", "b"} if selectable else set())
        await pilot.press("asterisk")
        assert app.list.selected == ({"a", "b", "c"} if selectable else set())
