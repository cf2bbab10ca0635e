"""From scores and sentences to words of a caption."""

from pathlib import Path

import pytest

from engine.fill.texts import Tag, chosen, read_tags, sentence, worded
from projects.problems import Refused
from projects.spec import FillJob, RunSpec

TAGS = [
    Tag("general", 9), Tag("1girl", 0), Tag("long_hair", 0), Tag("^_^", 0), Tag("Dress_(white)", 0),
    Tag("kita_(singer)", 4), Tag("artist_unknown", 1),
]  # fmt: skip
SCORES = [0.99, 0.9, 0.35, 0.36, 0.95, 0.85, 1.0]


def job(**said: object) -> FillJob:
    return FillJob(project="p", model="m", spec=RunSpec(), **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "caption"),
    [
        ({}, "Dress (white), 1girl, ^_^"),
        ({"general_threshold": 0.3}, "Dress (white), 1girl, ^_^, long hair"),
        ({"general_threshold": 0.3, "order": "name"}, "1girl, ^_^, Dress (white), long hair"),
        ({"character_threshold": 0.5}, "Dress (white), 1girl, kita (singer), ^_^"),
        ({"character_threshold": 0.5, "escape": True}, r"Dress \(white\), 1girl, kita \(singer\), ^_^"),
        ({"underscores": True}, "Dress_(white), 1girl, ^_^"),
        ({"blacklist": ("dress (WHITE)", "1girl")}, "^_^"),
        ({"blacklist": ("dress_(white)", r"dress \(white\)")}, "1girl, ^_^"),
        ({"blacklist": ("dress",)}, "Dress (white), 1girl, ^_^"),
        ({"general_threshold": 1.0, "character_threshold": 1.0}, ""),
        ({"general_threshold": 0.0, "character_threshold": 0.0, "order": "name"},
         "1girl, ^_^, Dress (white), kita (singer), long hair"),
    ],
)  # fmt: skip
def test_tags_are_taken_above_their_threshold_and_worded_as_asked(
    said: dict[str, object], caption: str
) -> None:
    assert chosen(TAGS, SCORES, job(**said)) == caption


def test_tags_of_one_score_keep_the_order_of_the_list() -> None:
    assert chosen([Tag(name, 0) for name in "cab"], [0.5, 0.5, 0.5], job()) == "c, a, b"


@pytest.mark.parametrize("name", ["^_^", "o_o", "(o)_(o)", "||_||", ">_<", "0_0", "|_|"])
def test_faces_keep_their_mouths(name: str) -> None:
    assert worded(name, job()) == name


def test_a_list_of_tags_is_read_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "selected_tags.csv"
    file.write_text('tag_id,name,category,count\n1,"a,_b",0,9\n2,kita,4,1\n', "utf-8")
    assert read_tags(file) == [Tag("a,_b", 0), Tag("kita", 4)]
    for text in ("", "id,label\n1,x\n", "name,category\nx,many\n", "name,category\n"):
        file.write_text(text)
        with pytest.raises(Refused, match="no list of tags"):
            read_tags(file)


@pytest.mark.parametrize(
    ("told", "blacklist", "caption"),
    [
        ("  a woman\n on a  bench \r\n", (), "a woman on a bench"),
        ("a\x00b\x1b[31mc\x7f", (), "a b [31mc"),
        ("araffe woman in araffe light", ("araffe",), "woman in light"),
        ("Araffe, a woman, blurry, blurry", ("araffe", "blurry"), "a woman"),
        ("araffes stay", ("araffe",), "araffes stay"),
        ("a cup (red).", ("(red)",), "a cup."),
        ("a photo of a cup", ("a photo of", ""), "a cup"),
        ("café", ("CAFÉ",), ""),
        ("été \u2028 hiver", (), "été hiver"),
        ("one, two", (), "one, two"),
        (",", (), ""),
    ],
)
def test_sentences_come_on_one_line_without_what_is_barred(
    told: str, blacklist: tuple[str, ...], caption: str
) -> None:
    assert sentence(told, blacklist) == caption
