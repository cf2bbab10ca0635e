"""cache/audit.sqlite: what was measured, under the content it was measured of. May be deleted at any time."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = 2
SPARED = 1000
"""Contents without a picture that are kept at any rate: what is left out or moved away today may be back tomorrow."""
_TABLES = """
create table files (path blob primary key, size integer, changed integer, content text) without rowid;
create table measured (content text, measure text, version text, told text, primary key (content, measure)) without rowid;
create table found (told text);
"""

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What was measured of one file, to be kept."""

    path: Path
    content: str
    """sha256 of its bytes."""
    stat: tuple[int, int]
    """Bytes and time of change (ns), as they were before it was read."""
    values: Mapping[str, tuple[str, Values]]
    """Measure -> (version, values)."""


class Store:
    """Use it in one thread. A file that is damaged or of another format is made anew: nothing in it is more than time."""

    def __init__(self, file: Path, *, only_read: bool = False) -> None:
        """Raises OSError or sqlite3.Error where it cannot be written, with only_read where it is not there or no store."""
        if only_read:
            self._base = _read_only(file)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._base = _opened(file)
        except sqlite3.DatabaseError:
            for end in ("", "-wal", "-shm"):
                with suppress(FileNotFoundError):
                    file.with_name(file.name + end).unlink()
            self._base = _opened(file)

    def close(self) -> None:
        """Nothing is asked of it after this."""
        self._base.close()

    def contents(self, paths: Iterable[Path]) -> dict[Path, str]:
        """The contents of the files that are as they were when they were last read: same path, size and time."""
        rows = self._base.execute("select path, size, changed, content from files")
        known = {path: (size, changed, content) for path, size, changed, content in rows}
        found = {}
        for path in paths:
            entry = known.get(os.fsencode(path))
            if entry is None:
                continue
            with suppress(OSError):
                stat = path.stat()
                if (stat.st_size, stat.st_mtime_ns) == entry[:2]:
                    found[path] = entry[2]
        return found

    def values(
        self, contents: Iterable[str], versions: Mapping[str, str], apart: Collection[str] = ()
    ) -> dict[str, dict[str, Values]]:
        """Content -> measure -> values, of the measures in `versions` as far as they were taken in that version.

        apart: measures of which it is only said that they were taken, with {}.
        """
        wanted = set(contents)
        found: dict[str, dict[str, Values]] = {content: {} for content in wanted}
        marks = ", ".join("?" * len(apart))
        rows = [
            row
            for row in self._base.execute(
                # What is not asked for is not read: large values lie on pages of their own.
                f"select content, measure, version, case when measure in ({marks}) then '{{}}' else told end from measured",
                tuple(apart),
            )
            if row[0] in wanted and versions.get(row[1]) == row[2]
        ]
        # Read as one text: of ten thousand pictures there are a hundred thousand little ones.
        together = json.loads(f"[{','.join(row[3] for row in rows)}]")
        for (content, measure, _, _), told in zip(rows, together, strict=True):
            found[content][measure] = told
        return found

    def told(self, content: str, measure: str, version: str) -> Values:
        """What one measure says of one content; {} where it was not taken in that version."""
        row = self._base.execute(
            "select told from measured where content = ? and measure = ? and version = ?",
            (content, measure, version),
        ).fetchone()
        told: Values = json.loads(row[0]) if row else {}
        return told

    def latest(self, name: str, version: str) -> Values:
        """What `once` made last under this name, of whatever contents; {} where nothing is kept."""
        row = self._base.execute(
            "select told from measured where measure = ? and version = ?", (name, version)
        ).fetchone()
        told: Values = json.loads(row[0]) if row else {}
        return told

    def keep(self, taken: Sequence[Taken]) -> None:
        """Keep what was measured. A file that has changed since it was read is not taken for what it was."""
        with self._base:
            for one in taken:
                self._base.execute(
                    "insert or replace into files values (?, ?, ?, ?)",
                    (os.fsencode(one.path), *one.stat, one.content),
                )
                self._base.executemany(
                    "insert or replace into measured values (?, ?, ?, ?)",
                    [
                        (one.content, measure, version, json.dumps(values))
                        for measure, (version, values) in one.values.items()
                    ],
                )

    def prune(self, alive: Iterable[str], measures: Iterable[str]) -> int:
        """Forget what these measures have of contents that are not `alive`; returns how many contents.

        Only where these are more than the living and than SPARED, so that it is rare and the file at most about
        doubles; sqlite uses the room anew.
        """
        living, named = set(alive), list(measures)
        marks = ",".join("?" * len(named))
        rows = self._base.execute(f"select distinct content from measured where measure in ({marks})", named)
        gone = sum(content not in living for (content,) in rows)
        if gone <= max(SPARED, len(living)):
            return 0
        with self._base:
            self._base.execute("create temp table living (content text primary key) without rowid")
            self._base.executemany("insert into living values (?)", [(content,) for content in living])
            others = "content not in (select content from living)"
            self._base.execute(f"delete from measured where measure in ({marks}) and {others}", named)
            self._base.execute(f"delete from files where {others}")
            self._base.execute("drop table living")
        return gone

    def remember(self, findings: Iterable[Mapping[str, Any]]) -> None:
        """Keep what was found at the end of an audit, as tables, in place of what the one before it found."""
        told = json.dumps(list(findings))
        with self._base:
            self._base.execute("delete from found")
            self._base.execute("insert into found values (?)", (told,))

    def remembered(self) -> list[dict[str, Any]]:
        """What the last audit found, as tables; empty where none came to its end."""
        row = self._base.execute("select told from found").fetchone()
        told: list[dict[str, Any]] = json.loads(row[0]) if row else []
        return told

    def once(self, name: str, version: str, contents: Iterable[str], make: Callable[[], Values]) -> Values:
        """What `make` gives of these contents together, made once: kept under all of them."""
        key = hashlib.sha256("\n".join([name, *sorted(contents)]).encode()).hexdigest()
        if told := self.told(key, name, version):
            return told
        made = make()
        with self._base:
            # Of a set that is gone nobody asks again.
            self._base.execute("delete from measured where measure = ?", (name,))
            self._base.execute(
                "insert into measured values (?, ?, ?, ?)", (key, name, version, json.dumps(made))
            )
        return made


def _opened(file: Path) -> sqlite3.Connection:
    base = sqlite3.connect(file, timeout=10)
    base.execute("pragma journal_mode = wal")
    base.execute("pragma synchronous = normal")
    found = base.execute("pragma user_version").fetchone()[0]
    if found == FORMAT:
        base.execute("select count(*) from files").fetchone()
        return base
    with base:
        for (table,) in base.execute("select name from sqlite_master where type = 'table'").fetchall():
            base.execute(f'drop table "{table}"')
        for statement in filter(str.strip, _TABLES.split(";")):
            base.execute(statement)
        base.execute(f"pragma user_version = {FORMAT}")
    return base


def _read_only(file: Path) -> sqlite3.Connection:
    base = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1)
    found = base.execute("pragma user_version").fetchone()[0]
    if found != FORMAT:
        base.close()
        raise sqlite3.DatabaseError(f"The store is of format {found}.")
    return base
