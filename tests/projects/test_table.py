"""A project file: every mistake named at once, and written without touching what a person wrote."""

import contextlib
import dataclasses
import tomllib

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from projects import presets
from projects.fields import Shape, fields_of, leaves
from projects.problems import Refused
from projects.spec import RunSpec, TrainJob
from projects.table import dump, explain, keys, parse, set_values
from projects.toml import key_lines


def problems_of(text: str) -> dict[str, str]:
    """where -> sentence with hint."""
    with pytest.raises(Refused) as refused:
        parse(text, RunSpec, file="project.toml")
    assert refused.value.usage
    found = {
        one.where.removeprefix("project.toml: "): f"{one.error} {one.hint}" for one in refused.value.problems
    }
    assert len(found) == len(refused.value.problems), "two problems at one place"
    return found


MISTAKES = """\
format = 1
trigger = "two words"
rating = "adult"
nam = "aurelia"

[base]
source = 5
clip_skip = 99

[data]
images = ["a", "b"]
caption_extension = ".txt"
background = "white"
excluded = { "a.jpg" = 3 }
crop = { "b.jpg" = [0.5, 1.5], "c.jpg" = [0.5] }

[[data.sets]]
role = "subjekt"

[adapter]
rank = 32.0
dropout = true

[train]
steps = 100
epochs = 5
learning_rate = "1e-4"
lr = 1e-4
optimizer = "adam"
resolution = [512, 5000]

[sampel]
"""


def test_twenty_mistakes_give_twenty_problems_each_with_key_and_line() -> None:
    found = problems_of(MISTAKES)
    assert len(found) == 22
    expected = {
        "trigger (line 2)": "two_words",
        "rating (line 3)": '"general", "mature"',
        "nam (line 4)": "Did you mean name?",
        "base.source (line 7)": "text is expected",
        "base.clip_skip (line 8)": "from 1 to 12",
        "data.images (line 11)": "A list stands here; text is expected",
        "data.caption_extension (line 12)": "without dot",
        "data.background (line 13)": "#rrggbb",
        'data.excluded."a.jpg" (line 14)': "The number 3 stands here; text is expected",
        'data.crop."b.jpg".1 (line 15)': "1.5 is above 1",
        'data.crop."c.jpg" (line 15)': "a list of 2 numbers is expected",
        "data.sets (line 17)": "data.images and [[data.sets]] both say",
        "data.sets.0.role (line 18)": 'Did you mean "subject"?',
        "data.sets.0.path (line 17)": "path is missing",
        "adapter.rank (line 21)": "Write 32.",
        "adapter.dropout (line 22)": "true stands here; a number is expected",
        "train.epochs (line 26)": "steps and epochs",
        "train.learning_rate (line 27)": "Write it without quotes: learning_rate = 1e-4",
        "train.lr (line 28)": "Did you mean train.learning_rate?",
        "train.optimizer (line 29)": 'Did you mean "adamw"?',
        "train.resolution.1 (line 30)": "5000 is above 4096",
        "sampel (line 32)": "Did you mean sample?",
    }
    assert set(found) == set(expected)
    for where, words in expected.items():
        assert words in found[where], (where, found[where])


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("[train]\nseed = true", "train.seed (line 2)", "a whole number is expected"),
        ("[train]\nlearning_rate = nan", "train.learning_rate (line 2)", "not a number"),
        ("[train]\nlearning_rate = inf", "train.learning_rate (line 2)", "not a number"),
        ("[train]\nflip = true", "train.flip (line 2)", "Did you mean data.flip?"),
        ("[train]\nstop_when = 'loss'", "train.stop_when (line 2)", "not possible yet"),
        ("[train]\nresolution = []", "train.resolution (line 2)", "at least one"),
        ("[sample]\nprompts = 'one'", "sample.prompts (line 2)", 'prompts = ["one"]'),
        ("[sample]\nseeds = 4", "sample.seeds (line 2)", "seeds = [4]"),
        ("[sample]\nprompts = ['a\\u0000b', \"a\\u0000b\"]", "sample.prompts.1 (line 2)", "NUL"),
        ("[data.sets]\npath = 'a'", "data.sets (line 1)", "[[data.sets]]"),
        ("[[train]]\nseed = 1", "train (line 1)", "[train]"),
        ("train = 5", "train (line 1)", "[train]"),
        ("[adapter]\ntargets = 'attn'", "adapter.targets (line 2)", '"attention+mlp"'),
        ("[data]\nimages = 'a'\nholdout = './a'", "data.holdout (line 3)", "named twice"),
        ("[data]\nimages = 'a'\n[[data.sets]]\npath = 'b'", "data.sets (line 3)", "both say"),
        ("[[data.sets]]\npath = 'b'\nrole = 'holdout'", "data.sets (line 1)", "No set has role"),
        (
            "[[data.sets]]\npath = 'a'\n[[data.sets]]\npath = 'b'\nmask = 'm'",
            "data.sets.1.mask (line 5)",
            "not possible yet",
        ),
        ("trigger = 'Mug'\nclass_word = 'mug'", "class_word (line 2)", "the trigger"),
    ],
)
def test_each_mistake_says_what_is_found_and_what_is_expected(text: str, where: str, words: str) -> None:
    found = problems_of(text)
    assert list(found) == [where]
    assert words in found[where]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 1\nb = = 2\n", "project.toml (line 2, column 5)"),
        ('trigger = "x"\n[train\n', "project.toml (line 2, column 7)"),
        ("[train]\nseed = 1\nseed = 2\n", "project.toml (line 3, column 9)"),
        ('trigger = """x\n', "project.toml (line 2, at the end)"),
    ],
)
def test_broken_toml_has_line_and_column(text: str, place: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(text, RunSpec, file="project.toml")
    assert [problem.where for problem in refused.value.problems] == [place]


def test_a_newer_format_is_one_sentence_and_not_a_list_of_unknown_keys() -> None:
    assert "newer Safelight" in problems_of("format = 2\nmode = 'x'\n")["format"]


def test_whole_numbers_are_fine_for_number_fields_and_one_resolution_is_a_list_of_one() -> None:
    spec = parse("[train]\nlearning_rate = 1\nresolution = 512", RunSpec, file="project.toml")
    assert (spec.train.learning_rate, type(spec.train.learning_rate)) == (1.0, float)
    assert spec.train.resolution == (512,)


def test_layers_lie_under_the_text_and_epochs_take_steps_of_a_layer_out() -> None:
    layer = {"train": {"steps": 1300, "batch": 4}, "adapter": {"rank": 16}}
    spec = parse("[train]\nepochs = 3", RunSpec, file="project.toml", layers=[layer])
    assert (spec.train.steps, spec.train.epochs, spec.train.batch, spec.adapter.rank) == (None, 3, 4, 16)


@pytest.mark.parametrize("name", presets.NAMES)
def test_presets_are_tables_of_the_same_keys(name: str) -> None:
    assert parse(presets.text_of(name), RunSpec, file=f"{name}.toml")


def test_presets_hold_the_numbers_of_the_field() -> None:
    sdxl = parse("", RunSpec, file="", layers=[presets.preset("sdxl")])
    assert (sdxl.adapter.rank, sdxl.train.learning_rate, sdxl.train.schedule) == (32, 1e-4, "cosine_restarts")
    assert (sdxl.train.resolution, sdxl.sample.guidance, sdxl.sample.steps) == ((1024,), 7.0, 30)
    demo = parse("", RunSpec, file="", layers=[presets.preset("demo")])
    assert (demo.train.resolution, demo.train.batch, demo.train.learning_rate) == ((64,), 4, 1.5e-3)
    assert (demo.train.steps, demo.adapter.rank, demo.train.precision) == (1300, 16, "fp32")


LOOKALIKES = """\
a = \"\"\"
[x]
b = 1
\"\"\"  # [y]\r
list = [
  "k = 1", # ]
  2,
]
[ "q.r" . s ]
t.u = '['
[[v]]
[[v]]
w = {z = 1}
"""


def test_lines_are_found_behind_strings_comments_and_arrays_that_look_like_keys() -> None:
    lines = key_lines(LOOKALIKES)
    expected = {
        ("a",): 1,
        ("list",): 5,
        ("q.r", "s", "t", "u"): 10,
        ("v",): 11,
        ("v", 1): 12,
        ("v", 1, "w"): 13,
    }
    assert expected.items() <= lines.items()
    assert not {("x",), ("b",), ("y",), ("k",)} & lines.keys()


def test_every_key_is_explained_and_an_unknown_one_names_its_neighbour() -> None:
    assert set(leaves()) < set(keys())
    for key in [*keys(), "train", "data.sets", "job.train"]:
        assert explain(key).text, key
    rate = explain("train.learning_rate")
    assert (rate.bounds, rate.default, rate.presets["demo"]) == ((1e-8, 1.0), "0.0001", "0.0015")
    assert '"holdout"' in explain("data.sets.role").type
    assert explain("job.weights").default == "[0.5, 0.7, 0.85, 1.0]"
    with pytest.raises(Refused, match=r"train\.learning_rate"):
        explain("train.lerning_rate")


# ---- writing

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
    kept = [line for line in COMMENTED.splitlines() if line and not line.startswith("batch")]
    assert [line for line in text.splitlines() if line in kept] == kept
    assert "batch = 4          # small" in text
    table = tomllib.loads(text)
    assert table["train"] == {"batch": 4, "steps": 100}
    assert table["data"]["excluded"] == {"b.jpg": "blurred", "a b.jpg": "too dark"}
    assert table["adapter"] == {"rank": 8}


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
