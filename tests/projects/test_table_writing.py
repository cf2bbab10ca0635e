"""What is written into a project file, and that nothing but a sentence ever comes of odd texts."""

import contextlib
import dataclasses
import tomllib

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.fields import Shape, fields_of, leaves
from projects.problems import Refused
from projects.setting import set_values
from projects.spec import RunSpec, TrainJob
from projects.table import dump, parse

COMMENTED = """\
# mine
trigger = "aur3"   # invented

[train]            # how long
batch = 2          # small
# steps = 9

[data.excluded]
"b.jpg" = "blurred"

[base]
source = 'demo'
"""


def test_setting_values_keeps_comments_order_and_quotes() -> None:
    text = set_values(
        COMMENTED, ["train.batch=4", "train.steps=100", 'data.excluded."a b.jpg"=too dark', "adapter.rank=8"]
    )
    kept = [line for line in COMMENTED.splitlines() if line and not line.startswith(("batch", "# steps"))]
    assert [line for line in text.splitlines() if line in kept] == kept
    assert "batch = 4          # small\nsteps = 100\n" in text, (
        "what was commented out comes to stand in its place"
    )
    table = tomllib.loads(text)
    assert table["train"] == {"batch": 4, "steps": 100}
    assert table["data"]["excluded"] == {"b.jpg": "blurred", "a b.jpg": "too dark"}
    assert table["adapter"] == {"rank": 8}


TAUGHT = """\
# name = "n"
trigger = "aur3"

[train]
# steps = as many as you like
# steps = 1300   # by rule
keep = 4

[sample]
# steps = 30
prompts = ['''
# seeds = [1]
''']
"""


def test_a_key_that_is_commented_out_is_uncommented_in_its_section_and_nowhere_else() -> None:
    text = set_values(TAUGHT, ["train.steps=11", "name=mine"])
    assert text == TAUGHT.replace("# steps = 1300 ", "steps = 11 ").replace('# name = "n"', 'name = "mine"')
    text = set_values(TAUGHT, ["sample.steps=4", "sample.seeds=[3]"])
    assert text == TAUGHT.replace("# steps = 30", "steps = 4") + "seeds = [3]\n", (
        "a line inside a text is none"
    )
    assert set_values(text, ["sample.steps=5"]) == text.replace("steps = 4", "steps = 5")


def test_steps_take_the_place_of_epochs() -> None:
    assert tomllib.loads(set_values("[train]\nepochs = 3\n", ["train.steps=11"])) == {"train": {"steps": 11}}


def test_a_key_is_taken_out_whatever_it_holds() -> None:
    assert tomllib.loads(set_values(COMMENTED, [], without=["trigger", "train.batch"]))["train"] == {}
    assert "trigger" not in set_values(COMMENTED, [], without=["trigger"])


def test_an_empty_value_takes_a_number_out_and_empties_a_text() -> None:
    table = tomllib.loads(set_values(COMMENTED, ["train.batch=", "trigger="]))
    assert table["train"] == {} and table["trigger"] == ""


def test_windows_line_ends_stay() -> None:
    assert set_values("a_ = 1\r\n".replace("a_", "name").replace("1", '"x"'), ["trigger=t"]).startswith(
        'name = "x"\r\n'
    )


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("train.batch", "not an assignment"),
        ("=4", "not an assignment"),
        ("train.batsh=4", "Did you mean train.batch?"),
        ("train.batch=four", "a whole number is expected"),
        ("train.batch=0", "0 is below 1"),
        ("trigger.x=1", "not a section"),
        ("data.sets.3.path=a", "no such entry"),
    ],
)
def test_a_wrong_assignment_is_named_as_it_was_given(assignment: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        set_values(COMMENTED, [assignment])
    [problem] = refused.value.problems
    assert problem.where == f"--set {assignment}"
    assert words in f"{problem.error} {problem.hint}"


def test_one_wrong_key_elsewhere_does_not_keep_another_from_being_mended() -> None:
    text = set_values("[train]\nbatch = 0\nkeep = 0\n", ["train.batch=1"])
    assert tomllib.loads(text)["train"] == {"batch": 1, "keep": 0}


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


def values_of(shape: Shape) -> st.SearchStrategy[object]:
    """Any value a field can have."""
    kind, bounds = shape.kind, shape.bounds
    parts = [values_of(part) for part in shape.parts]
    if kind == "choice":
        return st.sampled_from(shape.choices)
    if kind == "either":
        return st.one_of(parts)
    if kind == "list":
        fixed, least = shape.fixed, int(shape.single)
        return st.tuples(*parts) if fixed else st.lists(parts[0], min_size=least, max_size=3).map(tuple)
    if kind == "dict":
        return st.dictionaries(TEXTS, parts[0], max_size=3)
    if kind == "table":
        return specs(shape.cls)
    if kind == "str" and bounds:
        return st.text("abc", min_size=int(bounds.low), max_size=int(bounds.high))
    return {
        "str": TEXTS,
        "bool": st.booleans(),
        "int": st.integers(bounds.low, bounds.high) if bounds else st.integers(),
        "float": st.floats(float(bounds.low), float(bounds.high)) if kind == "float" else st.nothing(),
    }[kind]


def specs(cls: type) -> st.SearchStrategy[object]:
    """Any spec of a dataclass, defaults now and then."""
    given = {}
    for name, field in fields_of(cls).items():
        values = values_of(field.shape)
        required = field.default is dataclasses.MISSING
        given[name] = values if required else st.one_of(st.just(field.default), values)
    return st.builds(cls, **given)


@settings(max_examples=60, deadline=None)
@given(specs(TrainJob))
def test_any_spec_is_read_back_as_it_was_dumped(job: TrainJob) -> None:
    table = tomllib.loads(dump(job))
    back = tomllib.loads(dump(job.spec))
    assert table["spec"] == back
    assert tomlkit.parse(dump(job)).unwrap() == table


LINES = st.sampled_from(["# a note", "", "#x = 1", "   # indented"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(LINES, max_size=3), min_size=6, max_size=6),
    st.integers(1, 512),
    TEXTS,
    st.floats(1e-8, 1.0),
)
def test_comments_and_order_stay_whatever_is_set(
    notes: list[list[str]], batch: int, name: str, rate: float
) -> None:
    said = ['name = "n"', "[train]", "batch = 3  # b", "[sample]", "steps = 5", ""]
    text = "\n".join(line for note, key in zip(notes, said, strict=True) for line in [*note, key])
    quoted = tomlkit.string(name).as_string()
    after = set_values(text, [f"train.batch={batch}", f"name={quoted}", f"train.learning_rate={rate!r}"])
    comments = [line for line in text.split("\n") if "#" in line and "batch" not in line]
    assert [line for line in after.split("\n") if line in set(comments)] == comments
    table = tomllib.loads(after)
    assert table == {"name": name, "train": {"batch": batch, "learning_rate": rate}, "sample": {"steps": 5}}
    order = [line.split("=")[0].strip() for line in after.split("\n") if line[:1] not in ("#", " ", "")]
    assert [word for word in order if word != "learning_rate"][:5] == [
        "name",
        "[train]",
        "batch",
        "[sample]",
        "steps",
    ]


PIECES = st.one_of(
    st.sampled_from(sorted({part for key in leaves() for part in key.split(".")})),
    st.sampled_from(
        [
            "[",
            "]",
            "[[",
            "]]",
            "=",
            ".",
            "\n",
            "\n[",
            "]\n",
            "{",
            "}",
            ",",
            '"',
            "'",
            '"""',
            "#",
            "\\",
            "\r\n",
        ]
    ),
    st.sampled_from(
        [" = 1\n", " = 1.5\n", ' = "x"\n', " = []\n", " = {}\n", " = true\n", " = 1979-05-27\n", " = [{}]\n"]
    ),
    st.sampled_from(["9" * 5000, "1e999", "-1", "[" * 2000, "é", "\0", "\ufeff"]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join), st.lists(PIECES, min_size=1, max_size=6).map("".join))
def test_no_text_and_no_assignment_ends_in_anything_but_problems(text: str, assignment: str) -> None:
    with contextlib.suppress(Refused):
        parse(text, RunSpec, file="project.toml")
    with contextlib.suppress(Refused):
        set_values(text, [assignment])
    with contextlib.suppress(Refused):
        set_values(COMMENTED, [assignment])
