"""What an edit would do: the same as it does, counted by picture, bounded in time, and shown word by word."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.captioning.arranging import DedupePhrases, TriggerFirst
from engine.dataset.captioning.content import content_of
from engine.dataset.captioning.edits import Prefix, Replace, ReplacePattern, ReplacePhrase
from engine.dataset.captioning.entries import Entry
from engine.dataset.captioning.preview import counted, everywhere, pieces, preview
from projects.problems import Problem, Refused
from projects.spec import DataSet
from tests.engine.dataset.captioning.kitchen import book, contents, project


def entry(number: int, data: bytes | None, *, variant: int = 1, problem: Problem | None = None) -> Entry:
    stem = f"images/{number}" + (f".{variant}" if variant > 1 else "")
    content = content_of(data) if data is not None else None
    return Entry(
        picture=f"{number}.png", path=Path(f"/p/images/{number}.png"), dataset=DataSet(path="images"), file=f"{stem}.txt",
        variant=variant, content=content, problem=problem,
    )  # fmt: skip


def test_hits_are_captions_and_pictures_are_counted_once() -> None:
    entries = [
        entry(1, b"linen jacket\r\nlinen\r\n"), entry(1, b"linen", variant=2), entry(2, b"wool"), entry(3, None),
        entry(4, b" \n"), entry(5, "linen, caf\xe9".encode("latin-1")),
        entry(6, None, problem=Problem(error="cannot be read.", where="images/6.txt")),
    ]  # fmt: skip
    found = preview(everywhere(Replace("linen", "cotton")), entries)
    assert found is not None
    assert found.texts == {"images/1.txt": "cotton jacket\ncotton", "images/1.2.txt": "cotton"}
    assert found.pictures == 1 and counted(found) == "2 captions of 1 picture"
    assert (found.looked, found.wordless) == (4, 2)
    unreadable, barred = found.problems
    assert unreadable.where == "images/6.txt"
    assert "windows-1252" in barred.error and list(barred.files) == ["images/5.txt"]


def test_writing_what_it_says_gives_what_the_edit_gives_and_keeps_the_files_manner(tmp_path: Path) -> None:
    captions = {
        "a": b"\xef\xbb\xbflinen jacket\r\nlinen\r\n",
        "b": b"linen",
        "c": b"wool",
        "d": b"",
        "e": None,
    }
    folder = project(tmp_path / "kitchen", captions)
    opened = book(folder)
    found = preview(everywhere(Replace("linen", "cotton")), opened.entries.values())
    assert found is not None
    opened.apply("replace", "replace linen by cotton", found.texts, bases=found.bases)
    assert contents(folder) == {
        "a.txt": b"\xef\xbb\xbfcotton jacket\r\ncotton\r\n", "b.txt": b"cotton", "c.txt": b"wool", "d.txt": b"",
    }  # fmt: skip


def test_no_edit_writes_the_first_words_of_a_caption() -> None:
    found = preview(everywhere(Prefix("film")), [entry(1, None), entry(2, b""), entry(3, b"a mug")])
    assert found is not None and found.texts == {"images/3.txt": "film, a mug"}


def test_the_edit_may_depend_on_the_set() -> None:
    other = replace(
        entry(2, b"mug, l1nen"), dataset=DataSet(path="reg", role="regularization", trigger="l1nen")
    )
    found = preview(
        lambda each: TriggerFirst(each.dataset.trigger) if each.dataset.trigger else None,
        [entry(1, b"a, b"), other],
    )
    assert found is not None and found.looked == 1 and found.texts == {"images/2.txt": "l1nen, mug"}


def test_who_does_not_want_to_know_any_more_gets_nothing() -> None:
    seen: list[int] = []

    def stop() -> bool:
        seen.append(1)
        return len(seen) > 3

    entries = [entry(number, b"linen") for number in range(9)]
    assert preview(everywhere(Replace("linen", "cotton")), entries, stop=stop) is None
    assert len(seen) == 4


def test_a_pattern_that_never_ends_is_refused_soon() -> None:
    entries = [entry(number, b"a" * 200 + b"!") for number in range(1000)]
    for pattern, words in ((r"(a|aa)+$", "does not come to its end"), (r"(a+)+$", "longer than 0.3 s")):
        began = time.monotonic()
        with pytest.raises(Refused, match=words):
            preview(everywhere(ReplacePattern(pattern, "b")), entries, seconds=0.3)
        assert time.monotonic() - began < 2.0


def test_ten_thousand_captions_are_looked_at_while_somebody_types() -> None:
    text = "aur3lia_portrait, a woman with auburn hair in a linen jacket, sitting on a white bench, soft window light"
    entries = [entry(number, f"{text}, {number % 97}mm portrait".encode()) for number in range(10_000)]
    phrase = ReplacePhrase(("sitting on a white bench",), "x")
    for edit in (Replace("linen", "cotton"), ReplacePattern(r"(\w+) jacket", r"\1 coat"), phrase):
        took = []
        for _ in range(3):
            began = time.process_time()
            found = preview(everywhere(edit), entries)
            took.append(time.process_time() - began)
            assert found is not None and len(found.hits) == 10_000
        assert min(took) < 0.4, f"{edit.words}: {min(took):.3f} s"


def joined(found: list[tuple[str, str]]) -> tuple[str, str]:
    return "".join(before for before, _ in found), "".join(after for _, after in found)


@given(st.text(max_size=80), st.text(max_size=80))
def test_pieces_are_both_texts_and_nothing_else(before: str, after: str) -> None:
    assert joined(pieces(before, after)) == (before, after)


texts = st.lists(st.sampled_from(["red", "linen", "coat", ",", "\n", "on"]), max_size=14).map(" ".join)


@given(texts)
def test_what_an_edit_leaves_alone_is_the_same_on_both_sides(text: str) -> None:
    for edit in (Replace("linen", "wool"), DedupePhrases()):
        found = pieces(text, edit(text))
        assert joined(found) == (text, edit(text))
        assert all(before == after for before, after in found) == (edit(text) == text)


def test_only_the_words_that_differ_are_marked() -> None:
    found = pieces("in a linen jacket, on a bench", "in a cotton jacket, on the bench")
    assert found == [
        ("in a ", "in a "), ("linen", "cotton"), (" jacket, on ", " jacket, on "), ("a", "the"), (" bench", " bench"),
    ]  # fmt: skip


def test_texts_too_long_to_compare_are_marked_as_a_whole_between_what_they_share() -> None:
    before, after = " ".join("a" * 3000), " ".join("b" * 3000)
    began = time.monotonic()
    assert pieces(f"x {before} y", f"x {after} y") == [("x ", "x "), (before, after), (" y", " y")]
    assert time.monotonic() - began < 1.0
