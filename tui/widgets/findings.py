"""The checks of room 2 that have something to say, with what those need that could not be run."""

from collections.abc import Hashable, Mapping

from textual.app import ComposeResult
from textual.containers import Vertical

from tui.audit_words import check_row, not_run_lines
from tui.audited import CheckRow
from tui.spans import Spans
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines

_ABOVE = 2
"""Lines of the pane that are not its list: its title, and one between it and what is below."""


class FindingsPane(Vertical):
    """A list with a title. Its cursor stands on checks, never on the lines under one."""

    def compose(self) -> ComposeResult:
        """The title over the list."""
        yield Lines([[("  FINDINGS", "muted")]], id="findings-title")
        yield LineList(self._row, finds=False, skip=_is_under, id="findings")

    def on_mount(self) -> None:
        self._checks: Mapping[str, CheckRow] = {}

    def show(self, checks: Mapping[str, CheckRow], most: int | None) -> None:
        """most: lines that the pane takes at most, where it stands over the list; None: as many as there are."""
        self._checks, rows = checks, self.query_one(LineList)
        keys: list[Hashable] = []
        for name, check in checks.items():
            lines = not_run_lines(check, rows.size.width - 1) if check.not_run else []
            keys += [name, *((name, line) for line in lines)]
        rows.show(keys)
        height = None if most is None else min(len(keys) + _ABOVE, most)
        now = self.styles.inline.height
        if (now and now.cells) != height:
            self.styles.height = height

    @property
    def check(self) -> CheckRow | None:
        """The one the cursor is on."""
        return self._checks.get(str(self.query_one(LineList).key))

    def _row(self, key: str | tuple[str, str], width: int) -> Spans:
        if isinstance(key, tuple):
            return [(f"  {key[1]}", "muted")]
        check = self._checks.get(key)
        return check_row(check, width) if check else [(key, "muted")]


def _is_under(key: Hashable) -> bool:
    """Whether a row is a line under a check."""
    return isinstance(key, tuple)
