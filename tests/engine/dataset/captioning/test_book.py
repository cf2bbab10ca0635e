"""Edits, undo across restarts, what others write meanwhile, and a process that is killed in the middle."""

import os
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.problems import Refused
from tests.engine.dataset.captioning.kitchen import book, contents, project

A, B, C = "images/a.txt", "images/b.txt", "images/c.txt"


@pytest.fixture
def folder(tmp_path):
    captions = {"a": b"k1tch, a linen towel\r\n", "b": b"\xef\xbb\xbfk1tch, a mug", "c": None}
    return project(tmp_path / "kitchen", captions)


def test_an_edit_is_written_and_taken_back_to_the_byte(folder):
    before = contents(folder)
    opened = book(folder)
    opened.apply("edit", "edited a", {A: "k1tch, a cotton towel"})
    assert contents(folder)["a.txt"] == b"k1tch, a cotton towel\r\n"
    opened.undo()
    assert contents(folder) == before
    opened.redo()
    assert contents(folder)["a.txt"] == b"k1tch, a cotton towel\r\n"


def test_undo_reaches_back_across_a_restart_and_takes_a_bulk_change_as_one(folder):
    before = contents(folder)
    book(folder).apply("prefix", "put film grain in front", {A: "film, a", B: "film, b", C: "film, c"})
    assert contents(folder) == {
        "a.txt": b"film, a\r\n",
        "b.txt": b"\xef\xbb\xbffilm, b",
        "c.txt": b"film, c\n",
    }
    again = book(folder)
    again.undo()
    assert contents(folder) == before
    with pytest.raises(Refused, match="nothing to take back"):
        again.undo()
    book(folder).redo()
    assert contents(folder)["c.txt"] == b"film, c\n"


def test_a_new_edit_after_undo_leaves_nothing_to_redo(folder):
    opened = book(folder)
    opened.apply("edit", "one", {A: "one"})
    opened.undo()
    opened.apply("edit", "two", {A: "two"})
    with pytest.raises(Refused):
        opened.redo()


def test_what_is_not_changed_is_not_written_and_is_no_step(folder):
    opened = book(folder)
    stamps = {path: path.stat().st_mtime_ns for path in (folder / "images").iterdir()}
    outcome = opened.apply(
        "replace", "replaced x", {A: opened.entries[A].text, B: opened.entries[B].text, C: ""}
    )
    assert outcome.op is None and not opened.journal.done
    assert stamps == {path: path.stat().st_mtime_ns for path in (folder / "images").iterdir()}


def test_an_edit_from_outside_that_does_not_touch_is_kept(folder):
    opened = book(folder)
    (folder / A).write_bytes(b"k1tch, a linen towel, film grain\r\n")
    outcome = opened.apply("edit", "edited a", {A: "k1tch, a cotton towel"})
    assert outcome.merged == (A,)
    assert contents(folder)["a.txt"] == b"k1tch, a cotton towel, film grain\r\n"
    opened.undo()
    assert contents(folder)["a.txt"] == b"k1tch, a linen towel, film grain\r\n"


def test_an_edit_from_outside_that_touches_is_never_written_over(folder):
    opened = book(folder)
    (folder / A).write_bytes(b"k1tch, a silk towel\r\n")
    outcome = opened.apply("edit", "edited", {A: "k1tch, a cotton towel", B: "k1tch, a cup"})
    assert [each.file for each in outcome.conflicts] == [A]
    assert outcome.conflicts[0].theirs.text == "k1tch, a silk towel"
    assert contents(folder)["a.txt"] == b"k1tch, a silk towel\r\n"
    assert contents(folder)["b.txt"] == b"\xef\xbb\xbfk1tch, a cup"
    mine = {A: outcome.conflicts[0].theirs}
    opened.apply("edit", "mine", {A: "k1tch, a cotton towel"}, bases=mine)
    assert contents(folder)["a.txt"] == b"k1tch, a cotton towel\r\n"


def test_undo_leaves_what_somebody_else_rewrote_and_says_so(folder):
    opened = book(folder)
    opened.apply("suffix", "put x behind", {A: "one", B: "two"})
    (folder / A).write_bytes(b"theirs")
    outcome = opened.undo()
    assert [problem.files for problem in outcome.problems] == [[A]]
    assert contents(folder)["a.txt"] == b"theirs"
    assert contents(folder)["b.txt"] == b"\xef\xbb\xbfk1tch, a mug"


def test_two_books_of_one_project_see_each_others_steps(folder):
    one, other = book(folder), book(folder)
    one.apply("edit", "edited a", {A: "one"})
    assert other.refresh([A, B]) == [A]
    assert other.undo().op is not None
    assert one.refresh([A]) == [A]
    assert one.entries[A].text == "k1tch, a linen towel"


def test_an_older_encoding_is_converted_on_purpose_only(folder):
    (folder / A).write_bytes(b"k1tch, caf\xe9\n")
    opened = book(folder)
    outcome = opened.apply("edit", "edited", {A: "x", B: "k1tch, a cup"})
    assert "windows-1252" in outcome.problems[0].error
    assert contents(folder)["a.txt"] == b"k1tch, caf\xe9\n"
    opened.convert([A, B])
    assert contents(folder)["a.txt"] == "k1tch, café\n".encode()
    opened.undo()
    assert contents(folder)["a.txt"] == b"k1tch, caf\xe9\n"


def test_what_was_typed_and_not_saved_comes_back(folder):
    book(folder).type(A, "k1tch, a cotton tow")
    again = book(folder)
    assert again.restore().op
    assert contents(folder)["a.txt"] == b"k1tch, a cotton tow\r\n"
    assert not again.journal.typed
    again.undo()
    assert contents(folder)["a.txt"] == b"k1tch, a linen towel\r\n"


def test_what_was_typed_before_somebody_else_wrote_is_a_conflict(folder):
    opened = book(folder)
    opened.apply("edit", "edited", {A: "k1tch, a wool towel"})
    opened.type(A, "k1tch, a cotton towel")
    (folder / A).write_bytes(b"k1tch, a silk towel\r\n")
    again = book(folder)
    outcome = again.restore()
    assert [(each.base, each.mine) for each in outcome.conflicts] == [
        ("k1tch, a wool towel", "k1tch, a cotton towel")
    ]
    assert contents(folder)["a.txt"] == b"k1tch, a silk towel\r\n"


def test_what_was_typed_into_an_older_text_never_goes_over_the_newer_one(folder):
    opened = book(folder)
    before = opened.entries[A].content
    (folder / A).write_bytes(b"k1tch, a silk towel\r\n")
    opened.refresh([A])
    opened.type(A, "k1tch, a cotton towel", bases={A: before})
    outcome = book(folder).restore()
    assert [each.mine for each in outcome.conflicts] == ["k1tch, a cotton towel"]
    assert contents(folder)["a.txt"] == b"k1tch, a silk towel\r\n"


def test_what_was_typed_and_saved_is_forgotten(folder):
    opened = book(folder)
    opened.type(A, "k1tch, a cotton towel")
    opened.apply("edit", "edited", {A: "k1tch, a cotton towel"})
    assert book(folder).restore().op is None


def test_drafts_are_marked_until_somebody_looks(folder):
    opened = book(folder)
    opened.apply("fill", "drafted 2 captions", {A: "a towel", B: "a mug"}, drafted=True)
    opened.apply("prefix", "put k1tch in front", {A: "k1tch, a towel", B: "k1tch, a mug"})
    assert book(folder).journal.drafted == {A, B}
    opened.look([A])
    assert book(folder).journal.drafted == {B}
    opened.apply("edit", "edited b", {B: "k1tch, a cup"})
    assert not book(folder).journal.drafted


def test_undoing_drafts_takes_their_mark_too(folder):
    opened = book(folder)
    opened.apply("fill", "drafted", {A: "a towel"}, drafted=True)
    opened.undo()
    assert not opened.journal.drafted
    opened.redo()
    assert opened.journal.drafted == {A}


def test_a_link_stays_a_link_and_permissions_stay(folder):
    (folder / "elsewhere.txt").write_bytes(b"x\n")
    (folder / B).unlink()
    (folder / B).symlink_to(folder / "elsewhere.txt")
    (folder / A).chmod(0o640)
    book(folder).apply("edit", "edited", {A: "a", B: "b"})
    assert (folder / B).is_symlink() and (folder / "elsewhere.txt").read_bytes() == b"b\n"
    assert (folder / A).stat().st_mode & 0o777 == 0o640


def test_a_torn_line_spoils_only_itself(folder):
    book(folder).apply("edit", "edited", {A: "one"})
    with (folder / "captions.ops.jsonl").open("ab") as file:
        file.write(b'{"op": 7, "t": 1, "ki')
    again = book(folder)
    again.apply("edit", "edited", {B: "two"})
    assert book(folder).journal.unreadable == 1
    again.undo()
    again.undo()
    assert contents(folder)["a.txt"] == b"k1tch, a linen towel\r\n"


def test_an_operation_that_was_cut_off_is_finished(folder):
    opened = book(folder)
    opened._write = lambda changes, progress=None: ["cut off"]
    opened.apply("replace", "replaced", {A: "one", B: "two"})
    assert contents(folder)["a.txt"] == b"k1tch, a linen towel\r\n"
    again = book(folder)
    assert [op.words for op in again.finish()] == ["replaced"]
    assert (again.entries[A].text, again.entries[B].text) == ("one", "two")
    assert book(folder).finish() == []


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=12)
STEPS = st.lists(
    st.one_of(
        st.dictionaries(st.sampled_from([A, B, C]), TEXTS, min_size=1),
        st.sampled_from(["undo", "redo", "restart"]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_undo_and_redo_are_inverse_whatever_happens(tmp_path_factory, steps):
    folder = project(
        tmp_path_factory.mktemp("kitchen") / "p",
        {"a": b"k1tch, a linen towel\r\n", "b": b"\xef\xbb\xbfk1tch, a mug", "c": None},
    )
    opened, past, future = book(folder), [], []
    for step in steps:
        now = contents(folder)
        if step == "restart":
            opened = book(folder)
        elif step in ("undo", "redo"):
            source, target = (past, future) if step == "undo" else (future, past)
            if not source:
                with pytest.raises(Refused):
                    getattr(opened, step)()
                continue
            getattr(opened, step)()
            target.append(now)
            assert contents(folder) == source.pop()
        elif opened.apply("replace", "replaced", step).op:
            past.append(now)
            future.clear()


WRITER = """
import random, sys, time
from pathlib import Path
from tests.engine.dataset.captioning.kitchen import book
opened = book(Path(sys.argv[1]))
opened.finish(); opened.restore()
chance = random.Random(int(sys.argv[2]))
files = list(opened.entries)
print("ready", flush=True)
while True:
    if chance.random() < 0.3:
        opened.type(chance.choice(files), f"typed {chance.random()}")
    elif chance.random() < 0.2 and opened.journal.done:
        opened.undo()
    else:
        word = chance.random()
        some = chance.sample(files, chance.randint(1, len(files)))
        opened.apply("replace", "replaced", {file: f"k1tch, whole {word} {file} end" for file in some})
"""


def test_killed_at_any_moment_no_caption_is_lost_or_half_written(tmp_path):
    captions = {f"p{n}": b"k1tch, whole 0 end" for n in range(12)}
    folder = project(tmp_path / "kitchen", captions)
    for seed in range(12):
        worker = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), str(seed)],
            stdout=subprocess.PIPE, cwd=os.getcwd(), env={**os.environ, "PYTHONPATH": os.getcwd()},
        )  # fmt: skip
        assert worker.stdout is not None and worker.stdout.readline() == b"ready\n"
        time.sleep(0.05 + 0.01 * seed)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        found = contents(folder)
        assert len(found) == len(captions)
        assert all(
            data.startswith(b"typed ") or (data.startswith(b"k1tch, whole ") and data.endswith(b"end"))
            for data in found.values()
        )
        again = book(folder)
        again.finish()
        typed = {file: draft.text for file, draft in again.journal.typed.items()}
        assert not again.restore().conflicts
        for file, text in typed.items():
            assert again.entries[file].text == text
        # What the newest operation of each file says is what the file says.
        for file in again.entries:
            said = [
                one.after
                for op in again.journal.ops.values()
                for one in again.journal.changes(op.id)
                if one.file == file
            ]
            assert not said or (folder / file).read_bytes() == said[-1]
