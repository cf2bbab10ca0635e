"""A form for a new project: four things to say, and every problem at once beside what it is about."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from projects.bases import to_be_fetched
from projects.fields import leaves
from projects.problems import Problem, Refused
from projects.project import create_project
from tui.screens.room import Room
from tui.spans import Spans, wrapped
from tui.widgets.line_edit import LineEdit
from tui.widgets.lines import Lines

_KINDS: Final = [family for family in leaves()["base.family"].shape.choices if family]
_FIELDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "folder": ("folder", "a new folder for the project, or one that is there", ""),
    "images": ("pictures", "the folder of pictures; it is read where it is and never changed", ""),
    "base": (
        "base",
        'hub id, folder, one .safetensors file, or "demo"',
        "stabilityai/stable-diffusion-xl-base-1.0",
    ),
    "family": (
        "family",
        "{kinds}: its kind, as it is not on this machine yet",
        "",
    ),
    "trigger": ("trigger", "an invented word, for example aur3lia_portrait", ""),
    "class_word": ("category", "the general word: woman, mug, watercolour (may stay empty)", ""),
    "rating": ("rating", "general, or mature", "general"),
}


class NewProject(ModalScreen[Path | None]):
    """Gives the folder of the project that was made, None when the person left."""

    VERTICAL_BREAKPOINTS = Room.VERTICAL_BREAKPOINTS

    def compose(self) -> ComposeResult:
        """A label, a line and a remark for each field, and the problems under all."""
        with Vertical(id="new"):
            yield Lines(
                [[("NEW PROJECT", "bold"), ("   enter goes on, at the end it is made; esc leaves", "muted")]]
            )
            for name, (label, remark, value) in _FIELDS.items():
                words = remark.replace("{kinds}", " or ".join(_KINDS))
                yield Lines(
                    [[(f"{label:<10}", "text"), (words, "muted")]], classes="label", id=f"label-{name}"
                )
                yield LineEdit(value, id=f"new-{name}")
            yield Lines(id="new-problems")

    def on_mount(self) -> None:
        self.query_one("#new-folder", LineEdit).focus()
        self._ask_family()

    @on(LineEdit.Changed, "#new-base")
    def _ask_family(self) -> None:
        """Its family is asked for only where the base itself cannot tell it."""
        asked = to_be_fetched(self._said("base"), Path(self._said("folder") or "."))
        for field in (self.query_one("#new-family"), self.query_one("#label-family")):
            field.display = asked

    def _said(self, name: str) -> str:
        return self.query_one(f"#new-{name}", LineEdit).value.strip()

    def _asked(self) -> list[str]:
        return [name for name in _FIELDS if self.query_one(f"#new-{name}").display]

    @on(LineEdit.Left)
    def left(self, event: LineEdit.Left) -> None:
        """On to the next field, back, or make it after the last."""
        if event.way == "escape":
            self.dismiss(None)
            return
        names = self._asked()
        at = names.index((event.edit.id or "").removeprefix("new-"))
        if event.way == "enter" and at == len(names) - 1:
            self._make()
            return
        by = -1 if event.way == "previous" else 1
        self.query_one(f"#new-{names[(at + by) % len(names)]}", LineEdit).focus()

    def _make(self) -> None:
        said = {name: self._said(name) for name in self._asked()}
        problems = [
            Problem(error="This must be said.", where=_FIELDS[name][0])
            for name in ("folder", "images", "base", "family", "trigger")
            if not said.get(name, "-")
        ]
        if said.get("family") and said["family"] not in _KINDS:
            problems.append(Problem(error=f"It is {' or '.join(_KINDS)}.", where="family"))
        if said["rating"] not in ("general", "mature"):
            problems.append(Problem(error="It is general or mature.", where="rating"))
        if problems:
            self._show(problems)
            return
        try:
            project = create_project(
                Path(said["folder"]),
                base=said["base"],
                images=said["images"],
                trigger=said["trigger"],
                class_word=said["class_word"],
                family=said.get("family", ""),
                rating="mature" if said["rating"] == "mature" else "general",
            )
        except Refused as refused:
            self._show(refused.problems)
        else:
            self.dismiss(project.path)

    def _show(self, problems: list[Problem]) -> None:
        shown = self.query_one("#new-problems", Lines)
        lines: list[Spans] = []
        for problem in problems:
            words = str(problem).replace("--", "")
            for at, line in enumerate(wrapped(words, max(20, shown.size.width - 2))):
                lines.append([("! " if at == 0 else "  ", "bad"), (line, "text")])
        shown.show(lines)
