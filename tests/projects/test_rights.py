"""The door: what it refuses, what it must not refuse, and that it fails closed."""

from dataclasses import replace
from pathlib import Path

import pytest

from projects.problems import Refused
from projects.rights import allow
from projects.spec import Data, DataSet, RunSpec
from projects.wording import wording_of

DATA = Path(__file__).resolve().parents[1] / "data"
GENERAL = RunSpec(name="aurelia", trigger="aur3lia", class_word="woman")
PLAIN = RunSpec()
MATURE = RunSpec(rating="mature")


def lines(name: str) -> list[tuple[str, str]]:
    rows = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [
        (rating, text) for rating, _, text in (row.partition("|") for row in rows if not row.startswith("#"))
    ]


REFUSED, ALLOWED = lines("wording_refused.txt"), lines("wording_allowed.txt")


def said(spec: RunSpec, action: str, texts: list[str], project: Path = Path("/none")) -> str:
    """What the door says; empty when it is open."""
    try:
        allow(project, spec, action, texts)  # type: ignore[arg-type]
    except Refused as refused:
        return "\n".join(map(str, refused.problems))
    return ""


def test_the_rule_is_tested_on_enough_texts():
    assert len(set(REFUSED)) >= 60 and len(set(ALLOWED)) >= 60


@pytest.mark.parametrize(("rating", "text"), REFUSED)
def test_texts_that_must_be_refused(rating, text):
    general, mature = said(PLAIN, "sample", [text]), said(MATURE, "draft", [text])
    if rating == "any":
        assert "nudity or sex" in general and "nudity or sex" in mature
    else:
        assert general == "" and "points at a minor" in mature


@pytest.mark.parametrize(("rating", "text"), ALLOWED)
def test_texts_that_must_pass(rating, text):
    assert said(PLAIN, "sample", [text]) == ""
    if rating == "any":
        assert said(MATURE, "draft", [text]) == ""
    else:
        assert said(MATURE, "draft", [text]) != ""


def test_the_words_that_caused_it_are_named():
    assert '("schoolgirl") with nudity or sex ("naked")' in said(PLAIN, "train", ["n4ked sch00lgirl"])
    assert '"17 year old"' in said(MATURE, "draft", ["woman, 17-year-old"])


def test_every_refused_text_is_listed_once_and_a_flood_is_cut():
    texts = ["nude child", "a mug", "naked boy", "nude child"]
    with pytest.raises(Refused) as refused:
        allow(Path("/none"), PLAIN, "train", texts)
    assert [problem.where for problem in refused.value.problems] == ['text "nude child"', 'text "naked boy"']
    flood = said(PLAIN, "train", [f"nude child {n}" for n in range(50)])
    assert "30 more texts are refused" in flood


def test_trigger_class_word_and_sets_count_with_every_text():
    child = replace(GENERAL, class_word="child")
    assert said(child, "train", ["a portrait"]) == ""
    assert 'nudity or sex ("nude")' in said(child, "sample", ["nude"])
    sets = Data(sets=(DataSet(path="a", class_word="toddler"),))
    assert "toddler" in said(replace(GENERAL, data=sets), "train", ["topless"])
    assert "trigger" in said(replace(GENERAL, trigger="nude_child"), "train", [])
    assert "points at a minor" in said(replace(GENERAL, rating="mature", trigger="my_girl"), "draft", [])


@pytest.mark.parametrize("action", ["train", "sample", "review", "export"])
def test_a_mature_project_is_closed_until_papers_can_be_checked(action, tmp_path):
    closed = said(MATURE, action, ["a woman by a window"], tmp_path)
    assert "A mature project cannot" in closed and "rights.toml is missing" in closed and "release" in closed
    (tmp_path / "rights.toml").write_text("format = 1\n")
    assert "cannot check it yet" in said(MATURE, action, [], tmp_path)
    assert said(GENERAL, action, ["a woman by a window"], tmp_path) == ""


def test_a_rating_that_is_not_known_is_closed_too(tmp_path):
    unknown = replace(GENERAL, rating="whatever")  # type: ignore[arg-type]
    assert "cannot train" in said(unknown, "train", [], tmp_path)


def test_captions_may_be_drafted_in_a_mature_project_and_wording_is_checked_there():
    assert said(MATURE, "draft", ["a woman by a window"]) == ""
    assert "points at a minor" in said(MATURE, "draft", ["a girl by a window"])


def test_what_is_quoted_cannot_steer_a_terminal():
    assert "\x1b" not in said(PLAIN, "sample", ["nude child \x1b[2J" + "x" * 300])


def test_ages_of_things_are_ages_of_nobody_only_where_nobody_is():
    assert wording_of("12 year old whisky").minor == ()
    assert wording_of("a woman with a 12 year old whisky").minor != ()
    assert wording_of("a mug, nude, 12 year old").joins
