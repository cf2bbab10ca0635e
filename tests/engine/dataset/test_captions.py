"""A caption is trained to the letter, or refused with the place; never altered."""

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.captions import (
    holds_word,
    read_caption,
    read_caption_file,
    shuffled,
    sidecars,
    trigger_caption,
)
from projects.problems import Refused


def reads(data: bytes) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.txt")
        path.write_bytes(data)
        return read_caption(path)


@given(st.text(), st.sampled_from(["", "\n", "\r\n"]))
def test_any_text_comes_back_to_the_letter_or_is_refused(text, end):
    whole = text + end
    try:
        read = reads(whole.encode("utf-8"))
    except Refused:
        return
    one_line_end = "\r\n" if whole.endswith("\r\n") else "\n"
    assert read == whole.removesuffix(one_line_end).removeprefix("\ufeff")


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"], exclude_characters="[{<"), min_size=1))
def test_ordinary_text_is_never_refused(text):
    assert reads(f"a{text}\n".encode()) == f"a{text}"


@given(st.binary(max_size=60))
def test_any_bytes_are_read_as_they_decode_or_refused(data):
    try:
        read = reads(data)
    except Refused as refused:
        assert len(refused.problems) == 1 and refused.problems[0].hint
        return
    body = data.decode("utf-8-sig")
    assert body in (read, read + "\n", read + "\r\n")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("eine Frau im Café".encode("latin-1"), r"not UTF-8: byte 16 is 0xe9.*Save it as UTF-8"),
        (b"\xef\xbb\xbfcaf\xe9", r"byte 6 is 0xe9"),
        ("a mug".encode("utf-16"), "UTF-16.*Save it as UTF-8"),
        (b"a mug\0", r"U\+0000 at line 1, column 6"),
        (b"a mug\non a \x1b[31mred table", r"U\+001B at line 2, column 6"),
        ("a \x9b31m mug".encode(), r"U\+009B at line 1, column 3"),
        (b"a mug\rb", r"U\+000D"),
        (b"", "is an empty caption"),
        (b" \n\t\r\n", "is an empty caption"),
        ("\u200b\u3000".encode(), "is an empty caption"),
        (b"x" * 100_001, "larger than 100 kB"),
        (b"[trigger], a woman", r'placeholder "\[trigger\]" at line 1, column 1'),
        (b"xk3r, a {Class Word}", "placeholder"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(tmp_path, data, said):
    path = tmp_path / "IMG_1.txt"
    path.write_bytes(data)
    with pytest.raises(Refused) as refused:
        read_caption(path)
    assert re.search(said, str(refused.value), re.DOTALL)
    assert str(path) in str(refused.value)


def test_a_byte_order_mark_is_noted_and_no_part_of_the_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfa mug\n")
    caption = read_caption_file(path)
    assert (caption.text, caption.byte_order_mark) == ("a mug", True)


def test_only_one_line_end_belongs_to_the_file():
    assert reads(b"  A mug, (close:1.2)\r\nred \n\n") == "  A mug, (close:1.2)\r\nred \n"


def test_a_hundred_thousand_bytes_are_read():
    assert len(reads(b"x" * 100_000)) == 100_000


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(Refused, match="is not there"):
        read_caption(tmp_path / "a.txt")


def test_variants_come_in_the_order_of_their_numbers():
    files = [
        "a.txt",
        "a.10.txt",
        "a.2.txt",
        "a.1.txt",
        "a.02.txt",
        "a.2.txt.bak",
        "ab.2.txt",
        "b.txt",
        "a.2.caption",
    ]
    found = sidecars(Path("set/a.jpg"), "txt", files, own={"a.txt", "b.txt"})
    assert [path.as_posix() for path in found] == ["set/a.txt", "set/a.2.txt", "set/a.10.txt"]


def test_the_caption_of_another_picture_is_no_variant():
    found = sidecars(Path("a.jpg"), "txt", ["a.txt", "a.2.txt"], own={"a.txt", "a.2.txt"})
    assert found == [Path("a.txt")]


def test_the_stand_in_is_documented_exactly():
    assert trigger_caption("xk3r", "woman") == "xk3r, a woman"
    assert trigger_caption("xk3r", "") == "xk3r"
    assert trigger_caption("", "mug") == "a mug"
    assert trigger_caption("", "") == ""


@pytest.mark.parametrize(
    ("text", "word", "held"),
    [
        ("XK3R_style, a woman", "xk3r_style", True),
        ("a woman in ｘｋ３ｒ style", "xk3r", True),
        ("straße bei Nacht", "STRASSE", True),
        ("xk3r_style2, a woman", "xk3r_style", False),
        ("my_xk3r", "xk3r", False),
        ("<xk3r>, a mug", "<xk3r>", True),
        ("a mug", "", False),
    ],
)
def test_words_are_whole_and_folded(text, word, held):
    assert holds_word(text, word) is held


@given(
    st.lists(st.text("abc ", min_size=1, max_size=4), min_size=1, max_size=7),
    st.integers(0, 4),
    st.integers(0, 99),
)
def test_shuffled_captions_keep_the_front_and_lose_nothing(parts, keep, seed):
    text = ",".join(parts)
    orders = shuffled(text, seed=seed, picture="a.jpg", variant=0, keep_first=keep)
    assert orders[0] == text and len(set(orders)) == len(orders) <= 8
    trimmed = [part.strip() for part in parts]
    for order in orders:
        got = [part.strip() for part in order.split(",")]
        assert got[:keep] == trimmed[:keep] and sorted(got) == sorted(trimmed)
    assert orders == shuffled(text, seed=seed, picture="a.jpg", variant=0, keep_first=keep)


def test_shuffled_captions_really_come_in_several_orders():
    assert len(shuffled("xk3r, red, round, on a table", seed=1, picture="a", variant=0, keep_first=1)) > 3
