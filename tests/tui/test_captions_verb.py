"""`safelight captions DIR ...`: many captions changed by line, as one step, with all that stands against it named."""

import time
from pathlib import Path

import pytest

from tests.engine.dataset.captioning.kitchen import book, contents
from tests.tui.conftest import TRIGGER, Say


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def texts(project: Path) -> list[str]:
    return [data.decode() for data in contents(project).values()]


def write(project: Path, number: int, data: bytes) -> Path:
    file = project / "images" / f"{number}.txt"
    file.write_bytes(data)
    return file


def test_check_is_one_of_the_verbs(say: Say, project: Path) -> None:
    said = say("captions", project, "check", "--json")
    assert said.code == 0 and said.json["captions"] == 3
    assert say("captions", "--json", project, "check").json == said.json


def test_replace_is_one_step_that_undo_and_redo_turn(say: Say, project: Path) -> None:
    before = contents(project)
    said = say("captions", project, "replace", "table", "shelf", "--json")
    assert said.code == 0
    assert said.json["changed"] == 3 and said.json["op"] == 1 and said.json["problems"] == []
    assert said.json["hits"][1] == {
        "picture": "1.png", "file": "images/1.txt", "before": f"{TRIGGER} cup, on a table 1",
        "after": f"{TRIGGER} cup, on a shelf 1",
    }  # fmt: skip
    assert texts(project)[2] == f"{TRIGGER} cup, on a shelf 2"
    undone = say("captions", project, "undo", "--json").json
    assert undone["changed"] == 3 and undone["op"] == 2 and undone["hits"][0]["after"].endswith("table 0")
    assert contents(project) == before
    assert "redo does it again" not in say("captions", project, "redo").out
    assert texts(project)[0].endswith("shelf 0")


def test_people_see_what_goes_and_what_comes_without_colour(say: Say, project: Path) -> None:
    said = say("captions", project, "replace", "table", "shelf", "--dry-run")
    assert f"images/0.txt  {TRIGGER} cup, on a [-table-]{{+shelf+}} 0" in said.out
    assert "would change 3 captions of 3 pictures. Nothing was written." in said.out


def test_a_dry_run_writes_nothing_not_even_a_journal(say: Say, project: Path) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in project.rglob("*"))
    for arguments in (
        ("replace", "table", "shelf"), ("prefix", "film"), ("suffix", "film"), ("remove", "on a table 1"),
        ("move", "on a table 1", 1), ("sort",), ("dedupe",), ("trigger-first",), ("convert",),
    ):  # fmt: skip
        said = say("captions", project, *arguments, "--dry-run", "--json")
        assert said.code == 0, said
        assert said.json["changed"] == 0 and said.json["op"] is None
    assert sorted((path, path.stat().st_mtime_ns) for path in project.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "after"),
    [
        (("prefix", "film"), f"film, {TRIGGER} cup, on a table 1"),
        (("suffix", "film"), f"{TRIGGER} cup, on a table 1, film"),
        (("remove", "on a table 1"), f"{TRIGGER} cup"),
        (("move", "on a table 1", "1"), f"on a table 1, {TRIGGER} cup"),
        (("sort", "--by", "name"), f"{TRIGGER} cup, on a table 1"),
        (("replace", r"on a (\w+)", r"\1:", "--regex"), f"{TRIGGER} cup, table: 1"),
        (("replace", "ON A TABLE 1", "shelf", "--phrase", "--ignore-case"), f"{TRIGGER} cup, shelf"),
        (("replace", "a", "the", "--word"), f"{TRIGGER} cup, on the table 1"),
    ],
)  # fmt: skip
def test_every_change_by_line(say: Say, project: Path, arguments: tuple[str, ...], after: str) -> None:
    assert say("captions", project, *arguments).code == 0
    assert texts(project)[1] == after


def test_dedupe_sort_by_count_and_trigger_first(say: Say, project: Path) -> None:
    write(project, 0, f"wool, {TRIGGER} cup, wool, on a table 0".encode())
    assert say("captions", project, "dedupe", "--json").json["changed"] == 1
    assert texts(project)[0] == f"wool, {TRIGGER} cup, on a table 0"
    assert say("captions", project, "trigger-first", "--json").json["changed"] == 1
    assert texts(project)[0] == f"{TRIGGER} cup, wool, on a table 0"
    write(project, 1, f"{TRIGGER} cup, b, on a table 0".encode())
    assert say("captions", project, "sort", "--json").json["changed"] == 2
    assert texts(project)[:2] == [f"{TRIGGER} cup, on a table 0, wool", f"{TRIGGER} cup, on a table 0, b"]


def test_nothing_matched_is_exit_1_where_something_was_looked_for(say: Say, project: Path) -> None:
    for arguments in (("replace", "linen", "x"), ("remove", "linen"), ("move", "linen", "1")):
        said = say("captions", project, *arguments)
        assert said.code == 1 and "linen" in said.out and "3 captions were looked at" in said.out
    for arguments in (
        ("prefix", TRIGGER),
        ("dedupe",),
        ("trigger-first",),
        ("convert",),
        ("move", "on a table 1", "2"),
    ):
        assert say("captions", project, *arguments).code == 0, (
            "there is nothing to do, and that is what is wanted"
        )
    assert not (project / "captions.ops.jsonl").exists()


def test_wrong_use_is_exit_2_and_changes_nothing(say: Say, project: Path) -> None:
    before = contents(project)
    for arguments, words in (
        (("replace", "(", "x", "--regex"), "column"),
        (("replace", "a", r"\3", "--regex"), "group"),
        (("replace", "a", "b", "--regex", "--phrase"), "exclude each other"),
        (("replace", "", "b"), "empty"),
        (("prefix", " "), "no text"),
        (("move", "cup", "0"), "0"),
        (("replace", "a", "b", "--filter", "sharp<3"), "sharp is not known of captions"),
        (("replace", "a", "b", "--filter", "nmae:x"), "Did you mean name?"),
        (("nonsense",), "nonsense"),
        ((), "Missing command"),
    ):
        said = say("captions", project, *arguments)
        assert said.code == 2 and words in said.err, (arguments, said)
    assert contents(project) == before


def test_a_filter_limits_what_is_changed(say: Say, project: Path) -> None:
    said = say(
        "captions", project, "replace", "table", "shelf", "--filter", "name:1 and role:subject", "--json"
    )
    assert [hit["picture"] for hit in said.json["hits"]] == ["1.png"]
    assert said.json["changed"] == 1
    by_text = say("captions", project, "suffix", "x", "--filter", "shelf", "--dry-run", "--json").json
    assert [hit["picture"] for hit in by_text["hits"]] == ["1.png"]
    write(project, 2, b"word " * 90)
    by_tokens = say("captions", project, "suffix", "x", "--filter", "tokens>75", "--dry-run", "--json").json
    assert [hit["picture"] for hit in by_tokens["hits"]] == ["2.png"]
    none = say("captions", project, "suffix", "x", "--filter", "tokens>750", "--json")
    assert none.code == 1 and "filter shows no picture" in none.json["error"]


def test_all_that_cannot_be_changed_is_named_at_once_and_the_others_are_changed(
    say: Say, project: Path
) -> None:
    write(project, 0, f"{TRIGGER}, a table, café".encode("latin-1"))
    locked = write(project, 1, b"x" * 1_100_000)
    said = say("captions", project, "replace", "table", "shelf", "--json")
    assert said.code == 1
    assert said.json["changed"] == 1 and [hit["picture"] for hit in said.json["hits"]] == ["2.png"]
    words = [problem["where"] + problem["error"] for problem in said.json["problems"]]
    assert len(words) == 2
    assert any("larger than" in each and locked.name in each for each in words)
    assert any("windows-1252" in each and "images/0.txt" in each for each in words)


@pytest.mark.skipif(
    not Path("/proc/sys/kernel/ostype").exists(), reason="nothing that even root cannot write"
)
def test_a_file_that_cannot_be_written_is_named_and_written_when_it_can_be(say: Say, project: Path) -> None:
    link = project / "images" / "1.txt"
    link.unlink()
    link.symlink_to("/proc/sys/kernel/ostype")
    said = say("captions", project, "prefix", "film", "--json")
    assert said.code == 1 and said.json["changed"] == 2
    (problem,) = said.json["problems"]
    assert problem["where"] == "images/1.txt" and "cannot be written" in problem["error"]
    assert "(unfinished)" in say("captions", project, "log").out
    link.unlink()
    link.write_text("Linux\n")
    again = say("captions", project, "dedupe")
    assert "Finished what was cut off: put film first" in again.err and texts(project)[1] == "film, Linux\n"


def test_convert_makes_utf_8_of_what_is_shown_and_undo_gives_the_bytes_back(say: Say, project: Path) -> None:
    older = f"{TRIGGER}, café".encode("latin-1")
    write(project, 0, older)
    said = say("captions", project, "convert", "--json")
    assert (
        said.code == 0 and said.json["changed"] == 1 and said.json["hits"][0]["before"] == f"{TRIGGER}, café"
    )
    assert texts(project)[0] == f"{TRIGGER}, café"
    say("captions", project, "undo")
    assert contents(project)["0.txt"] == older


def test_captions_without_words_stay_without(say: Say, project: Path) -> None:
    (project / "images" / "0.txt").unlink()
    write(project, 1, b"\n")
    said = say("captions", project, "prefix", "film")
    assert said.code == 0 and "2 without a caption: left without" in said.out
    assert not (project / "images" / "0.txt").exists() and contents(project)["1.txt"] == b"\n"


def test_what_is_still_typed_somewhere_is_never_lost_by_a_change(say: Say, project: Path) -> None:
    say("captions", project, "replace", "table", "shelf")
    book(project).type("images/1.txt", f"{TRIGGER} cup, on a shelf 1, in the mor")
    said = say("captions", project, "prefix", "film", "--json")
    assert said.code == 1 and said.json["changed"] == 2
    (waiting,) = said.json["problems"]
    assert waiting["files"] == ["images/1.txt"] and "captions DIR restore" in waiting["hint"]
    say("captions", project, "undo")
    refused = say("captions", project, "undo")
    assert refused.code == 1 and "images/1.txt" in refused.err
    assert say("captions", project, "log", "--json").json["waiting"] == ["images/1.txt"]
    restored = say("captions", project, "restore", "--json")
    assert restored.code == 0 and restored.json["changed"] == 1
    assert texts(project)[1] == f"{TRIGGER} cup, on a shelf 1, in the mor"
    assert say("captions", project, "restore").out.startswith("Nothing that was typed waits")
    assert say("captions", project, "prefix", "film", "--json").json["changed"] == 3


def test_undo_leaves_alone_what_somebody_wrote_over_it(say: Say, project: Path) -> None:
    say("captions", project, "replace", "table", "shelf")
    write(project, 1, b"something else")
    said = say("captions", project, "undo", "--json")
    assert said.code == 1 and said.json["changed"] == 2
    assert said.json["problems"][0]["files"] == ["images/1.txt"]
    assert texts(project)[1] == "something else" and texts(project)[0].endswith("table 0")


def test_undo_where_nothing_was_done_says_so(say: Say, project: Path) -> None:
    said = say("captions", project, "undo", "--json")
    assert said.code == 1 and "nothing to take back" in said.json["error"]


def test_the_log_tells_the_newest_first_and_what_of_it_stands(say: Say, project: Path) -> None:
    assert "Nothing was done yet." in say("captions", project, "log").out
    say("captions", project, "replace", "table", "shelf", "--filter", "name:1")
    say("captions", project, "prefix", "film")
    say("captions", project, "undo")
    out = say("captions", project, "log").out.splitlines()
    assert "took back: put film first" in out[0]
    assert "put film first: 3 captions  (taken back)" in out[1]
    assert "replace table by shelf: images/1.txt" in out[2] and out[2].startswith("    1  20")
    assert len(say("captions", project, "log", "-n", "1").out.splitlines()) == 1
    of_one = say("captions", project, "log", "1.png", "--json").json
    assert [op["op"] for op in of_one["ops"]] == [3, 2, 1]
    assert of_one["ops"][2]["changes"] == [{
        "file": "images/1.txt", "before": f"{TRIGGER} cup, on a table 1", "after": f"{TRIGGER} cup, on a shelf 1",
    }]  # fmt: skip
    assert [op["op"] for op in say("captions", project, "log", "images/0.txt", "--json").json["ops"]] == [
        3,
        2,
    ]
    assert "[-table-]{+shelf+}" in say("captions", project, "log", "1.txt").out
    assert say("captions", project, "log", "9.png").code == 2
    say("captions", project, "suffix", "grain")
    assert "(gone)" in say("captions", project, "log").out, "redo cannot bring it back any more"


def test_captions_cannot_command_the_terminal(say: Say, project: Path) -> None:
    write(project, 0, b"[bold] table \x1b[2J\x07 \xe2\x80\xae\nsecond")
    said = say("captions", project, "replace", "table", "shelf")
    assert said.code == 0
    assert "\x1b" not in said.out and "\u202e" not in said.out
    assert "\\x1b[2J" in said.out and "\\nsecond" in said.out and "[bold]" in said.out
    assert contents(project)["0.txt"] == b"[bold] shelf \x1b[2J\x07 \xe2\x80\xae\nsecond"


def test_a_pattern_that_never_ends_is_refused_in_time(say: Say, project: Path) -> None:
    write(project, 0, b"a" * 400 + b"!")
    began = time.monotonic()
    said = say("captions", project, "replace", "(a|aa)+$", "b", "--regex")
    assert said.code == 2 and "does not come to its end" in said.err
    assert time.monotonic() - began < 3.0


def test_a_folder_of_pictures_that_is_not_there_stands_against_it(say: Say, project: Path) -> None:
    text = (project / "project.toml").read_text().replace('images = "images"', 'images = "nowhere"')
    (project / "project.toml").write_text(text)
    said = say("captions", project, "prefix", "x", "--json")
    assert said.code == 1 and "nowhere" in str(said.json["problems"])
