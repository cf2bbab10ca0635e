"""Tokens as a training with the base counts them: held against the engine's own reading, vocabulary by vocabulary."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dataset.tokens import Encoder, Place, encoders_of, places_of, shipped
from engine.families.opening import FAMILIES, open_base
from engine.families.window import unread_from
from projects import spec
from projects.bases import CONFIGS_FOLDER, DEMO_FOLDER, BaseFacts, describe
from projects.families import FAMILIES as FACTS
from projects.problems import Refused
from tests.engine.tiny import build_file, tiny_base
from tests.engine.tiny_flux import tiny_flux

TEXTS = (
    "",
    " ",
    "aur3lia_portrait, a woman with auburn hair in a linen jacket, sitting on a white bench",
    "Soft  window\tlight\nand a   second line, isn't it? it's 85mm f/1.8!",
    "ä é e\u0301 ﬁ ＡＢＣ ½ … “quotes” — dash",
    "Тень и свет, 光と影, ظل",
    "an emoji \U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 and a flag \U0001f1e9\U0001f1ea",
    "<|startoftext|> in the middle <|endoftext|> and </s> <pad> <unk> <extra_id_0>",
    "! hello! !! a!b",
    "\u200bzero\u00a0width\u2028line",
    "x" * 300,
    "word " * 74 + "ä LAST one, and more",
    "photo, " * 200,
    "the of ab the",
)


def hub_folder(home: Path) -> Path:
    """CLIP as the hub holds it: vocab.json and merges.txt, and marks as tables in the config."""
    table = json.loads((CONFIGS_FOLDER / "sd15" / "tokenizer" / "tokenizer.json").read_bytes())
    folder = home / "tokenizer"
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps(table["model"]["vocab"]))
    merges = [one if isinstance(one, str) else " ".join(one) for one in table["model"]["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")
    mark = {
        "__type": "AddedToken",
        "lstrip": False,
        "normalized": True,
        "rstrip": False,
        "single_word": False,
    }
    config = {
        "bos_token": {**mark, "content": "<|startoftext|>"}, "eos_token": {**mark, "content": "<|endoftext|>"},
        "unk_token": {**mark, "content": "<|endoftext|>"}, "pad_token": "<|endoftext|>", "model_max_length": 77,
        "tokenizer_class": "CLIPTokenizer", "do_lower_case": True,
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    marks = {key: config[key]["content"] for key in ("bos_token", "eos_token", "unk_token")}
    (folder / "special_tokens_map.json").write_text(json.dumps({**marks, "pad_token": "<|endoftext|>"}))
    return folder


def folders(kind: str, home: Path) -> tuple[Path, str]:
    """Folder of a vocabulary, and its kind."""
    return {
        "shipped sdxl": (CONFIGS_FOLDER / "sdxl" / "tokenizer", "clip"),
        "shipped sdxl 2": (CONFIGS_FOLDER / "sdxl" / "tokenizer_2", "clip"),
        "demo": (DEMO_FOLDER / "tokenizer", "clip"),
        "tiny": (tiny_base() / "tokenizer", "clip"),
        "t5": (tiny_flux() / "tokenizer_2", "t5"),
        "hub": (home, "clip"),
    }[kind]


def encoder_in(folder: Path, kind: str) -> Encoder:
    from engine.dataset.tokens import loaded
    from engine.dataset.vocabularies import window

    limit = window(folder, kind) - (2 if kind == "clip" else 1)
    found = loaded(Place(label="", kind=kind, limit=limit, folder=folder))
    assert found is not None
    return found


def theirs(folder: Path, kind: str):
    from transformers import CLIPTokenizer, T5TokenizerFast

    return {"clip": CLIPTokenizer, "t5": T5TokenizerFast}[kind].from_pretrained(str(folder))


@pytest.mark.parametrize("kind", ["shipped sdxl", "shipped sdxl 2", "demo", "tiny", "t5", "hub"])
def test_the_pieces_are_those_that_the_engine_gives_the_model(kind, tmp_path):
    folder, what = folders(kind, hub_folder(tmp_path))
    ours, engine = encoder_in(folder, what), theirs(folder, what)
    for text in TEXTS:
        given_ids = engine(text, truncation=True, max_length=engine.model_max_length).input_ids
        read = [piece for piece in ours.pieces(text) if piece.read]
        assert [piece.number for piece in read] == given_ids, text
        assert [piece.token for piece in read] == engine.convert_ids_to_tokens(given_ids)
        offsets = engine(text, add_special_tokens=False, return_offsets_mapping=True).offset_mapping
        assert ours.count(text).tokens == len(offsets)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=300))
def test_any_text_is_counted_as_the_engine_counts_it(text):
    ours, engine = _pair()
    assert [piece.number for piece in ours.pieces(text) if piece.read] == engine(
        text, truncation=True, max_length=77
    ).input_ids


_PAIR: list = []


def _pair():
    if not _PAIR:
        _PAIR.extend((shipped(), theirs(CONFIGS_FOLDER / "sd15" / "tokenizer", "clip")))
    return _PAIR


@pytest.mark.parametrize("source", ["demo", "flux", "file"])
def test_the_cut_is_where_the_training_says_it_is(source, tmp_path):
    if source == "file":
        said = spec.Base(source=str(build_file(tiny_base(), tmp_path / "base.safetensors")))
    else:
        said = spec.Base(source="demo" if source == "demo" else str(tiny_flux()))
    family, base = open_base(said, tmp_path)
    cuts = unread_from(family, base, TEXTS)
    assert cuts
    encoders = encoders_of(said, tmp_path)
    decides = encoders[-1] if source == "flux" else encoders[0]
    assert isinstance(decides, Encoder)
    assert {text: decides.cut(text) for text in TEXTS if decides.cut(text) is not None} == cuts
    assert [each.place.label for each in encoders] == (
        ["CLIP", "T5"] if source == "flux" else ["CLIP", "CLIP 2"]
    )


def test_every_family_reads_with_the_tokenizers_that_it_has():
    assert {name: tuple(each.tokenizer for each in facts.readers) for name, facts in FACTS.items()} == {
        name: family.tokenizers for name, family in FAMILIES.items()
    }


def test_what_is_cut_off_stands_behind_the_end_mark():
    pieces = shipped().pieces("word " * 75 + "LAST one")
    assert [piece.token for piece in pieces[:2]] == ["<|startoftext|>", "word</w>"]
    assert [(piece.token, piece.read) for piece in pieces[76:]] == [
        ("<|endoftext|>", True), ("last</w>", False), ("one</w>", False)
    ]  # fmt: skip
    assert shipped().count("word " * 75 + "LAST one").cut == 375


def test_where_the_vocabulary_is_not_there_only_its_place_is(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert encoders_of(spec.Base(source="somebody/some-base"), tmp_path) == ()
    told = encoders_of(spec.Base(source="somebody/some-base", family="flux"), tmp_path)
    assert [(place.label, place.limit, place.folder) for place in told] == [
        ("CLIP", 75, None),
        ("T5", 511, None),
    ]
    folder = tmp_path / "flux"
    shutil.copytree(tiny_flux(), folder)
    shutil.rmtree(folder / "tokenizer_2")
    clip, t5 = encoders_of(spec.Base(source="flux"), tmp_path)
    assert isinstance(clip, Encoder) and isinstance(t5, Place) and t5.folder is None


def test_a_file_without_text_encoders_reads_those_of_its_companion(tmp_path):
    file = BaseFacts(
        kind="file", family="flux", path=tmp_path / "flux.safetensors", companion="somebody/flux"
    )
    file.path.touch()
    said = spec.Base(source="flux.safetensors", companion=str(tiny_flux()))
    assert [place.folder for place in places_of(said, file, tmp_path)] == [
        tiny_flux() / "tokenizer", tiny_flux() / "tokenizer_2"
    ]  # fmt: skip
    nowhere = places_of(spec.Base(source="flux.safetensors"), file, tmp_path)
    assert [place.folder for place in nowhere] == [None, None]


def test_a_damaged_vocabulary_is_refused(tmp_path):
    shutil.copytree(DEMO_FOLDER, tmp_path / "base")
    (tmp_path / "base" / "tokenizer" / "tokenizer.json").write_text("{]")
    with pytest.raises(Refused, match="is no vocabulary"):
        encoders_of(spec.Base(source="base"), tmp_path)


def test_the_places_are_known_without_loading_anything(tmp_path):
    places = places_of(spec.Base(source="demo"), describe("demo", tmp_path), tmp_path)
    assert [(place.label, place.limit) for place in places] == [("CLIP", 75), ("CLIP 2", 75)]
