"""What the screen of the prompts shows: a list, the parts of the row under the cursor, and what is drawn with all of them.

It reads project.toml in a thread, whenever that changes, and never takes away what somebody is typing.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

from textual import on
from textual.app import ComposeResult
from textual.screen import ModalScreen

from engine.dataset.captioning.entries import Entry
from engine.dataset.captioning.parts import phrase_texts
from engine.dataset.captioning.prompt_parts import PARTS, Piece, joined, said, split, with_parts
from tui import prompt_words as words
from tui.actions import ACTIONS
from tui.called import as_called
from tui.prompt_counting import PromptCounting, Tokens
from tui.prompts import Prompts, read_prompts
from tui.run_list import stamp
from tui.spans import Spans, cell, marked
from tui.widgets.frame import KeyLine
from tui.widgets.line_edit import LineEdit
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines
from tui.widgets.parts_form import PartsForm
from tui.working import in_thread

if TYPE_CHECKING:
    from tui.app import Workbench

Mode = Literal["browse", "captions", "editing", "negative"]
_WATCH_SECONDS: Final = 1.0
_NAME: Final = 18
_TYPING: Final[Mapping[Mode, Sequence[tuple[str, str]]]] = {
    "editing": (("enter", "save"), ("tab", "next part"), ("esc", "leave it as it was")),
    "negative": (("enter", "save"), ("esc", "leave it as it was")),
    "captions": (("enter", "take it"), ("arrows", "other captions"), ("esc", "back to the prompts")),
}
"""Keys of a field, and of the list while it shows captions."""


class PromptView(ModalScreen[None]):
    """Reads and shows. What keys do to it is `Prompting`'s."""

    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012

    def __init__(self, folder: Path) -> None:
        """folder: of the project."""
        super().__init__()
        self._folder = folder
        self._read: Prompts | None = None
        self._wrong = ""
        """Why project.toml cannot be shown."""
        self._mark = (0, 0)
        """Stamp of project.toml as it was read."""
        self._mode: Mode = "browse"
        self._captions: Sequence[Entry] = ()
        self._changed: str | None = None
        """The prompt that is changed, as it stands in project.toml; None where a new one is written."""
        self._pieces: tuple[Piece, ...] = ()
        """Of what the parts show, before anything is typed."""
        self._go_to: int | None = None
        """Row to go to once the file was read."""
        self._counting = PromptCounting(folder, self.post_message)

    def compose(self) -> ComposeResult:
        """What there is, the parts of one, what they make, and what is drawn with all of them."""
        yield Lines(id="prompts-title")
        yield LineList(self._row, finds=False, opens_field=True, id="prompts")
        yield Lines(id="prompts-empty")
        yield PartsForm(id="prompts-parts")
        yield Lines(id="prompts-composed")
        yield Lines(id="prompts-negative")
        yield LineEdit(id="prompts-negative-edit")
        yield Lines(id="prompts-foot")
        yield KeyLine()

    @property
    def bench(self) -> "Workbench":
        """The app."""
        return cast("Workbench", self.app)

    @property
    def _list(self) -> LineList:
        return self.query_one("#prompts", LineList)

    @property
    def _form(self) -> PartsForm:
        return self.query_one(PartsForm)

    @property
    def _negative(self) -> LineEdit:
        return self.query_one("#prompts-negative-edit", LineEdit)

    def on_mount(self) -> None:
        self._list.focus()
        self._look()
        self.set_interval(_WATCH_SECONDS, self._look)
        self._draw()

    def on_unmount(self) -> None:
        self._counting.close()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def on_key(self) -> None:
        self._say("")

    # ---- reading

    def _look(self) -> None:
        if stamp(self._folder / "project.toml") != self._mark:
            self._read_again()

    def _read_again(self) -> None:
        self._mark = stamp(self._folder / "project.toml")
        in_thread(self.bench, lambda: read_prompts(self._folder), self._take, self._unread)

    def _unread(self, sentence: str) -> None:
        self._wrong = sentence
        if self.is_attached:
            self._draw()

    def _take(self, read: Prompts) -> None:
        if not self.is_attached:
            return
        self._read, self._wrong = read, ""
        self._counting.use(read.spec.base if read.spec else None)
        if self._mode in ("browse", "negative"):
            self._list.show(range(len(read.prompts)))
            if self._go_to is not None:
                self._list.go_to(min(self._go_to, len(read.prompts) - 1))
            self._go_to = None
            self._show_parts()
        self._draw()

    @on(Tokens)
    def counted(self) -> None:
        """The tokens of a prompt are known."""
        self._draw_composed()

    # ---- what is shown

    def _texts_of(self, key: object) -> str:
        """The prompt or caption of a row."""
        if not isinstance(key, int) or self._read is None:
            return ""
        if self._mode == "captions":
            return self._captions[key].text if key < len(self._captions) else ""
        return self._read.prompts[key] if key < len(self._read.prompts) else ""

    def _row(self, key: int, width: int) -> Spans:
        text = " ".join(self._texts_of(key).split())
        if self._mode == "captions":
            name = Path(self._captions[key].file).name if key < len(self._captions) else ""
            return [(f" {cell(name, _NAME)} ", "muted"), (text, "text")]
        return [(f" {cell(text, max(1, width - 1))}", "text")]

    def _show_parts(self) -> None:
        """The parts of the row under the cursor."""
        read = self._read
        triggers, class_words = (read.triggers, read.class_words) if read else ((), ())
        self._show_pieces(split(self._texts_of(self._list.key), triggers, class_words))

    def _show_pieces(self, pieces: tuple[Piece, ...]) -> None:
        self._pieces = pieces
        self._form.show({part: said(pieces, part) for part in PARTS})

    @property
    def _composed(self) -> str:
        """The prompt that the parts make; one that nobody changes is shown as it stands."""
        if self._mode == "editing":
            return joined(with_parts(self._pieces, self._form.texts))
        return ", ".join(phrase_texts(self._texts_of(self._list.key)))

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        read, width = self._read, max(30, self.size.width)
        here = self._list.key
        place = self._captions[here].file if self._mode == "captions" and isinstance(here, int) else ""
        at = self._at_changed()
        title = [words.title_line(read, self._mode, at, place, width)]
        title += marked("!", "bad", self._wrong, width - 2) if self._wrong else []
        self.query_one("#prompts-title", Lines).show(title)
        none = read is not None and not read.prompts and self._mode != "captions"
        self._list.display = not none
        empty = self.query_one("#prompts-empty", Lines)
        empty.display = none
        empty.show(
            words.empty_lines(read, self._key("new"), self._key("take"), width) if read and none else []
        )
        typing = self._mode == "negative"
        self._negative.display = typing
        tall = not self.has_class("-short")
        reset = self._key("preset-value")
        negative = words.negative_lines(read, reset, width, tall=tall) if read else []
        self.query_one("#prompts-negative", Lines).show(negative[:1] if typing else negative)
        self.query_one("#prompts-foot", Lines).show(words.foot_lines(read, width, tall=tall) if read else [])
        self._draw_composed()
        self._draw_keys()

    def _draw_composed(self) -> None:
        if not self.is_mounted:
            return
        text, width = self._composed, max(30, self.size.width)
        places, counts = self._counting.of(text)
        lines = words.composed_lines(text, places, counts, width, tall=not self.has_class("-short"))
        lines += words.uncalled_lines(text, self._read.triggers if self._read else (), width)
        self.query_one("#prompts-composed", Lines).show(lines)

    def _draw_keys(self) -> None:
        line = self.query_one(KeyLine)
        if self._mode in _TYPING:
            line.show(_TYPING[self._mode], fixed=0)
            return
        none = set() if self._read and self._read.prompts else {"edit", "remove"}
        if not (self._read and self._read.negative_said is not None and self._read.negative_under):
            none.add("preset-value")
        mine = [each for each in ACTIONS.values() if each.place == "prompting" and each.label]
        shown = [each for each in mine if each.id.partition(".")[2] not in none]
        line.show([(self.bench.keymap.shown(each), each.label) for each in shown])

    def _at_changed(self) -> int | None:
        """Where the prompt that is changed stands by now; None where it is a new one, or gone from the file."""
        if self._read is None or self._changed is None or self._changed not in self._read.prompts:
            return None
        return self._read.prompts.index(self._changed)

    def _key(self, name: str) -> str:
        return self.bench.keymap.shown(ACTIONS[f"prompting.{name}"])

    def _say(self, sentence: str) -> None:
        if self.is_mounted:
            self.query_one(KeyLine).say(as_called(sentence))

    @on(LineList.Moved, "#prompts")
    def moved(self) -> None:
        """Another prompt, or another caption."""
        if self._mode in ("browse", "captions"):
            self._show_parts()
            self._draw()
