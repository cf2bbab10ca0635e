"""What the last audit found and a training is started over: told from the store, while it is still about these files."""

from contextlib import closing
from pathlib import Path

import pytest

from engine.dataset.audit.last import last_findings
from engine.dataset.audit.store import Store, Taken
from engine.dataset.findings import Box, Finding
from projects.project import open_project
from tests.tui.conftest import Say
from tui.readiness import examine


def audited(project: Path, *checks: str) -> None:
    """The store of an audit that found `checks` in the first two pictures."""
    images = project / "images"
    with closing(Store(project / "cache" / "audit.sqlite")) as store:
        stats = [(images / f"{n}.png").stat() for n in range(3)]
        store.keep(
            [
                Taken(
                    path=images / f"{n}.png", content=f"{n}", stat=(one.st_size, one.st_mtime_ns), values={}
                )
                for n, one in enumerate(stats)
            ]
        )
        store.remember(
            Finding(
                check=check, severity="blocker", pictures=("0.png", "1.png"), value=f"A {check} is on 2 pictures.",
                confidence="measured", method="consensus", remedy="Crop it away.",
                boxes={"0.png": (Box(left=0.1, top=0.2, right=0.3, bottom=0.4, label="mark"),)},
            ).table()
            for check in checks
        )  # fmt: skip


def blockers(project: Path) -> list[tuple[str, ...]]:
    return [each.pictures for each in examine(open_project(project)).blockers]


def test_training_says_which_blockers_it_was_started_over(
    say: Say, project: Path, stand_in: list[int]
) -> None:
    audited(project, "watermark")
    said = say("train", project, "--json")
    assert said.code == 0
    assert "A blocker of the last audit stands: A watermark is on 2 pictures. Crop it away." in said.err
    assert [each["check"] for each in said.json["blockers"]] == ["watermark"]


def test_what_the_scan_judges_itself_is_not_told_twice_and_the_boxes_come_back(project: Path) -> None:
    audited(project, "truncated", "decoder", "watermark")
    (found,) = examine(open_project(project)).blockers
    assert found.boxes["0.png"][0].label == "mark"


def test_a_blocker_goes_with_its_pictures_and_with_a_reason(project: Path) -> None:
    audited(project, "watermark")
    assert blockers(project) == [("0.png", "1.png")]
    (project / "images" / "0.png").write_bytes((project / "images" / "2.png").read_bytes())
    assert blockers(project) == [("1.png",)]
    with (project / "project.toml").open("a") as file:
        file.write('[data.excluded]\n"1.png" = "marked"\n')
    assert blockers(project) == []


def test_an_ignored_blocker_is_none(project: Path) -> None:
    audited(project, "watermark")
    with (project / "project.toml").open("a") as file:
        file.write('[audit.ignored]\nwatermark = "my own signature"\n')
    assert blockers(project) == []


@pytest.mark.parametrize("content", [None, b"", b"no store at all" * 1000])
def test_without_a_store_nothing_is_said_and_nothing_written(project: Path, content: bytes | None) -> None:
    file = project / "cache" / "audit.sqlite"
    if content is not None:
        file.parent.mkdir()
        file.write_bytes(content)
    before = sorted(project.rglob("*"))
    assert last_findings(project, {project / "images" / "0.png": "0.png"}, {}) == []
    assert sorted(project.rglob("*")) == before
