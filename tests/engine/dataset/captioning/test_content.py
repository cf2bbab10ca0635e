"""What nobody edits stays as it is, to the byte; what somebody edits keeps the manner of its file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.captioning.content import NEW, content_of, data_of, shown
from engine.dataset.captions import read_caption
from projects.problems import Refused

BYTES = st.one_of(
    st.binary(max_size=80),
    st.lists(
        st.sampled_from(
            [b"a", b" ", b",", b"\r", b"\n", b"\r\n", b"\xef\xbb\xbf", b"\xe9", b"\0", "é".encode()]
        )
    ).map(b"".join),
)


@given(BYTES)
def test_text_that_was_not_edited_gives_the_same_bytes(data):
    content = content_of(data)
    if content.editable:
        assert data_of(content.text, content) == data
        assert data_of(shown(content.text), content) == data
    else:
        assert content.data == data


@given(BYTES)
def test_what_is_edited_is_what_is_trained(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("caption") / "a.txt"
    path.write_bytes(data)
    try:
        trained = read_caption(path)
    except Refused:
        return
    assert content_of(data).text == trained


@given(st.text(st.characters(exclude_categories=["Cs"])), BYTES)
def test_an_edit_is_read_back_as_it_was_typed(text, data):
    before = content_of(data)
    typed = text.replace("\r", "").removeprefix("\ufeff")
    after = content_of(data_of(typed, before))
    assert shown(after.text) == typed or (before.end == "" and shown(after.text) + "\n" == typed)


@pytest.mark.parametrize(
    ("data", "text", "written"),
    [
        (b"a mug\r\n", "a red mug", b"a red mug\r\n"),
        (b"\xef\xbb\xbfa mug", "a red mug", b"\xef\xbb\xbfa red mug"),
        (b"one\r\ntwo\r\nthree", "one\nnew\ntwo\nthree", b"one\r\nnew\r\ntwo\r\nthree"),
        (b"one\r\ntwo\nthree\r\n", "one\ntwo\n3", b"one\r\ntwo\n3\r\n"),
        (b"a mug  \n\n", "a mug  \nb", b"a mug  \nb\n"),
    ],
)
def test_the_file_keeps_its_manner(data, text, written):
    assert data_of(text, content_of(data)) == written


def test_a_new_caption_ends_with_a_line_end():
    assert data_of("a mug", NEW) == b"a mug\n"


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"caf\xe9", "café", "windows-1252"),
        (b"caf\xe9\x81", "café\x81", "latin-1"),
        ("café".encode("utf-16"), "café", "utf-16"),
    ],
)
def test_an_older_encoding_is_read_and_not_edited(data, text, encoding):
    content = content_of(data)
    assert (content.text.removeprefix("\ufeff"), content.encoding, content.editable) == (
        text,
        encoding,
        False,
    )
