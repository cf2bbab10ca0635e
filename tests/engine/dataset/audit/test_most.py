"""A measure that says how many pictures of a folder it needs is taken of no more, and of the same ones each time."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.dataset.audit.audit import audit
from engine.dataset.audit.edges import EDGES
from engine.dataset.audit.shelf import MEASURES
from projects.bases import describe
from projects.project import open_project, resolve
from tests.engine.dataset.audit import planted
from tests.engine.dataset.audit.judging import write

TEXT = """format = 1
trigger = "zvx"
[base]
source = "demo"
[data]
images = "images"
"""


def test_no_more_than_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MEASURES, "edges", replace(EDGES, most=3))  # type: ignore[arg-type]
    (tmp_path / "images").mkdir()
    write(tmp_path / "images", {f"{seed}": planted.leaves(seed, 320, 240) for seed in range(6)})
    (tmp_path / "project.toml").write_text(TEXT, encoding="utf-8")
    project = open_project(tmp_path)
    spec = resolve(project, [])
    facts = describe(spec.base.source, project.path, revision=spec.base.revision)
    last = [list(audit(tmp_path, spec, facts, processes=1))[-1] for _ in range(2)][-1]
    taken = [one for one in last.collection.pictures if "edges" in one.values]
    assert last.collection.complete
    assert [one.sha256 for one in sorted(taken, key=lambda one: one.sha256)] == sorted(
        one.sha256 for one in last.collection.pictures
    )[:3]
