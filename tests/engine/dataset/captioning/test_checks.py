"""The checks of captions: each finds what it is for, leaves good captions alone, and its fix makes it silent."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.captioning.checks.shapes import Conversion
from engine.dataset.captioning.checks.shelf import CHECKS, fix_of, judged, titles
from engine.dataset.captioning.content import content_of
from engine.dataset.captioning.trigger_word import judged as judged_trigger
from engine.dataset.tokens import Place, counted, shipped
from projects.problems import Problem
from tests.engine.dataset.captioning.given import (
    REGULARIZATION,
    collection,
    entries,
    entry,
    found,
    varied,
)  # fmt: skip

DESIGN = """missing empty orphan encoding placeholder trigger-missing trigger-position trigger-twice trigger-word too-long
too-short identical ubiquitous companion unsaid style alphabet typography"""


def test_the_shelf_has_the_checks_by_their_names():
    assert {check.name for check in CHECKS} == set(DESIGN.split()) == set(titles())
    assert all(check.method and check.known and check.title for check in CHECKS)


def test_good_captions_are_left_alone():
    given_ = collection(
        *varied(40), also=entries("a woman", "a woman, garden", dataset=REGULARIZATION), places=[shipped().place],
        counts=counted([shipped()], varied(40)), word=judged_trigger("xk3r", shipped()),
        audit={"distance": {f"I{n:03d}.jpg": ("close-up", "medium", "full body")[n % 3] for n in range(40)}},
    )  # fmt: skip
    assert found(given_) == []


@pytest.mark.parametrize(
    ("text", "check", "said"),
    [
        (None, "missing", "There is no I001.txt."),
        ("", "empty", "I001.txt is an empty caption."),
        (" \n\ufeff", "empty", "empty"),
        (b"caf\xe9", "encoding", "I001.txt is not UTF-8: byte 3 is 0xe9"),
        ("xk3r\x00, bench, wall, light".encode("utf-16"), "encoding", "UTF-16"),
        ("xk3r, a\x1bb", "encoding", "control character U+001B"),
        (
            "[trigger], bench, wall, light",
            "placeholder",
            'holds the placeholder "[trigger]" at line 1, column 1',
        ),
    ],
)
def test_what_a_run_refuses_is_a_blocker(text, check, said):
    (finding,) = found(collection(varied(1)[0], text))
    assert (finding.check, finding.severity, finding.pictures) == (check, "blocker", ("I001.jpg",))
    assert said in finding.value


def test_a_file_that_cannot_be_read_is_no_missing_one():
    broken = replace(
        entry(1, None), problem=Problem(error="cannot be read: Permission denied.", hint="Check.")
    )
    (finding,) = found(collection(also=[broken]))
    assert finding.check == "encoding" and "Permission denied" in finding.value


def test_a_missing_variant_is_nothing_and_orphans_are_named():
    given_ = collection(*varied(3), also=[entry(1, varied(9)[8], variant=2)], orphans=["old.txt"])
    (finding,) = found(given_)
    assert finding.check == "orphan" and "old.txt" in finding.value


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("a woman, linen jacket, garden wall", "trigger-missing"),
        ("xk3rs woman, linen jacket, garden wall", "trigger-missing"),
        ("a woman, xk3r, linen jacket, garden wall", "trigger-position"),
        ("photo of XK3R in a linen jacket, garden wall", "trigger-position"),
        ("xk3r, photo of xk3r, linen jacket, garden wall", "trigger-twice"),
        ("xk3r woman, lin\u0435n jacket, garden wall", "alphabet"),
        ("xk3r woman, \uff4cinen jacket, garden wall", "alphabet"),
        ("xk3r woman, linen jacket, garden wall, \u201cfilm\u201d", "typography"),
        ("xk3r woman, linen\u00a0jacket, garden wall", "typography"),
        ("xk3r woman, linen jacket, garden wall,", "typography"),
        ("xk3r woman, linen jacket,, garden wall", "typography"),
        ("[trigger] woman, linen jacket, garden wall", "placeholder"),
        ("[class] xk3r, linen jacket, garden wall", "placeholder"),
    ],
)
def test_its_fix_makes_it_silent(text, check):
    given_ = collection(*varied(3), text)
    finding = next(each for each in found(given_, check))
    fix = fix_of(given_, finding)
    assert fix is not None and fix.words
    assert finding.pictures == ("I003.jpg",)
    assert found(collection(*varied(3), fix(text)), check) == []


def test_another_encoding_is_converted_by_the_file_not_by_its_words():
    given_ = collection("xk3r caf\xe9, bench, wall, light".encode("latin-1"))
    assert fix_of(given_, found(given_)[0]) == Conversion()
    given_ = collection("xk3r\x07, bench, wall, light")
    assert fix_of(given_, found(given_)[0]) is None


@pytest.mark.parametrize(
    ("trigger", "near"),
    [
        ("aur3lia_portrait", "aurelia_portrait"), ("aur3lia_portrait", "aur3lia portrait"), ("aur3lia", "au3rlia"),
        ("mystyl", "mystil"),
    ],
)  # fmt: skip
def test_a_misspelled_trigger_is_named_and_mended(trigger, near):
    texts = [text.replace("xk3r", trigger) for text in varied(4)]
    texts[2] = texts[2].replace(trigger, near)
    given_ = collection(*texts, trigger=trigger)
    (finding,) = found(given_, "trigger-word")
    assert (finding.about, finding.pictures) == (near, ("I002.jpg",))
    fix = fix_of(given_, finding)
    assert fix(texts[2]).startswith(trigger)


def test_ordinary_words_are_no_near_misses():
    texts = [text.replace("xk3r", "trial") for text in varied(20)] + [
        "trial woman, train on a trail, bench, wall"
    ]
    assert {f.about for f in found(collection(*texts, trigger="trial"), "trigger-word")} == {"trail"}
    texts = [text.replace("xk3r", "xk3r_style") for text in varied(20)] + [
        "xk3r_style woman, old style, stylish, wall"
    ]
    assert found(collection(*texts, trigger="xk3r_style"), "trigger-word") == []


def test_a_trigger_that_is_a_word_is_said_once():
    given_ = collection(*varied(2), trigger="rose", word=judged_trigger("rose", shipped()))
    (finding,) = found(given_, "trigger-word")
    assert "a word that the base knows" in finding.value and not finding.pictures


def test_what_is_cut_off_is_shown():
    encoder = shipped()
    long = varied(1)[0] + ", word" * 28 + ", film grain"
    given_ = collection(long, *varied(3)[1:], places=[encoder.place], counts=counted([encoder], [long]))
    (finding,) = found(given_, "too-long")
    assert finding.pictures == ("I000.jpg",) and finding.threshold == 75
    assert finding.number == encoder.count(long).tokens
    assert 'film grain" is never trained' in finding.value


def test_a_window_that_does_not_decide_cuts_nothing_off():
    encoder = shipped()
    long = varied(1)[0] + ", word" * 80
    places = [replace(encoder.place, decides=False), replace(encoder.place, label="T5", limit=511)]
    counts = {long: (encoder.count(long), replace(encoder.count(long), cut=None))}
    assert found(collection(long, places=places, counts=counts), "too-long") == []


def test_where_nothing_can_be_counted_it_says_so():
    absent = Place(label="T5", kind="t5", limit=511, folder=None)
    for places in ([], [absent]):
        (finding,) = [
            each for each in judged(collection(*varied(2), places=places), {}) if each.check == "too-long"
        ]
        assert (finding.severity, finding.confidence) == ("note", "not-run")


def test_captions_that_say_nothing():
    (finding,) = found(collection(*varied(4), "xk3r, a woman in a hat"), "too-short")
    assert finding.pictures == ("I004.jpg",) and "one word" in finding.value
    assert found(collection(*varied(4), "xk3r, a woman in a hat, bench, dusk"), "too-short") == []
    (finding,) = found(collection(*(["xk3r woman"] * 10)))
    assert finding.check == "too-short" and not finding.pictures and "the trigger alone" in finding.value


def test_the_same_caption_twice():
    texts = [*varied(4), varied(4)[1] + "\n"]
    (finding,) = found(
        collection(*texts, also=entries("a cat, sofa, lamp", "a cat, sofa, lamp", dataset=REGULARIZATION))
    )
    assert (finding.check, finding.pictures) == ("identical", ("I001.jpg", "I004.jpg"))


def test_what_stands_everywhere_is_asked_about():
    texts = [f"{text}, Film Grain" if n else text for n, text in enumerate(varied(20))]
    given_ = collection(*texts)
    (finding,) = found(given_)
    assert (finding.check, finding.about, finding.number, len(finding.pictures)) == (
        "ubiquitous",
        "film grain",
        0.95,
        19,
    )
    assert fix_of(given_, finding)(texts[3]) == varied(20)[3]
    assert found(collection(*texts[:16], *varied(20)[:4]), "ubiquitous") == []
    assert found(collection(*texts[:7]), "ubiquitous") == []


def test_words_that_always_come_with_the_trigger():
    texts = [text.replace("xk3r woman", f"xk3r woman with very long auburn hair near {n} trees") for n, text in
             enumerate(varied(20))]  # fmt: skip
    told = found(collection(*texts), "companion")
    assert [finding.about for finding in told] == ["very long auburn hair", "trees"] or {
        finding.about for finding in told
    } == {"long auburn hair", "trees"}
    texts[3] = varied(20)[3]
    assert found(collection(*texts), "companion") == []


def test_what_is_everywhere_as_a_phrase_is_not_said_twice():
    texts = [f"{text}, film grain" for text in varied(20)]
    assert [finding.check for finding in found(collection(*texts))] == ["ubiquitous"]


def test_what_differs_and_is_not_said():
    texts = [f"xk3r woman, linen jacket {n}, brick wall {n}" for n in range(20)]
    audit = {"distance": {f"I{n:03d}.jpg": ("close-up", "full body")[n % 2] for n in range(20)}}
    (finding,) = found(collection(*texts, audit=audit), "unsaid")
    assert (finding.about, len(finding.pictures), finding.number) == ("distance", 20, 0)
    assert "10 close-up, 10 full body" in finding.value
    said = [f"{text}, {'close up' if n % 2 else 'full-body'}" for n, text in enumerate(texts)]
    assert found(collection(*said, audit=audit), "unsaid") == []
    same = {"distance": {f"I{n:03d}.jpg": "close-up" for n in range(20)}}
    assert found(collection(*texts, audit=same), "unsaid") == []
    declared = {"light": {f"I{n:03d}.jpg": ("candle", "neon")[n % 2] for n in range(20)}}
    assert [each.about for each in found(collection(*texts, audit=declared), "unsaid")] == ["light"]


def test_what_is_not_known_of_the_pictures_is_not_passed():
    (finding,) = [each for each in judged(collection(*varied(12)), {}) if each.check == "unsaid"]
    assert finding.confidence == "not-run" and "distance, light and wardrobe" in finding.value


def test_tags_among_sentences():
    tags = [f"xk3r, 1girl, solo, red hair {n}, smile, bench" for n in range(8)]
    prose = [
        f"xk3r, a woman who is sitting on a white bench by the river {n} in the evening." for n in range(12)
    ]
    (finding,) = found(collection(*tags, *prose), "style")
    assert len(finding.pictures) == 8 and finding.about == "tags and sentences"
    good = "xk3r, a woman with auburn hair in a linen jacket, on bench {}, soft window light, grain, 85mm portrait"
    assert found(collection(*map(good.format, range(10)), *prose), "style") == []
    mixed = [text.replace("red hair", "red_hair") for text in tags[:4]] + tags[4:]
    assert [each.about for each in found(collection(*mixed), "style")] == ["underscores"]
    assert found(collection(*[t.replace("xk3r", "xk3r_a") for t in tags], trigger="xk3r_a"), "style") == []


def test_other_alphabets_on_purpose_are_none():
    texts = [
        "xk3r woman, caf\u00e9, na\u00efve fa\u00e7ade, stra\u00dfe",
        "xk3r женщина, стена, свет, а",
        "xk3r 光, 影, 女, 壁",
    ]
    assert found(collection(*texts), "alphabet") == []


def test_what_is_ignored_is_a_note_with_the_reason():
    texts = [f"{text}, film grain" for text in varied(20)]
    (finding,) = found(collection(*texts), ignored={"ubiquitous: film grain": "it is the look"})
    assert (finding.severity, finding.ignored) == ("note", "it is the look")
    (finding,) = found(collection(*texts), ignored={"ubiquitous": "meant"})
    assert finding.severity == "note"
    (finding,) = found(collection(*texts), ignored={"ubiquitous: another": "meant"})
    assert finding.severity == "warning"


def test_a_check_that_fails_says_so(monkeypatch):
    broken = replace(CHECKS[0], judge=lambda _: 1 / 0)
    monkeypatch.setattr("engine.dataset.captioning.checks.shelf.CHECKS", (broken,))
    (finding,) = judged(collection("x"), {})
    assert finding.confidence == "not-run" and "ZeroDivisionError" in finding.value


@given(texts=st.lists(st.one_of(st.none(), st.text(max_size=80), st.binary(max_size=30)), max_size=12),
       trigger=st.one_of(st.just("xk3r"), st.text(max_size=10)))  # fmt: skip
def test_no_caption_breaks_a_check(texts, trigger):
    given_ = collection(*texts, trigger=trigger)
    told = list(judged(given_, {}))
    assert not [each for each in told if "fault of Safelight" in each.remedy]
    for finding in told:
        fix = fix_of(given_, finding)
        if fix is not None and not isinstance(fix, Conversion):
            for each in given_.by_picture[finding.pictures[0]]:
                after = fix(each.text)
                assert isinstance(content_of(after.encode("utf-8", "surrogatepass")).text, str)


def test_lines_of_a_hundred_kilobytes_take_no_time():
    bodies = (
        "x",
        "a,",
        "x_",
        "a, b, c, d, e, f_g,",
        " ,",
        "\u0430",
        "\u201c",
        "a-",
        "xk3r,",
        "xk3",
        "x. ",
        "\uff41 ",
        "\n",
    )
    texts = [("xk3r, " + body * 100_000)[:90_000] for body in bodies]
    for trigger in ("xk3r", "xk3r_long style"):
        given_ = collection(*texts, also=entries(*texts), trigger=trigger)
        started = time.process_time()
        told = list(judged(given_, {}))
        assert time.process_time() - started < 8
        assert not [each for each in told if "fault of Safelight" in each.remedy]
    started = time.process_time()
    for finding in told:
        fix = fix_of(given_, finding)
        if fix is not None and not isinstance(fix, Conversion):
            fix(given_.by_picture[finding.pictures[0]][0].text)
    assert time.process_time() - started < 8


def test_ten_thousand_captions_take_about_a_second():
    texts = [f"{text}, film grain" for text in varied(10_000)]
    texts[17] = texts[17].replace("xk3r", "a")
    given_ = collection(
        *texts, places=[shipped().place], counts=dict.fromkeys(texts, (shipped().count(texts[0]),))
    )
    started = time.process_time()
    told = list(judged(given_, {}))
    assert {finding.check for finding in told} >= {"ubiquitous", "trigger-missing", "unsaid"}
    assert time.process_time() - started < 4
