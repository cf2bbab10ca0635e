"""What the last audit of a project found, for those who only read it: no picture is opened and no library loaded."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from engine.dataset.audit.store import Store
from engine.dataset.findings import Finding


def last_findings(project: Path, pictures: Mapping[Path, str], ignored: Mapping[str, str]) -> list[Finding]:
    """The findings that are still about `pictures`: without files that changed since, and without those left out since.

    pictures: file -> name. ignored: of project.toml as it is now. Empty where no audit came to its end, and where its
    store cannot be read.
    """
    try:
        with closing(Store(project / "cache" / "audit.sqlite", only_read=True)) as store:
            unchanged = {pictures[path] for path in store.contents(pictures)}
            told = [Finding.read(table) for table in store.remembered()]
    except (OSError, sqlite3.Error, ValueError, KeyError, TypeError):
        return []
    findings = []
    for finding in told:
        left = tuple(name for name in finding.pictures if name in unchanged)
        if left or not finding.pictures:
            findings.append(replace(finding, pictures=left).told(ignored))
    return findings
