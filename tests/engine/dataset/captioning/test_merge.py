"""Two people in one caption: both are kept where they do not touch, and nothing is lost where they do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.captioning.merge import both, merged

WORDS = st.lists(st.sampled_from(["a", "b", "c", "red", ",", " ", "\n", "linen coat"]), max_size=12).map(
    "".join
)


@given(WORDS, WORDS)
def test_who_changes_nothing_changes_nothing(base, mine):
    assert merged(base, mine, base) == mine
    assert merged(base, base, mine) == mine
    assert merged(base, mine, mine) == mine


@given(WORDS, WORDS, WORDS)
def test_it_does_not_matter_who_is_who(base, mine, theirs):
    assert merged(base, mine, theirs) == merged(base, theirs, mine)


@given(WORDS, WORDS, WORDS)
def test_no_line_of_either_side_is_lost(mine, theirs, _unused):
    lines = both(mine, theirs).split("\n")
    for side in (mine, theirs):
        rest = iter(lines)
        assert all(line in rest for line in side.split("\n"))


@given(
    st.lists(st.from_regex(r"[a-z]{3,6}", fullmatch=True), min_size=6, max_size=12, unique=True), st.data()
)
def test_edits_of_words_that_are_apart_are_both_kept(words, data):
    at = data.draw(st.integers(0, len(words) - 4))
    other = data.draw(st.integers(at + 2, len(words) - 1))
    mine, theirs = list(words), list(words)
    mine[at], theirs[other] = "MINE", "THEIRS"
    together = list(words)
    together[at], together[other] = "MINE", "THEIRS"
    assert merged(" ".join(words), " ".join(mine), " ".join(theirs)) == " ".join(together)


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "together"),
    [
        (
            "a linen coat, a bench",
            "a red linen coat, a bench",
            "a linen coat, a white bench",
            "a red linen coat, a white bench",
        ),
        ("a coat", "a red coat", "a blue coat", None),
        ("a coat", "a coat, red", "a coat, film grain", None),
        ("one\ntwo\nthree", "one\n2\nthree", "one\ntwo\nthree\nfour", "one\n2\nthree\nfour"),
        ("a coat", "", "a red coat", None),
    ],
)
def test_cases(base, mine, theirs, together):
    assert merged(base, mine, theirs) == together


def test_long_texts_are_merged_by_lines():
    lines = [f"line {n} " * 20 for n in range(400)]
    mine, theirs = list(lines), list(lines)
    mine[3], theirs[300] = "mine", "theirs"
    together = merged("\n".join(lines), "\n".join(mine), "\n".join(theirs))
    assert together is not None
    assert together.split("\n")[3] == "mine" and together.split("\n")[300] == "theirs"
