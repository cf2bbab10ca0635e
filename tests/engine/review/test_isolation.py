"""Which prompts test an adapter without its trigger."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.review.isolation import COUNT, OTHER_THINGS, prompts, without_trigger


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("aur3lia, a woman on a bench", "a woman on a bench"),
        ("a photo of AUR3LIA, woman, soft light", "a photo of, woman, soft light"),
        ("a photo of aur3lia on a bench", "a photo of woman on a bench"),
        ("soft light, aur3lia", "soft light, woman"),
        ("aur3lia", "woman"),
        ("aur3lia and aur3lia, two women", "woman and, two women"),
        ("a woman\nin aur3lia style", "a woman in style"),
        ("no such word here", "no such word here"),
        ("aur3lia_2 stays, it is another word", "aur3lia_2 stays, it is another word"),
    ],
)
def test_the_trigger_is_taken_out(text: str, bare: str) -> None:
    assert without_trigger(text, ["aur3lia"], "woman") == bare


def test_without_class_word_nothing_is_put_in() -> None:
    assert without_trigger("xk3r, on a bench", ["xk3r"], "") == "on a bench"
    assert without_trigger("xk3r", ["xk3r"], "") == ""


def test_a_trigger_of_marks_is_no_pattern() -> None:
    assert without_trigger("a (x.*) b", ["(x.*)"], "") == "a b"


def chosen(**changes: object) -> tuple[str, ...]:
    plain = {
        "own_prompts": ["zork, a mug on a table", "zork in a field"],
        "subject_captions": [f"zork, a mug, light {number}" for number in range(40)],
        "regularization_captions": [f"a vase, light {number}" for number in range(8)],
        "triggers": ["zork", ""],
        "class_word": "mug",
    }
    return prompts(**{**plain, **changes})  # type: ignore[arg-type]


def test_ten_of_the_four_kinds_always_the_same() -> None:
    found = chosen()
    assert found == chosen() and len(set(found)) == COUNT
    assert found[:3] == ("a mug on a table", "mug in a field", "a mug, light 0")
    assert found[5] == "a photo of a mug"
    assert found[6:] == ("a vase, light 0", "a vase, light 1", "a vase, light 2", "a vase, light 3")


def test_a_project_with_one_caption_gets_ten_all_the_same() -> None:
    found = chosen(
        own_prompts=[], subject_captions=["zork"] * 30, regularization_captions=[], class_word="apple"
    )
    assert len(found) == COUNT and found[:2] == ("apple", "a photo of an apple")
    assert found[2:] == OTHER_THINGS[:8]


def test_no_text_holds_the_trigger_not_even_inside_a_word() -> None:
    found = chosen(triggers=["zork", "vas"], own_prompts=["zorkish things", "a zork"])
    assert len(found) == COUNT
    assert not any("zork" in text or "vas" in text for text in found)


@given(
    own=st.lists(st.text("zork, amug\n", max_size=20), max_size=6),
    trigger=st.sampled_from(["zork", "mug", "a", "z"]),
    class_word=st.sampled_from(["", "mug", "zork"]),
)
def test_whatever_the_texts_the_trigger_is_never_said(own: list[str], trigger: str, class_word: str) -> None:
    found = chosen(own_prompts=own, triggers=[trigger], class_word=class_word)
    assert len(found) <= COUNT and all(text.strip() for text in found)
    assert not any(trigger in text.casefold() for text in found)
