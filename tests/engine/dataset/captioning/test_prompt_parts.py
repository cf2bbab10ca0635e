"""A prompt taken apart into what people know: nothing is lost, and an edit touches its own part only."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.captioning.parts import phrase_texts
from engine.dataset.captioning.prompt_parts import PARTS, edited, joined, said, split, with_parts

TRIGGER, CLASS = ("aur3lia",), ("teapot",)
WORDS = (
    "aur3lia", "a", "woman", "teapot", "in", "on", "with", "linen", "jacket", "bench", "café", "soft", "window", "light",
    "85mm", "film", "grain", "blorvik", "zonk", "f/1.8", "lit", "by", "dark", "hair", "(x:1.2)",
)  # fmt: skip
texts = st.one_of(
    st.text(alphabet="ab ,\n\té", max_size=30),
    st.lists(st.sampled_from((*WORDS, ",", ",", "\n", "  ")), max_size=16).map(" ".join),
)
parts = st.sampled_from(PARTS)


def told(text: str) -> list[tuple[str, str]]:
    return [(each.part, each.text) for each in split(text, TRIGGER, CLASS)]


@given(text=texts)
def test_what_was_taken_apart_is_put_together_again_with_every_phrase_in_its_order(text: str) -> None:
    pieces = split(text, TRIGGER, CLASS)
    assert joined(pieces) == ", ".join(phrase_texts(text))
    assert split(joined(pieces), TRIGGER, CLASS) == pieces
    assert all(a.part != b.part for a, b in pairwise(pieces))


@given(text=texts, part=parts)
def test_what_nobody_edited_is_the_same_to_the_letter(text: str, part: str) -> None:
    pieces = split(text, TRIGGER, CLASS)
    assert edited(pieces, part, said(pieces, part)) == pieces  # type: ignore[arg-type]
    assert with_parts(pieces, {each: said(pieces, each) for each in PARTS}) == pieces


@given(text=texts, part=parts, new=texts)
def test_an_edit_says_what_was_typed_and_leaves_the_other_parts_alone(text: str, part: str, new: str) -> None:
    pieces = split(text, TRIGGER, CLASS)
    after = edited(pieces, part, new)  # type: ignore[arg-type]
    for each in PARTS:
        wanted = new if each == part else said(pieces, each)
        assert phrase_texts(said(after, each)) == phrase_texts(wanted)
    assert all(each.text in joined(after) for each in after)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("aur3lia, a woman with auburn hair in a linen jacket, sitting on a white bench, soft window light, 85mm",
         [("trigger", "aur3lia"), ("subject", "a woman with auburn hair"), ("clothing", "in a linen jacket"),
          ("place", "sitting on a white bench"), ("light", "soft window light"), ("camera", "85mm")]),
        ("aur3lia woman, on bench 3", [("trigger", "aur3lia"), ("subject", "woman"), ("place", "on bench 3")]),
        ("aur3lia, sitting by a window", [("trigger", "aur3lia"), ("subject", "sitting"), ("place", "by a window")]),
        ("aur3lia, dark hair, dark background, golden hour",
         [("trigger", "aur3lia"), ("subject", "dark hair"), ("place", "dark background"), ("light", "golden hour")]),
        ("a photo of aur3lia teapot", [("trigger", "a photo of aur3lia"), ("subject", "teapot")]),
        ("full body, aur3lia at night, shallow depth of field",
         [("camera", "full body"), ("trigger", "aur3lia"), ("light", "at night"), ("camera", "shallow depth of field")]),
        ("aur3lia2, blorvik", [("subject", "aur3lia2, blorvik")]),
        ("", []),
    ],
)  # fmt: skip
def test_known_words_say_what_a_phrase_is_about(text: str, wanted: list[tuple[str, str]]) -> None:
    assert told(text) == wanted


def test_a_phrase_that_nobody_knows_stays_with_the_part_that_it_stood_behind() -> None:
    assert told("aur3lia, woman, zonk, soft light, blorvik, 85mm") == [
        ("trigger", "aur3lia"), ("subject", "woman, zonk"), ("light", "soft light, blorvik"), ("camera", "85mm"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "part", "new", "wanted"),
    [
        ("aur3lia woman, on a bench", "subject", "man", "aur3lia man, on a bench"),
        ("aur3lia woman, on a bench", "trigger", "", "woman, on a bench"),
        ("aur3lia, a woman in a coat on a bench", "clothing", "", "aur3lia, a woman on a bench"),
        ("aur3lia, woman, in a café", "light", "dusk", "aur3lia, woman, in a café, dusk"),
        ("aur3lia, a woman on a bench", "clothing", "red coat", "aur3lia, a woman, red coat, on a bench"),
        ("soft light, aur3lia, window light", "light", "dusk, neon", "dusk, aur3lia, neon"),
        ("soft light, aur3lia, window light", "light", "dusk", "dusk, aur3lia"),
        ("soft light, aur3lia, window light", "light", "a, b, c", "a, aur3lia, b, c"),
        ("woman, dusk", "trigger", "aur3lia", "aur3lia, woman, dusk"),
    ],
)
def test_an_edit_stands_where_the_part_stood(text: str, part: str, new: str, wanted: str) -> None:
    assert joined(edited(split(text, TRIGGER, CLASS), part, new)) == wanted  # type: ignore[arg-type]


def test_a_prompt_out_of_nothing_has_the_order_that_people_know() -> None:
    given_texts = {
        "camera": "85mm",
        "place": "in a café",
        "trigger": "aur3lia",
        "light": "dusk",
        "clothing": "coat",
    }
    assert joined(with_parts((), given_texts)) == "aur3lia, coat, in a café, dusk, 85mm"  # type: ignore[arg-type]
