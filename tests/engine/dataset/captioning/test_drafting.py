"""Which captions a model drafts, and what its words become."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.captioning.content import content_of
from engine.dataset.captioning.drafting import TEMPLATE_OVER, Choice, Wanted, caption_of, choose, template_of
from engine.dataset.captioning.entries import Entry
from projects.problems import Problem, Refused
from projects.spec import DataSet, FillJob, Role, RunSpec

SPEC = RunSpec(trigger="k1tch", class_word="kitchen")


def job(**said: object) -> FillJob:
    return FillJob(project="p", model="m", spec=SPEC, **said)  # type: ignore[arg-type]


def entry(
    name: str, data: bytes | None = None, *, role: Role = "subject", variant: int = 1, **said: object
) -> Entry:
    return Entry(
        picture=f"{name}.png", path=Path(f"/p/{name}.png"), dataset=DataSet(path="images", role=role),
        file=f"images/{name}.txt" if variant == 1 else f"images/{name}.{variant}.txt", variant=variant,
        content=None if data is None else content_of(data), **said,  # type: ignore[arg-type]
    )  # fmt: skip


ENTRIES = [
    entry("a"), entry("a", b"a variant", variant=2), entry("b", b"  \n"), entry("c", b"a person's"),
    entry("d", b"a draft"), entry("g", b"a person's, a draft"), entry("e", b"caf\xe9"),
    entry("f", problem=Problem(error="cannot be read")), entry("r", role="regularization"),
]  # fmt: skip
DRAFTED = {"images/d.txt": "", "images/g.txt": "a person's"}


def names(choice: Choice) -> str:
    return "".join(one.picture[0] for one in choice.wanted)


@pytest.mark.parametrize(
    ("said", "wanted", "written", "drafts"),
    [
        ({}, "abr", 1, 2),
        ({"again": True}, "abdr", 2, 0),
        ({"over": True}, "abcr", 0, 2),
        ({"over": True, "again": True}, "abcdgr", 0, 0),
        ({"pictures": ("c.png", "a.png")}, "a", 1, 0),
        ({"pictures": ("d.png",), "again": True}, "d", 0, 0),
    ],
)
def test_what_people_wrote_and_earlier_drafts_are_left_alone_unless_asked(
    said: dict[str, object], wanted: str, written: int, drafts: int
) -> None:
    choice = choose(ENTRIES, DRAFTED, job(**said))
    assert (names(choice), choice.written, choice.drafts) == (wanted, written, drafts)
    if not said.get("pictures"):
        assert choice.unreadable == ("images/e.txt", "images/f.txt")


def test_a_name_of_no_picture_is_refused_with_the_nearest() -> None:
    with pytest.raises(Refused, match=r'No picture is called "c.jpg". Did you mean [a-f].png') as refused:
        choose(ENTRIES, DRAFTED, job(pictures=("c.jpg", "zzzzzz")))
    assert len(refused.value.problems) == 2 and refused.value.usage


def one(person: str = "", *, drafted: bool = False, trigger: str = "k1tch") -> Wanted:
    before = f"{person}, an earlier draft" if drafted else person
    return Wanted(
        file="a.txt", picture="a.png", before=before, drafted=drafted, person=person, trigger=trigger,
        class_word="kitchen",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("template", "wanted", "text"),
    [
        ("{trigger}, {draft}", one(), "k1tch, a pan"),
        ("{trigger}, {draft}", one(trigger=""), "a pan"),
        ("{draft}, {trigger}", one(trigger=""), "a pan"),
        ("{trigger}, a {class}, {draft}", one(), "k1tch, a kitchen, a pan"),
        (TEMPLATE_OVER, one("blue tiles "), "k1tch, blue tiles, a pan"),
        (TEMPLATE_OVER, one(), "k1tch, a pan"),
        (TEMPLATE_OVER, one("K1TCH in blue"), "K1TCH in blue, a pan"),
        (TEMPLATE_OVER, one("blue tiles", drafted=True), "k1tch, blue tiles, a pan"),
        (TEMPLATE_OVER, one("two\nlines {draft}"), "k1tch, two\nlines {draft}, a pan"),
        ("{draft}", one("K1tch in blue"), "a pan"),
        ("{trigger}, {draft}", one("k1tch in blue"), "k1tch, a pan"),
        ("photo of {trigger} , {caption} , {draft}", one(), "photo of k1tch , a pan"),
    ],
)
def test_the_trigger_comes_first_and_once_and_a_persons_words_are_kept(
    template: str, wanted: Wanted, text: str
) -> None:
    assert caption_of(template, wanted, " a pan ") == text


def test_the_template_in_force_follows_what_is_asked() -> None:
    assert template_of(job()) == "{trigger}, {draft}" and template_of(job(over=True)) == TEMPLATE_OVER
    assert template_of(job(over=True, template="{draft}")) == "{draft}"


WORDS = st.text(min_size=1).map(str.strip).filter(bool)


@given(WORDS, WORDS)
def test_whatever_was_written_stands_whole_in_the_caption(person: str, draft: str) -> None:
    text = caption_of(TEMPLATE_OVER, one(person), draft)
    assert person in text and text.endswith(draft)


def test_ten_thousand_pictures_are_chosen_in_a_moment() -> None:
    entries = [entry(str(number)) for number in range(10_000)]
    named = job(pictures=tuple(one.picture for one in entries))
    began = time.perf_counter()
    assert len(choose(entries, {}, named).wanted) == 10_000
    assert time.perf_counter() - began < 1
