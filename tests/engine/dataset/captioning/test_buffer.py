"""Captions in one text for an editor: what is edited comes back, what is muddled changes nothing and is named."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.dataset.captioning.buffer import FIRST, buffer_of, changed_in
from projects.problems import Refused

TEXTS = {
    "images/1.txt": "aurelia, a woman in a linen jacket",
    "images/2.txt": "aurelia on a bench",
    "images/3.txt": "",
}


def refused(buffer: str) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        changed_in(buffer, TEXTS)
    return [(problem.where, problem.error) for problem in caught.value.problems]


def test_a_caption_stands_below_the_line_that_names_it() -> None:
    assert buffer_of(TEXTS).splitlines() == [
        FIRST, "=== images/1.txt", "aurelia, a woman in a linen jacket", "=== images/2.txt", "aurelia on a bench",
        "=== images/3.txt", "",
    ]  # fmt: skip


def test_only_what_was_changed_comes_back() -> None:
    edited = (
        buffer_of(TEXTS).replace("linen", "cotton").replace("3.txt\n\n", "3.txt\naurelia, close\nin red\n")
    )
    assert changed_in(edited, TEXTS) == {
        "images/1.txt": "aurelia, a woman in a cotton jacket",
        "images/3.txt": "aurelia, close\nin red",
    }


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
lines = st.one_of(
    st.text(max_size=20), st.sampled_from(["", " ", "=== a", "===", "\\=== a", "\\\\===", "# a", "a\r"])
)
captions = st.one_of(st.text(max_size=60), st.lists(lines, max_size=6).map("\n".join))


@given(st.dictionaries(names, captions, min_size=1, max_size=5), st.data())
@example({"a\nb": "x", '"a\\nb"': "y", " a": "", "a ": "\n"}, None)
def test_any_caption_of_any_file_survives_and_its_edit_comes_back_alone(
    texts: dict[str, str], data: st.DataObject | None
) -> None:
    assert changed_in(buffer_of(texts), texts) == {}
    after = texts if data is None else {file: data.draw(captions) for file in texts}
    expected = {file: text for file, text in after.items() if text != texts[file]}
    assert changed_in(buffer_of(after), texts) == expected


def test_what_an_editor_does_to_the_whole_file_is_no_edit() -> None:
    buffer = buffer_of(TEXTS)
    assert changed_in("\ufeff" + buffer.replace("\n", "\r\n"), TEXTS) == {}
    full = {"images/1.txt": "a\n"}
    assert changed_in(buffer_of(full), full) == {}
    two = {"images/1.txt": "a"}
    assert changed_in(buffer_of(two).removesuffix("\n"), two) == {}, "no line end at the end of the file"


def test_everything_that_is_out_of_place_is_named_at_once_with_its_line() -> None:
    muddled = "\n".join([
        FIRST, "stray words", "=== images/2.txt", "two", "=== images/1.txt", "one", "=== images/2.txt", "again",
        "=== images/4.txt", "four",
    ])  # fmt: skip
    found = refused(muddled)
    assert [where for where, _ in found] == ["line 2", "line 5", "line 7", "line 9", ""]
    stray, order, again, unknown, missing = (error for _, error in found)
    assert "no caption" in stray and "before images/2.txt" in order and "line 3 did" in again
    assert "images/4.txt" in unknown and "images/3.txt is not there" in missing


def test_a_name_that_was_touched_is_guessed() -> None:
    with pytest.raises(Refused) as caught:
        changed_in(buffer_of(TEXTS).replace("=== images/1.txt", "===images/1.tx"), TEXTS)
    unknown, missing = caught.value.problems
    assert "=== images/1.txt?" in unknown.hint and unknown.where == "line 2" and "1.txt" in missing.error


def test_an_empty_file_loses_nothing() -> None:
    assert len(refused("")) == 3
