"""The filter language: what it means, and that no text makes it fail in any other way than with a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.problems import Refused
from tui.filters import DEEPEST, FIELDS, parse

ROWS = [
    {
        "name": "IMG_1.jpg", "text": "a woman in a Red Coat", "role": "subject", "set": "images", "kind": "JPEG",
        "width": 2048, "height": 1024, "sharp": 212.5, "faces": 1, "finding": ["watermark", "mode"], "light": "window",
        "severity": ["warning", "note"], "is": [],
    },
    {
        "name": "set/IMG_2.png", "text": ["on a bench", "outside"], "role": "subject", "set": "images", "kind": "PNG",
        "width": 800, "height": 1200, "sharp": 60, "faces": 0, "finding": [], "distance": "close-up",
        "is": ["left-out"],
    },
    {"name": "held/Ünder.webp", "role": "holdout", "set": "held", "finding": ["soft"]},
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", [0, 1, 2]),
        ("   ", [0, 1, 2]),
        ("img", [0, 1]),
        ("red", [0]),
        ('"red coat"', [0]),
        ('"coat red"', []),
        ("coat red", [0]),
        ("bench or coat", [0, 1]),
        ("img and not coat", [1]),
        ("NOT img", [2]),
        ("not not img", [0, 1]),
        ("finding:watermark", [0]),
        ("finding:water", []),
        ("finding!=soft", [0, 1]),
        ('finding=""', [1]),
        ("severity:Warning", [0]),
        ("is:left-out or is:ignored", [1]),
        ("not is:left-out", [0, 2]),
        ("set:held", [2]),
        ("role:holdout", [2]),
        ("Role:HOLDOUT", [2]),
        ("light:wind", [0]),
        ("light=wind", []),
        ('light=""', [1, 2]),
        ("name:set/", [1]),
        ("sharp<100", [1]),
        ("sharp < 100", [1]),
        ("sharp<=212.5", [0, 1]),
        ("not sharp<100", [0, 2]),
        ("width>=1024", [0]),
        ("width:800", [1]),
        ("width!=800", [0]),
        ("short>=1000", [0]),
        ("long<1500", [1]),
        ("faces=0 or role:holdout", [1, 2]),
        ("(coat or bench) sharp>100", [0]),
        ("coat or bench sharp>100", [0]),
        ("not (coat or bench)", [2]),
        ("u\u0308nder", [2]),
        ("light", []),
        ('"and"', []),
        ('"not (img"', []),
        ('img ")" "("', []),
    ],
)
def test_a_filter_means_these_pictures(text: str, meant: list[int]) -> None:
    found = parse(text)
    assert [index for index, row in enumerate(ROWS) if found.matches(row)] == meant


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("sharb<100", 1, "Did you mean sharp?"),
        ("img finding:mark colour:red", 18, "no field"),
        ("sharp<many", 7, "no number"),
        ("width>=nan", 8, "no number"),
        ("severity:bloker", 10, "Did you mean blocker?"),
        ("is:xyz", 4, "There are: left-out"),
        ("a sharp<", 8, "missing"),
        ("role<3", 5, "holds words"),
        ("(a or b", 1, "never closed"),
        ("a ) b", 3, "never opened"),
        ("()", 2, "must stand before )"),
        ('a "b', 3, "quotation mark"),
        ("a or", 5, "missing at the end"),
        ("or a", 1, "must stand before or"),
        ("a and and b", 7, 'write "and"'),
        ("<100", 1, "must stand before <"),
        ("name:a:b", 7, "must stand before :"),
        ("(" * (DEEPEST + 1) + "a", DEEPEST + 1, "within each other"),
    ],
)
def test_a_mistake_is_said_with_its_column(text: str, column: int, words: str) -> None:
    with pytest.raises(Refused) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert caught.value.usage
    assert problem.where == f"filter, column {column}"
    assert words in f"{problem.error} {problem.hint}"


PIECES = st.sampled_from(
    [*FIELDS, "(", ")", "not", "and", "or", '"', "<", ">=", "!=", "!", ":", "=", "1", "a", "-", " ", ""]
)
VALUES = st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.lists(st.text()))


@given(
    st.one_of(
        st.text(), st.lists(PIECES, max_size=200).map(" ".join), st.lists(PIECES, max_size=60).map("".join)
    ),
    st.dictionaries(st.sampled_from(FIELDS), VALUES),
)
def test_any_text_is_a_filter_or_refused_and_any_row_is_answered(text: str, row: dict[str, object]) -> None:
    try:
        found = parse(text)
    except Refused as refused:
        assert all(problem.where and problem.hint for problem in refused.problems)
        return
    assert found.matches(row) in (True, False)


def test_a_long_chain_needs_no_stack() -> None:
    assert parse(" ".join(["not"] * 100_000 + ["img"])).matches(ROWS[0])
    assert parse(" or ".join(["x"] * 50_000 + ["img"])).matches(ROWS[0])
