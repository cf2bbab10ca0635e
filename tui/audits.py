"""The audit that a room started: its process, its lines read in a thread, and what they come to."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from projects.problems import Refused
from tui.audited import Row, Seen, read_row
from tui.auditing import COMMAND, AuditProcess, Died, Report
from tui.declared import Declared, read_declared
from tui.left_out import with_header


class Auditing:
    """One audit, from its start to its end."""

    def __init__(
        self, project: Path, tell: Callable[[Seen], object], *, before: Seen | None = None,
        command: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """tell: called in a thread with what was found so far, whenever that is more; the last time it is not `running`.

        before: what an earlier audit found, shown until this one knows as much. command: another one, for tests.
        """
        self._project, self._tell, self._command = project, tell, command or COMMAND
        self._seen = replace(before or Seen(), running=True, stage="starting", done=0, total=0, error="")
        self._process: AuditProcess | None = None
        self._stopped = threading.Event()
        self._reported = False
        self._lock = threading.Lock()
        self._state = threading.Lock()

    def start(self) -> None:
        """Begin, in a thread that ends with the process."""
        threading.Thread(target=self._work, name="audit", daemon=True).start()

    def stop(self) -> None:
        """Ask it to end. What it has measured is kept; the last report comes through `tell`."""
        self._stopped.set()
        with self._lock:
            process = self._process
        if process:
            process.stop()

    def declared(self, said: Declared) -> None:
        """The person has said something else: tell what was found as it is then. For a thread."""
        with self._state:
            self._seen = self._seen.with_declared(said)
            self._tell(self._seen)

    def _work(self) -> None:
        error = ""
        try:
            self.declared(read_declared(self._project))
            threading.Thread(target=self._look_at_left_out, name="left-out", daemon=True).start()
            with AuditProcess(self._project, behind=True, command=self._command) as process:
                with self._lock:
                    self._process = process
                if self._stopped.is_set():
                    process.stop()
                self._name()
                for report in process.reports(read_row):
                    self._take(report)
        except Died as died:
            error = f"{died.problems[0].error} R runs it again."
        except Refused as refused:
            error = str(refused.problems[0])
        except OSError as problem:
            error = f"The audit could not be started: {problem.strerror or problem}."
        stopped = self._stopped.is_set()
        # One that was stopped may end in any way: what it kept is kept.
        self._say(running=False, stage="stopped" if stopped else "", error="" if stopped else error)

    def _name(self) -> None:
        """Names first: the process that looks at pictures has to start and to look up what it knows."""
        from engine.dataset.folders import find_pictures
        from projects.project import open_project, resolve

        if self._seen.audited:
            return
        try:
            found = find_pictures(self._project, resolve(open_project(self._project)).data).pictures
        except Refused:  # What is wrong is for the audit to say.
            return
        rows = {
            one.name: Row(name=one.name, file=str(one.path), role=one.dataset.role, set=one.dataset.path)
            for one in found
        }
        with self._state:
            self._seen = replace(self._seen, rows={**self._seen.rows, **rows}).put_together()
            self._tell(self._seen)

    def _look_at_left_out(self) -> None:
        """The audit does not look at what is left out; the list has its size all the same."""
        with self._state:
            unknown = [row for row in self._seen.rows.values() if not row.role and not row.size]
        found = {}
        for row in unknown:
            found[row.name] = with_header(row)
            time.sleep(0.0005)
        with self._state:
            known = {name: row for name, row in found.items() if not self._seen.rows.get(name, row).size}
            if known:
                self._seen = replace(self._seen, rows={**self._seen.rows, **known}).put_together()
                self._tell(self._seen)

    def _take(self, report: Report[Row]) -> None:
        told = report.told
        with self._state:
            out = self._seen.declared.excluded
            # The first report has all there are; of what is left out it knows nothing.
            rows: dict[str, Row] = {
                name: row for name, row in self._seen.rows.items() if self._reported or name in out
            }
            self._reported = True
            rows |= {row.name: row for row in report.pictures}
            self._seen = replace(
                self._seen, rows=rows, findings=report.findings, coverage=told["coverage"], problems=told["problems"],
                stage=told["stage"], done=told["done"], total=told["total"], titles=told.get("checks", {}),
                lights=told.get("lights") or self._seen.lights,
            ).put_together()  # fmt: skip
            self._tell(self._seen)

    def _say(self, **changes: Any) -> None:
        with self._state:
            self._seen = replace(self._seen, **changes)
            self._tell(self._seen)
