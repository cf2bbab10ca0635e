"""What a person says of pictures, in project.toml: names are data, and everything else in the file stays."""

from pathlib import Path

import pytest

from tests.tui.recorded import write_project
from tui.declared import declare, read_declared


@pytest.mark.parametrize(
    "name", ['a"b=.jpg', "ü [x].jpg", "a.b/c d.jpg", "it's #1.png", "back\\slash.jpg", "IMG_0001.png"]
)
def test_any_name_is_written_read_and_taken_out_again(tmp_path: Path, name: str) -> None:
    project = write_project(tmp_path / "aurelia", pictures=1)
    before = (project / "project.toml").read_text()
    assert declare(project, "data.excluded", {name: 'why "so" = x'}).excluded == {name: 'why "so" = x'}
    assert declare(project, "data.crop", {name: [0.5, 0.2]}).crop == {name: (0.5, 0.2)}
    declare(project, "data.crop", {name: None, "never there.png": None})
    assert declare(project, "data.excluded", {name: None}).excluded == {}
    after = (project / "project.toml").read_text()
    assert all(line in after for line in before.splitlines()), "comments and other values stay"


def test_what_stands_there_wrongly_is_passed_over(tmp_path: Path) -> None:
    project = write_project(tmp_path / "aurelia", pictures=1)
    text = (project / "project.toml").read_text()
    (project / "project.toml").write_text(
        text + '[data.crop]\n"a.png" = [0.1]\n"b.png" = [0.1, 0.2]\n[audit]\nlight = "window"\n'
    )
    said = read_declared(project)
    assert said.crop == {"b.png": (0.1, 0.2)} and said.light == {}
