"""safelight new on a base that is not on this machine yet."""

from pathlib import Path

import pytest

from tests.tui.conftest import TRIGGER, Say

HUB_ID = "somebody/a-base-nobody-has"


@pytest.fixture(autouse=True)
def own_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def test_it_is_made_says_what_is_missing_and_plan_asks_for_it(say: Say, project: Path) -> None:
    made = ("new", "mine", "--base", HUB_ID, "--images", project / "images", "--trigger", TRIGGER)
    said = say(*made)
    assert said.code == 0 and "base.family" in said.out and "plan and train ask for it" in said.out
    planned = say("plan", "mine", "--json")
    assert planned.code == 2 and "base.family" in planned.json["hint"]
    assert say("plan", "mine", "--set", "base.family=sdxl").code == 0


def test_with_its_family_it_has_a_plan_with_disk_download_and_a_warning_about_the_cpu(
    say: Say, project: Path
) -> None:
    made = ("new", "mine", "--base", HUB_ID, "--images", project / "images", "--trigger", TRIGGER)
    said = say(*made, "--family", "sdxl")
    assert said.code == 0 and "base.family" not in said.out
    planned = say("plan", "mine", "--json").json
    assert planned["disk_bytes"] > 10**9
    notes = "\n".join(planned["notes"])
    assert "downloaded when the run starts" in notes and "No NVIDIA card here" in notes
    assert say(*made, "--family", "sd9").code == 2
