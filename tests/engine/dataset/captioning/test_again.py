"""The last edit again, and edits of what several captions share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.captioning.again import again_of
from engine.dataset.captioning.phrases import phrase_texts
from engine.dataset.captioning.shared import shared, with_shared


@pytest.mark.parametrize(
    ("before", "after", "other", "made"),
    [
        (
            "k1tch, a linen towel",
            "k1tch, a cotton towel",
            "k1tch, linen on a line",
            "k1tch, cotton on a line",
        ),
        ("k1tch, a linen towel", "k1tch, a cotton towel", "k1tch, a mug", None),
        ("k1tch, a mug", "k1tch, a mug, film grain", "k1tch, a cup", "k1tch, a cup, film grain"),
        ("k1tch, a mug", "k1tch, a mug, film grain", "k1tch, film grain, a cup", None),
        ("k1tch, a mug", "k1tch, a red mug", "k1tch, a cup", "k1tch, a red cup"),
        ("a mug", "k1tch, a mug", "a cup", "k1tch, a cup"),
        ("k1tch, a mug, film grain", "k1tch, a mug", "k1tch, film grain, a cup", "k1tch, a cup"),
        ("k1tch, soft light, a mug", "k1tch, a mug", "a cup, soft light, window", "a cup, window"),
        ("a mug", "a mug ", "a cup", None),
        ("", "k1tch, a mug", "", None),
    ],
)
def test_again(before, after, other, made):
    again = again_of(before, after)
    assert (again.on(other) if again else None) == made


@given(st.text(max_size=30), st.text(max_size=30))
def test_the_same_edit_on_the_same_text_gives_the_same(before, after):
    again = again_of(before, after)
    if again and again.old and before.count(again.old) == 1:
        made = again.on(before)
        assert made is None or phrase_texts(made.replace(" ", "")) == phrase_texts(after.replace(" ", ""))


PHRASES = st.lists(
    st.sampled_from(["k1tch", "a mug", "film", "85mm", "window", "red"]), max_size=5, unique=True
)


def test_what_is_shared_is_edited_in_each():
    texts = ["k1tch, a mug, film, 85mm", "k1tch, film, a cup, 85mm", "k1tch, 85mm, film"]
    before = shared(texts)
    assert before == ["k1tch", "film", "85mm"]
    after = ["k1tch", "film grain", "85mm", "soft light"]
    assert [with_shared(text, before, after) for text in texts] == [
        "k1tch, a mug, film grain, 85mm, soft light",
        "k1tch, film grain, a cup, 85mm, soft light",
        "k1tch, 85mm, film grain, soft light",
    ]
    assert with_shared(texts[1], before, ["k1tch", "85mm"]) == "k1tch, a cup, 85mm"
    assert with_shared(texts[1], before, ["k1tch", "new", "film", "85mm"]) == "k1tch, new, film, a cup, 85mm"


@given(st.lists(PHRASES, min_size=1, max_size=4), PHRASES)
def test_nothing_that_is_not_shared_is_touched(captions, after):
    texts = [", ".join(each) for each in captions]
    before = shared(texts)
    for text in texts:
        made = phrase_texts(with_shared(text, before, after))
        own = [part for part in phrase_texts(text) if part not in before]
        assert [part for part in made if part in own and part not in after] == [
            p for p in own if p not in after
        ]
        assert all(part in made for part in after)
        assert all(part not in made for part in before if part not in after)
    assert all(with_shared(text, before, before) == text for text in texts)
