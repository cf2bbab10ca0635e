"""Edits of captions: what they change, that they change nothing else, and that no pattern takes the room down."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.captioning.arranging import (
    DedupePhrases,
    MovePhrase,
    SortPhrases,
    TriggerFirst,
    TriggerOnce,
)
from engine.dataset.captioning.edits import (
    Chain,
    Prefix,
    Replace,
    ReplacePattern,
    ReplacePhrase,
    Suffix,
    changes,
)
from engine.dataset.captioning.parts import phrase_texts, phrases
from engine.dataset.captioning.tidying import LatinLetters, StraightQuotes, TidyCommas
from projects.problems import Refused

CAPTIONS = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(["xk3r", "a woman", "XK3R woman", "linen", "Linen jacket", "", " ", "x of xk3r"]),
        max_size=8,
    ).flatmap(
        lambda parts: st.sampled_from([",", ", ", " ,\n", "\r\n"]).map(lambda between: between.join(parts))
    ),
)  # fmt: skip
EDITS = (
    Replace("linen", "cotton"), Replace("linen", "cotton", match_case=True), Replace("", "x"),
    ReplacePattern(r"(\w+) jacket", r"\1 coat"), ReplacePhrase(("linen",), "cotton"), ReplacePhrase(("linen", "a woman")),
    Prefix("film grain"), Suffix("film grain"), MovePhrase("linen", 0), MovePhrase("linen", 99),
    SortPhrases(keep=("xk3r",)), DedupePhrases(), TriggerFirst("xk3r"), TriggerOnce("xk3r"), StraightQuotes(), TidyCommas(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [
        (Replace("linen", "cotton"), "a Linen jacket, linen", "a cotton jacket, cotton"),
        (Replace("linen", "cotton", match_case=True), "a Linen jacket, linen", "a Linen jacket, cotton"),
        (Replace("tan", "brown", whole_word=True), "a tan titan, tan_hat", "a brown titan, tan_hat"),
        (Replace("a.b", r"\1"), "a.b axb", r"\1 axb"),
        (ReplacePattern(r"(\d+) ?mm", r"\1 millimetres"), "85mm, 35 mm", "85 millimetres, 35 millimetres"),
        (ReplacePattern("linen ", "", match_case=True), "linen Linen jacket", "Linen jacket"),
        (ReplacePhrase(("grey",), "gray"), "grey, grey wall,  grey\nx", "gray, grey wall\nx"),
        (ReplacePhrase(("grey", "silver"), "gray"), "gray, silver, x", "gray, x"),
        (ReplacePhrase(("b",)), "a, b\nc", "a\nc"),
        (ReplacePhrase(("b",)), "a\nb, c", "a\nc"),
        (ReplacePhrase(("a",)), " a, b", "b"),
        (ReplacePhrase(("c",)), "a, b, c", "a, b"),
        (ReplacePhrase(("A",), match_case=False), "a, b", "b"),
        (ReplacePhrase(("a",)), "a", ""),
        (Prefix("xk3r"), "a woman", "xk3r, a woman"),
        (Prefix("photo of "), "a woman", "photo of a woman"),
        (Prefix("xk3r,"), "a woman", "xk3r, a woman"),
        (Prefix("xk3r"), "XK3R, a woman", "XK3R, a woman"),
        (Prefix("xk3r"), "xk3rs", "xk3r, xk3rs"),
        (Prefix("xk3r, "), "", "xk3r"),
        (Suffix("film grain"), "a woman", "a woman, film grain"),
        (Suffix("film grain"), "a woman, ", "a woman, film grain"),
        (Suffix("film grain"), "a woman, film grain ", "a woman, film grain "),
        (Suffix(". Film grain."), "A woman", "A woman. Film grain."),
        (MovePhrase("c"), "a,b ,\nc", "c,a ,\nb"),
        (MovePhrase("a", 9), "a, b, c", "b, c, a"),
        (MovePhrase("d"), "a, b", "a, b"),
        (SortPhrases(keep=("xk3r",)), "b, xk3r woman, C, a", "a, xk3r woman, b, C"),
        (SortPhrases("count", {"a": 1, "b": 7}), "a, c, b", "b, a, c"),
        (DedupePhrases(), "a, b, A, b , c", "a, b, c"),
        (TriggerFirst("xk3r"), "a woman, xk3r, dusk", "xk3r, a woman, dusk"),
        (TriggerFirst("xk3r"), "a woman, xk3r standing", "xk3r standing, a woman"),
        (TriggerFirst("xk3r"), "a photo of xk3r at dusk", "xk3r, a photo of at dusk"),
        (TriggerFirst("xk3r"), "a photo of xk3r", "xk3r, a photo of"),
        (TriggerFirst("xk3r"), "a woman", "xk3r, a woman"),
        (TriggerFirst("xk3r"), "Xk3r woman", "Xk3r woman"),
        (TriggerFirst("xk3r"), "xk3rs", "xk3r, xk3rs"),
        (TriggerOnce("xk3r"), "xk3r, photo of xk3r at dusk, xk3r", "xk3r, photo of at dusk"),
        (TriggerOnce("a, b"), "a, b, a, b", "a, b, a, b"),
        (StraightQuotes(), "“it’s”\u00a0–\u200b so…", '"it\'s" – so...'),
        (LatinLetters(), "gr\u0430y hair, \u0430 chair, \uff46\uff49\uff4c\uff4d", "gray hair, a chair, film"),
        (LatinLetters(), "женщина в пальто, café naïve", "женщина в пальто, café naïve"),
        (TidyCommas(), "a,, b , , c,", "a, b , c"),
        (TidyCommas(), ", a, \r\nb ,", "a\r\nb"),
        (TidyCommas(), "a , b", "a , b"),
        (Chain((TriggerFirst("xk3r"), DedupePhrases())), "a, a, xk3r", "xk3r, a"),
    ],
)  # fmt: skip
def test_it_does_what_it_says(edit, before, after):
    assert edit(before) == after
    assert edit.words


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.words)
@given(text=CAPTIONS)
def test_twice_is_as_once(edit, text):
    once = edit(text)
    assert edit(once) == once


@given(text=CAPTIONS)
def test_what_does_not_hold_it_stays_to_the_letter(text):
    edits = (
        Replace("qqqq", "x"), ReplacePattern("q{4}", "x"), ReplacePhrase(("qqqq",)), MovePhrase("qqqq"),
        TriggerOnce("qqqq"),
    )  # fmt: skip
    for edit in edits:
        assert edit(text) == text


@given(text=CAPTIONS, place=st.integers(0, 5))
def test_moving_and_sorting_lose_no_phrase_and_keep_what_is_between(text, place):
    found = phrases(text)
    between = [text[a.end : b.start] for a, b in itertools.pairwise(found)]
    for edit in (SortPhrases(), MovePhrase("linen", place), MovePhrase("a woman", place)):
        after = edit(text)
        assert sorted(phrase_texts(after)) == sorted(phrase_texts(text))
        moved = phrases(after)
        assert [after[a.end : b.start] for a, b in itertools.pairwise(moved)] == between


@given(text=CAPTIONS)
def test_the_trigger_ends_up_first_and_once(text):
    after = Chain((TriggerFirst("xk3r"), TriggerOnce("xk3r")))(text)
    assert phrase_texts(after)[0].lower().startswith("xk3r")
    assert sum(part.lower().split().count("xk3r") for part in phrase_texts(after)) >= 1


@given(texts=st.lists(CAPTIONS, max_size=6))
def test_several_are_edited_as_one_by_one(texts):
    for edit in EDITS:
        found = changes(edit, [(str(number), text) for number, text in enumerate(texts)])
        assert {change.key: change.after for change in found} == {
            str(number): edit(text) for number, text in enumerate(texts) if edit(text) != text
        }


@pytest.mark.parametrize(
    ("pattern", "new", "said"),
    [
        ("a(b", "", "The pattern is none at column 4: missing )"),
        ("[z-a]", "", "column 5"),
        ("", "x", "empty"),
        ("((a{1000}){1000}){1000}", "", "too large"),
        ("a" * 2000, "", "too large"),
        ("(a)", r"\2", "The replacement is none"),
        ("(?P<x>a)", r"\g<y>", "names a group that is not there"),
    ],
)
def test_a_bad_pattern_is_refused_with_its_place_before_anything_is_changed(pattern, new, said):
    with pytest.raises(Refused, match=said.replace("(", r"\(").replace(")", r"\)")):
        ReplacePattern(pattern, new)


def test_a_pattern_that_never_ends_is_stopped():
    edit = ReplacePattern("(a|aa)+$", "x")
    started = time.monotonic()
    with pytest.raises(Refused, match="does not come to its end"):
        changes(edit, [(str(number), "a" * 60 + "!") for number in range(1000)])
    assert time.monotonic() - started < 3


def test_long_lines_of_nothing_take_no_time():
    started = time.monotonic()
    for text in (
        " " * 100_000,
        "," * 100_000,
        " ," * 50_000,
        "a " * 50_000,
        "xk3r " * 20_000,
        "a,xk3r," * 15_000,
    ):
        for edit in (*EDITS, DedupePhrases()):
            edit(text)
    assert time.monotonic() - started < 5
