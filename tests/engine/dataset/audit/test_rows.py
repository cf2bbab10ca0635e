"""What an audit tells of each picture for lists and filters, and that it keeps what it has said."""

from pathlib import Path

import numpy as np
import pytest

from engine.dataset.audit import __main__ as by_line
from engine.dataset.audit import audit as auditing
from engine.dataset.audit.__main__ import picture_table
from engine.dataset.audit.audit import audit
from engine.dataset.audit.kinds import lights
from engine.dataset.audit.setups import setups
from engine.dataset.audit.shapes import Audited
from engine.dataset.audit.store import Store
from engine.dataset.findings import Finding
from projects.bases import describe
from projects.project import open_project, resolve
from tests.engine.dataset.audit import planted
from tests.engine.dataset.audit.given import collection, picture
from tests.engine.dataset.audit.judging import write
from tests.engine.dataset.audit.test_most import TEXT


def _lit(number: int, lightness: float) -> Audited:
    colour = {"lightness": lightness + number % 3, "range": 60.0, "dark": 0.1, "warmth": 0.2}
    return picture(f"{number}.png", colour=colour)


def test_set_ups_are_those_that_are_counted_and_an_odd_picture_has_none() -> None:
    given = collection(
        *(_lit(n, 40) for n in range(12)), *(_lit(n, 80) for n in range(12, 20)), _lit(30, 5.0)
    )
    found = setups(given)
    assert {found[f"{n}.png"] for n in range(12)} == {1} and {found[f"{n}.png"] for n in range(12, 20)} == {2}
    assert "30.png" not in found and lights(given) == 2


def test_a_row_tells_what_was_measured_and_not_what_a_person_says() -> None:
    faces = {"faces": [[0.3, 0.2, 0.6, 0.7, 0.9], [0.7, 0.2, 0.8, 0.3, 0.9]]}
    one, other = picture("a.png", sharpness={"lap": 212.0}, faces=faces), picture("b.png")
    bare = collection(one, other)
    row = picture_table(one, bare)
    assert (row["sharp"], row["faces"], row["distance"], row["set"]) == (212.0, 2, "close-up", "images")
    row = picture_table(other, bare)
    assert (row["sharp"], row["faces"], row["distance"]) == (None, None, "")


def test_what_is_said_is_kept_before_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "SAY_SECONDS", 0.0)
    (tmp_path / "images").mkdir()
    write(tmp_path / "images", {f"{seed}": np.asarray(planted.leaves(seed, 64, 64)) for seed in range(3)})
    (tmp_path / "project.toml").write_text(TEXT, encoding="utf-8")
    project = open_project(tmp_path)
    spec = resolve(project, [])
    said = 0
    for report in audit(tmp_path, spec, describe(spec.base.source, tmp_path), processes=1):
        store = Store(tmp_path / "cache" / "audit.sqlite", only_read=True)
        paths = [one.path for one in report.collection.pictures if one.sha256]
        assert set(store.contents(paths)) == set(paths)
        store.close()
        said += bool(paths)
    assert said >= 3


def test_pictures_and_findings_are_told_a_few_in_a_line_all_of_them_before_their_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_line, "_AT_ONCE", 2)
    (tmp_path / "images").mkdir()
    write(tmp_path / "images", {f"{seed}": np.asarray(planted.leaves(seed, 64, 64)) for seed in range(5)})
    (tmp_path / "project.toml").write_text(TEXT, encoding="utf-8")
    spec = resolve(open_project(tmp_path), [])
    for last in audit(tmp_path, spec, describe(spec.base.source, tmp_path), processes=1):
        *told, report = by_line._told(last, everything=True)
    names = [one["name"] for line in told if line["kind"] == "pictures" for one in line["pictures"]]
    findings = [Finding.read(one) for line in told if line["kind"] == "findings" for one in line["findings"]]
    assert names == [f"{seed}.jpg" for seed in range(5)] and findings == list(last.findings) and findings
    assert all(len(line[line["kind"]]) <= 2 for line in told) and report["kind"] == "report"
