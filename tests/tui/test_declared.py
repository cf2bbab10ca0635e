"""What a person says of pictures, in project.toml: names are data, and everything else in the file stays."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.tui.recorded import write_project
from tui.changes import Change, ChangedOutside, again, put
from tui.declared import keys_of, read_declared


def said(project: Path, section: str, values: Mapping[str, Any]) -> Change | None:
    return put(project, keys_of(section, values), "said")


@pytest.mark.parametrize(
    "name", ['a"b=.jpg', "ü [x].jpg", "a.b/c d.jpg", "it's #1.png", "back\\slash.jpg", "IMG_0001.png"]
)
def test_any_name_is_written_read_and_taken_out_again(tmp_path: Path, name: str) -> None:
    project = write_project(tmp_path / "aurelia", pictures=1)
    before = (project / "project.toml").read_text()
    said(project, "data.excluded", {name: 'why "so" = x'})
    assert read_declared(project).excluded == {name: 'why "so" = x'}
    said(project, "data.crop", {name: [0.5, 0.2]})
    assert read_declared(project).crop == {name: (0.5, 0.2)}
    said(project, "data.crop", {name: None, "never there.png": None})
    assert said(project, "data.crop", {name: None}) is None, "nothing to say is no step"
    said(project, "data.excluded", {name: None})
    assert read_declared(project).excluded == {}
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


def test_many_are_one_step_and_what_others_wrote_stays(tmp_path: Path) -> None:
    project = write_project(tmp_path / "aurelia", pictures=1)
    file = project / "project.toml"
    names = [f"a b/{at}.jpg" for at in range(50)]
    change = said(project, "data.excluded", dict.fromkeys(names, "soft"))
    assert change and list(read_declared(project).excluded) == names
    file.write_text(file.read_text() + "# mine\n")
    back = again(project, change.back())
    assert read_declared(project).excluded == {} and "# mine" in file.read_text()
    again(project, back.back())
    assert list(read_declared(project).excluded) == names
    # Another reason, written by somebody else: nothing of the step is taken back then.
    file.write_text(file.read_text().replace('"a b/7.jpg" = "soft"', '"a b/7.jpg" = "dark"'))
    with pytest.raises(ChangedOutside):
        again(project, change.back())
    assert len(read_declared(project).excluded) == 50
