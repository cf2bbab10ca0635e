"""A project file: every mistake named at once, and written without touching what a person wrote."""

import pytest

from projects import presets
from projects.fields import leaves
from projects.problems import Refused
from projects.spec import RunSpec
from projects.table import explain, keys, parse
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
        ("[train]\nstop_when = 'loss'", "train.stop_when (line 2)", "settled"),
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
        ("[train]\noptimizer = 'prodigy'", "train.learning_rate (line 1)", "Write learning_rate = 1.0."),
        (
            "[train]\noptimizer = 'adamw_schedulefree'\nschedule = 'cosine'",
            "train.schedule (line 3)",
            "would fall twice",
        ),
        ("[train]\noptimizer = 'AdamW8bit'", "train.optimizer (line 2)", 'Did you mean "adamw_8bit"?'),
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
    assert (demo.train.resolution, demo.train.batch, demo.train.learning_rate) == ((64,), 4, 1e-3)
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
    assert (rate.bounds, rate.default, rate.presets["demo"]) == ((1e-8, 1.0), "0.0001", "0.001")
    assert '"holdout"' in explain("data.sets.role").type
    assert explain("job.weights").default == "[0.5, 0.7, 0.85, 1.0]"
    with pytest.raises(Refused, match=r"train\.learning_rate"):
        explain("train.lerning_rate")
