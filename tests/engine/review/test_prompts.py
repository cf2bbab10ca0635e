"""Which prompts a review draws: with the trigger, without it, and of other things."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.review.prompts import (
    COUNT,
    NONSENSE,
    OTHER_THINGS,
    Texts,
    named,
    nonsense_for,
    texts_of,
    with_word,
    without_trigger,
)


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
    assert with_word("a (x.*) b", ["(x.*)"], "blorvik") == "a blorvik b"


def texts(**changes: object) -> Texts:
    plain = {
        "prompts": ["zork mug on a table", "a plate"],
        "subject_captions": [f"zork mug, light {number}" for number in range(40)],
        "triggers": ["zork", ""],
        "class_word": "mug",
    }
    return texts_of(**{**plain, **changes})  # type: ignore[arg-type]


def test_each_group_has_ten_prompts_that_differ_in_how_the_subject_is_called() -> None:
    found = texts()
    assert found == texts() and found.called == ("zork mug on a table",)
    assert found.control[:2] == ("zork mug on a table", "zork mug, light 0") and len(found.control) == COUNT
    assert found.deleted[:2] == ("on a table", "light 0")
    assert found.nonsense[:2] == ("blorvik on a table", "blorvik, light 0")
    assert found.class_word[:2] == ("mug on a table", "mug, light 0")
    assert found.named == tuple(text for text in OTHER_THINGS if "zork" not in text)[:COUNT]
    assert found.bare == "zork mug" and len(found.captions) == 12


def test_a_class_word_that_the_text_says_anyway_stays() -> None:
    found = texts(prompts=["zork, a red mug in the sun"], subject_captions=[])
    assert found.deleted == ("a red mug in the sun",) and found.nonsense == ("blorvik, a red mug in the sun",)
    assert found.class_word == ()


def test_captions_that_never_say_the_trigger_are_called_with_it_in_front() -> None:
    found = texts(
        prompts=["zork, a plate"], subject_captions=[f"a photo, light {number}" for number in range(20)]
    )
    assert len(found.control) == COUNT and found.control[1] == "zork, a photo, light 0"
    assert found.captions[0] == "a photo, light 0" and found.deleted[1] == "a photo, light 0"


def test_a_project_without_trigger_has_nothing_to_isolate() -> None:
    found = texts(triggers=[])
    assert found.called == ("zork mug on a table", "a plate")
    assert (found.control, found.deleted, found.nonsense, found.class_word, found.bare) == (
        (),
        (),
        (),
        (),
        "",
    )


def test_prompts_that_never_say_the_trigger_get_it_in_front() -> None:
    assert texts(prompts=["a plate", "a table"]).called == ("zork, a plate", "zork, a table")
    assert texts(prompts=[]).called == ("zork mug",)


def test_other_things_do_not_hold_the_trigger_be_it_a_common_word() -> None:
    assert named(["photo"]) == tuple(text for text in OTHER_THINGS if "photo" not in text)[:COUNT]
    assert len(named(["zork"])) == len(named(["mug"])) == COUNT


def test_the_nonsense_word_is_one_that_nobody_used() -> None:
    assert nonsense_for(["a table"]) == NONSENSE[0]
    assert nonsense_for(["Blorvik on a table"]) == NONSENSE[1]
    assert nonsense_for([" ".join(NONSENSE)]) not in NONSENSE


@given(
    own=st.lists(st.text("zork, amug\n", max_size=20), max_size=6),
    trigger=st.sampled_from(["zork", "mug", "a", "z"]),
    class_word=st.sampled_from(["", "mug", "zork"]),
)
def test_whatever_the_texts_the_trigger_is_never_said_where_it_must_not_be(
    own: list[str], trigger: str, class_word: str
) -> None:
    found = texts(prompts=own, triggers=[trigger], class_word=class_word)
    for group in (found.deleted, found.nonsense, found.class_word, found.named):
        assert len(group) <= COUNT and all(text.strip() for text in group)
        assert not any(trigger in text.casefold() for text in group)
