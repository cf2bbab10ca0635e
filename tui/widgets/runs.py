"""The list of a project's runs, with the one in front that is younger than the last look at them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from projects.job import JobDir
from projects.status import Status
from tui import run_words
from tui.run_jobs import JobRow
from tui.run_list import RunRow
from tui.spans import Spans, cell, length
from tui.widgets.line_list import LineList


class Runs(LineList):
    """Rows are run folders."""

    def __init__(self, **options: Any) -> None:
        super().__init__(self._spans, text=lambda path: path.name, **options)
        self._known: Mapping[Path, RunRow] = {}
        self._young: RunRow | None = None
        self._widest = 0
        self.followed: JobDir | None = None
        """The run that is shown beside the list."""

    def row(self, path: Path | None) -> RunRow | None:
        """What is known of a run; None of one that is not listed."""
        return self._known.get(path) if path else None

    def jobs(self) -> tuple[JobRow, ...]:
        """The jobs on the run that is followed."""
        row = self.row(self.followed.path if self.followed else None)
        return row.jobs if row else ()

    def take(self, rows: Iterable[RunRow]) -> bool:
        """List these runs. Gives whether other runs are listed than before."""
        found, young, before = {row.job.path: row for row in rows}, self._young, set(self._known)
        if young is not None and found.get(young.job.path, young) is not young:
            young = self._young = None
        self._known = {**({young.job.path: young} if young else {}), **found}
        self._widest = max((length(run_words.short(row)) for row in self._known.values()), default=0)
        self.show(list(self._known))
        return set(self._known) != before

    def expect(self, job: JobDir) -> None:
        """List a run that was just started, until a look at all runs has come to it."""
        if job.path not in self._known:
            self._young = RunRow(job=job, standing="live", status=Status(phase="starts"))
            self.take(self._known.values())

    def _spans(self, path: Path, width: int) -> Spans:
        row = self._known[path]
        here = self.followed is not None and path == self.followed.path
        return [
            (cell(row.name, max(8, min(14, width - self._widest - 1))) + " ", "text" if here else "muted"),
            *run_words.short(row),
        ]
