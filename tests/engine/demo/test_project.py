"""The demo's project folder."""

import hashlib
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.dataset.audit.audit import audit
from engine.demo.__main__ import main
from engine.demo.captions import caption
from engine.demo.data import scene_of
from engine.demo.faults import FAULTS
from engine.demo.project import CLASS_WORD, HOLDOUT, IMAGES, REGULARIZATION, TRIGGER, write_project
from engine.demo.world import draw_scene, generator
from projects.bases import describe
from projects.project import open_project, resolve

MEAN_COLOURS = {
    "images/toadstool-01.png": (140.2, 166.9, 163.7),
    "images/toadstool-30.png": (55.5, 37.8, 43.0),
    "holdout/toadstool-12.png": (111.2, 98.2, 103.7),
    "regularization/world-60.png": (80.5, 33.8, 38.0),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "toadstool"
    write_project(folder)
    return folder


def test_counts_and_captions(project: Path) -> None:
    for name, count in (("images", 30), ("regularization", 60), ("holdout", 12)):
        pictures = sorted((project / name).glob("*.png"))
        assert len(pictures) == count
        assert len(list((project / name).iterdir())) == 2 * count
        for picture in pictures:
            text = picture.with_suffix(".txt").read_text(encoding="utf-8")
            assert text.startswith(TRIGGER) if name != "regularization" else TRIGGER not in text


def test_sizes_vary_and_hold_the_native_size(project: Path) -> None:
    sizes = {Image.open(path).size for path in (project / "images").glob("*.png")}
    assert sizes == {(64, 64), (72, 64), (64, 72), (80, 80)}


def test_no_picture_twice(project: Path) -> None:
    pictures = [path.read_bytes() for path in project.rglob("*.png")]
    assert len(set(pictures)) == len(pictures) == 102


def test_trigger_and_class_word_are_unknown_to_the_base() -> None:
    for index in range(3000):
        rng = generator(0, "caption", index)
        text = caption(draw_scene(rng), rng, FAULTS[index % 4] if index % 5 == 0 else None)
        assert TRIGGER not in text and CLASS_WORD not in text and "toadstool" not in text


def test_project_toml(project: Path) -> None:
    table = tomllib.loads((project / "project.toml").read_text(encoding="utf-8"))
    assert table["format"] == 1 and table["base"]["source"] == "demo" and table["trigger"] == TRIGGER
    assert table["class_word"] == CLASS_WORD and table["rating"] == "general"
    prompts = table["sample"]["prompts"]
    assert [TRIGGER in prompt for prompt in prompts] == [True] * 4 + [False] * 2
    assert [(one["path"], one.get("role", "subject")) for one in table["data"]["sets"]] == [
        ("images", "subject"),
        ("regularization", "regularization"),
        ("holdout", "holdout"),
    ]


def test_same_files_again(project: Path, tmp_path: Path) -> None:
    write_project(tmp_path / "again")
    for path in sorted(project.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "again" / path.relative_to(project)).read_bytes()


def test_the_demo_stays_the_same_to_the_letter(project: Path) -> None:
    """What was measured on it (docs/lab-log.md) holds for these captions, these pictures and this project.toml."""
    digest = hashlib.sha256()
    for path in sorted(project.rglob("*")):
        if path.suffix in (".txt", ".toml"):
            digest.update(path.relative_to(project).as_posix().encode() + b"\0" + path.read_bytes())
    assert digest.hexdigest() == "db2132669f920fb5de7ea0aacf3f809c82beaa62e5920d55042f2e12d1065018"
    # Pixels may differ in the last digit between machines.
    for name, colour in MEAN_COLOURS.items():
        assert np.asarray(Image.open(project / name)).mean((0, 1)) == pytest.approx(colour, abs=0.5)


def test_refuses_a_folder_with_a_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*")}
    assert main(["project", str(project)]) == 1
    assert "a project is here already" in capsys.readouterr().err
    assert before == {path: path.stat().st_mtime_ns for path in project.rglob("*")}


def test_rows_become_scenes() -> None:
    scene = draw_scene(generator(1))
    assert scene_of({**scene.__dict__, "fault": None, "time_ids": [64] * 6}) == scene


def test_the_audit_finds_nothing_but_what_is_odd_about_it(tmp_path: Path) -> None:
    write_project(tmp_path / "demo")
    opened = open_project(tmp_path / "demo")
    spec = resolve(opened)
    facts = describe(spec.base.source, opened.path)
    *_, report = audit(opened.path, spec, facts, processes=2)
    assert report.collection.complete and len(report.collection.pictures) == IMAGES + REGULARIZATION + HOLDOUT
    told = {
        (finding.check, finding.severity) for finding in report.findings if finding.confidence != "not-run"
    }
    assert told == {("count", "note"), ("regularization", "note")}
    (meant,) = [finding for finding in report.findings if finding.check == "regularization"]
    assert "half is meant" in meant.ignored and meant.number == 0.5
