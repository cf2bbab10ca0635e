"""What CLIP's vocabulary makes of triggers, and what is suggested instead."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dataset.captioning.trigger_word import judged, suggestions, worst
from engine.dataset.tokens import Encoder, encoders_of, shipped
from projects.spec import Base
from tests.engine.tiny_flux import tiny_flux

CLIP = shipped()


@pytest.mark.parametrize(
    ("word", "verdict", "parts"),
    [
        ("anna", "word", ("anna",)),
        ("portrait", "word", ("portrait",)),
        ("Rose", "word", ("rose",)),
        ("janedoe", "words", ("jane", "doe")),
        ("photostyle", "words", ("photo", "style")),
        ("red hat", "words", ("red", "hat")),
        ("ohwx", "rare", ()),
        ("sks", "rare", ()),
        ("zwx", "invented", ()),
        ("xk3r_style", "invented", ("style",)),
        ("aur3lia_portrait", "invented", ("portrait",)),
        ("j4n3d03", "invented", ()),
        ("", "invented", ()),
    ],
)
def test_words_are_told_from_inventions(word, verdict, parts):
    found = judged(word, CLIP)
    assert (found.verdict, found.parts if verdict != "rare" else ()) == (verdict, parts)


def test_it_is_said_in_a_line():
    assert judged("aur3lia_portrait", CLIP).summary == "5 tokens, not a word, but holds portrait"
    assert judged("j4n3d03", CLIP).summary == "7 tokens, not a word"
    assert judged("anna", CLIP).summary == "1 token, a word already"
    assert judged("janedoe", CLIP).summary == "2 tokens, made of words: jane + doe"


def test_the_demo_knows_its_little_world_only(tmp_path):
    demo = [each for each in encoders_of(Base(source="demo"), tmp_path) if isinstance(each, Encoder)]
    assert judged("woman", demo[0]).verdict == "word"
    assert judged("cup", demo[0]).verdict == "invented"
    assert suggestions("cup", demo)


def test_of_several_encoders_the_worst_counts(tmp_path):
    flux = [
        each for each in encoders_of(Base(source=str(tiny_flux())), tmp_path) if isinstance(each, Encoder)
    ]
    told = [judged("anna", CLIP), *(judged("anna", each) for each in flux)]
    assert worst(told) is told[0] and worst([]) is None


@settings(deadline=None, max_examples=40)
@given(word=st.one_of(st.sampled_from(["aurelia", "anna", "child", "a b", ""]), st.text(max_size=30)))
def test_suggestions_are_words_to_nobody(word):
    offered = suggestions(word, [CLIP])
    assert offered == suggestions(word, [CLIP]) and len(set(offered)) == len(offered) == 3
    for each in offered:
        found = judged(each, CLIP)
        assert found.verdict == "invented" and not found.parts and len(found.pieces) > 2


def test_suggestions_of_a_minor_are_not_made_of_that_word():
    assert not any("ch" in each for each in suggestions("child", [CLIP]))


def test_a_word_that_is_too_long_is_still_judged():
    assert len(judged("word" * 200, CLIP).pieces) > 75
