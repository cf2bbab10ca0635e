"""safelight trigger: tokens, verdict and suggestions, by line and as JSON."""

from pathlib import Path

import pytest

from tests.tui.conftest import TRIGGER, Say


def test_an_invented_word_passes_and_a_word_does_not(say: Say) -> None:
    said = say("trigger", "xk3rvo", "--json")
    assert said.code == 0
    assert said.json["verdict"] == "invented" and said.json["base"] is None
    assert [each["token"] for each in said.json["encoders"][0]["tokens"]] == [
        "x",
        "k</w>",
        "3</w>",
        "r",
        "vo</w>",
    ]
    said = say("trigger", "anna")
    assert said.code == 1
    assert "anna   1 token, a word already" in said.out and "invented ones: 4nna" in said.out
    assert say("trigger", "janedoe", "--json").json["parts"] == ["jane", "doe"]


def test_the_base_decides_what_is_a_word(say: Say) -> None:
    assert say("trigger", "cup", "--json").code == 1
    said = say("trigger", "cup", "--base", "demo", "--json")
    assert said.code == 0
    assert [each["encoder"] for each in said.json["encoders"]] == ["CLIP", "CLIP 2"]
    assert say("trigger", "woman", "--base", "demo").code == 1
    assert say("trigger", "x", "--base", "not/here/at all").code == 2


def test_a_base_that_is_not_here_is_said_to_be_judged_by_clip(
    say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    said = say("trigger", "xk3rvo", "--base", "somebody/base", "--json")
    assert said.code == 0 and said.json["base"] is None
    assert "not on this machine" in said.err


def test_near_misses_of_a_project_are_named(say: Say, project: Path) -> None:
    (project / "images" / "1.txt").write_text("trial_cup cup, on a table")
    said = say("trigger", TRIGGER, "--project", project, "--json")
    assert said.json["near"] == [{"word": "trial_cup", "captions": ["images/1.txt"]}]
    assert said.json["base"] == "demo"


def test_nothing_is_no_trigger(say: Say) -> None:
    assert say("trigger", " ").code == 2
