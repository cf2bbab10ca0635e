"""Phrases and words over many captions, and the ones that are the same thing twice."""

import itertools
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.captioning.parts import phrase_texts, phrases, words
from engine.dataset.captioning.phrases import count_phrases, count_words, one_apart, ordered, twins


@given(text=st.text(alphabet="ab ,\n\r\té", max_size=40))
def test_phrases_are_what_stands_between_commas_and_line_ends(text):
    found = phrases(text)
    assert [text[each.start : each.end] for each in found] == [each.text for each in found]
    assert all(each.text and each.text == each.text.strip() and "," not in each.text for each in found)
    assert phrase_texts(text) == [each.text for each in found]
    between = [text[a.end : b.start] for a, b in itertools.pairwise(found)]
    assert all(set(each) <= set(" ,\n\r\t") for each in between)


def test_each_caption_counts_a_phrase_once():
    texts = ["linen, linen, Linen jacket", "linen jacket\nlinen", ""]
    assert count_phrases(texts) == {"linen": 2, "Linen jacket": 1, "linen jacket": 1}
    assert count_words(texts) == {"linen": 2, "jacket": 2}
    assert words("It's a xk3r_style, 85mm-lens 'quote'") == ["it's", "a", "xk3r_style", "85mm-lens", "quote"]


def test_the_panel_can_be_ordered_three_ways():
    counts = {"b": 2, "A": 2, "c": 9}
    assert ordered(counts) == [("c", 9), ("A", 2), ("b", 2)]
    assert ordered(counts, "name") == [("A", 2), ("b", 2), ("c", 9)]
    assert ordered(counts, "rarity") == [("A", 2), ("b", 2), ("c", 9)]


@pytest.mark.parametrize(
    ("counts", "keep", "others", "why"),
    [
        ({"grey": 10, "gray": 4}, "grey", ("gray",), "spelling"),
        ({"blue_eyes": 2, "blue eyes": 9}, "blue eyes", ("blue_eyes",), "joined otherwise"),
        ({"Linen Jacket": 1, "linen jacket": 9}, "linen jacket", ("Linen Jacket",), "case"),
        ({"linen jackets": 2, "linen jacket": 9}, "linen jacket", ("linen jackets",), "plural"),
        ({"colour film": 2, "color film": 3}, "color film", ("colour film",), "spelling"),
        ({"organised desk": 2, "organized desk": 3}, "organized desk", ("organised desk",), "spelling"),
        ({"soft window light": 30, "soft windwo light": 1}, "soft window light", ("soft windwo light",), "one letter"),
        ({"standing": 30, "standng": 2}, "standing", ("standng",), "one letter"),
    ],
)  # fmt: skip
def test_twins_are_offered(counts, keep, others, why):
    (found,) = twins(counts)
    assert (found.keep, found.others, found.why) == (keep, others, why)


@pytest.mark.parametrize(
    "counts",
    [
        {"85mm": 9, "35mm": 1},
        {"fair hair": 1, "fair": 30},
        {"night": 1, "light": 30},
        {"black": 10, "block": 8},
        {"cat": 30, "car": 1},
        {"": 3, "-": 2},
    ],
)
def test_what_only_looks_alike_is_left_alone(counts):
    assert twins(counts) == []


@given(one=st.text(alphabet="abc", max_size=6), other=st.text(alphabet="abc", max_size=6))
def test_one_letter_apart_is_what_it_says(one, other):
    made = {one[:at] + one[at + 1 :] for at in range(len(one))}
    made |= {one[:at] + letter + one[at:] for at in range(len(one) + 1) for letter in "abc"}
    made |= {one[:at] + letter + one[at + 1 :] for at in range(len(one)) for letter in "abc"}
    made |= {one[:at] + one[at + 1] + one[at] + one[at + 2 :] for at in range(len(one) - 1)}
    assert one_apart(one, other) == (other in made - {one})


def test_ten_thousand_captions_are_no_matter_of_seconds():
    draw = random.Random(3)
    pool = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(3, 9))) for _ in range(3000)]
    texts = [", ".join(f"{draw.choice(pool)} {draw.choice(pool)}" for _ in range(5)) for _ in range(10_000)]
    started = time.monotonic()
    counts = count_phrases(texts)
    twins(counts)
    assert len(counts) > 40_000
    assert time.monotonic() - started < 3
