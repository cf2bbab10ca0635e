"""What a model's folder says of it, before anything is opened."""

import json
from pathlib import Path

import pytest

from projects.captioners import ModelFacts, cached, describe, lacking, template_problems, wanted
from projects.problems import Refused
from projects.spec import FillJob, FillMethod, RunSpec


def folder_of(folder: Path, files: dict[str, object]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def described(folder: Path, model: str = "model", method: FillMethod = "") -> ModelFacts:
    return describe(FillJob(project=str(folder), model=model, method=method, spec=RunSpec()))


BLIP = {"config.json": {"model_type": "blip-2"}, "model.safetensors": ""}
LLAVA = {"config.json": {"model_type": "llava"}, "model.safetensors": ""}
TAGGER: dict[str, object] = {
    "selected_tags.csv": "",
    "model.onnx": "",
    "model.safetensors": "",
    "config.json": {},
}
INDEX = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "../model-00002-of-00002.safetensors"}}


@pytest.mark.parametrize(
    ("files", "said", "method", "kind"),
    [
        (BLIP, "", "blip2", "blip-2"),
        (BLIP, "blip2", "blip2", "blip-2"),
        (BLIP, "image-text-to-text", "image-text-to-text", "blip-2"),
        (LLAVA, "", "image-text-to-text", "llava"),
        (TAGGER, "", "wd-tagger", ""),
    ],
)
def test_the_method_is_read_from_the_files(
    tmp_path: Path, files: dict[str, object], said: FillMethod, method: str, kind: str
) -> None:
    folder = folder_of(tmp_path / "model", files)
    facts = described(tmp_path, method=said)
    assert (facts.method, facts.kind, facts.path, facts.name) == (method, kind, folder, "model")


@pytest.mark.parametrize(
    ("files", "said", "words"),
    [
        (LLAVA, "blip2", '"blip2" does not fit model, which is of the kind llava. Leave --method out'),
        (LLAVA, "wd-tagger", "does not fit"),
        (TAGGER, "blip2", "which is a WD Tagger"),
        ({"selected_tags.csv": "", "model.safetensors": ""}, "", "read from model.onnx, and there is none"),
        ({"config.json": {}, "pytorch_model.bin": ""}, "", r"a pickle \(pytorch_model.bin\).*\.safetensors"),
        ({"config.json": {}, "model-q4.gguf": ""}, "", "GGUF"),
        ({"config.json": {}}, "", "no weights that can be opened"),
        ({"adapter_config.json": {}, "adapter_model.safetensors": ""}, "", "is an adapter"),
        ({"readme.txt": ""}, "", "no config.json"),
        ({"config.json": "{", "model.safetensors": ""}, "", "missing or damaged"),
        ({"config.json": {}, "model.safetensors.index.json": INDEX}, "",
         "lacks model-00001-of-00002.safetensors, model-00002-of-00002.safetensors"),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_is_a_sentence(
    tmp_path: Path, files: dict[str, object], said: FillMethod, words: str
) -> None:
    folder_of(tmp_path / "model", files)
    with pytest.raises(Refused, match=words) as refused:
        described(tmp_path, method=said)
    assert refused.value.usage


def test_what_is_neither_a_folder_nor_a_hub_id_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "weights.safetensors").write_text("")
    for model, words in (("weights.safetensors", "a model is a folder"), ("no where", "There is no model")):
        with pytest.raises(Refused, match=words):
            described(tmp_path, model)
    facts = described(tmp_path, "someone/tagger", "wd-tagger")
    assert facts == ModelFacts(name="someone/tagger", method="wd-tagger", path=None)


def test_a_hub_id_is_here_when_its_weights_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    kept = tmp_path / "models--someone--blip"
    folder_of(kept / "refs", {"main": "abc"})
    snapshot = folder_of(kept / "snapshots" / "abc", {"config.json": {"model_type": "blip-2"}})
    assert cached("someone/blip", "") is None
    folder_of(snapshot, BLIP)
    assert cached("someone/blip", "") == snapshot and described(tmp_path, "someone/blip").method == "blip2"


@pytest.mark.parametrize(
    ("sizes", "names"),
    [
        (["config.json", "model.safetensors", "README.md", "pytorch_model.bin", "tokenizer.json", "onnx/model.onnx",
          "chat_template.jinja", "tokenizer.model", "consolidated.safetensors"],
         ["chat_template.jinja", "config.json", "tokenizer.json", "tokenizer.model", "model.safetensors"]),
        (["config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors",
          "model-00002-of-00002.safetensors"],
         ["config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors",
          "model-00002-of-00002.safetensors"]),
        (["config.json", "selected_tags.csv", "model.onnx", "model.safetensors", "sw_jax_cv_config.json"],
         ["config.json", "selected_tags.csv", "model.onnx"]),
    ],
)  # fmt: skip
def test_what_is_downloaded_is_what_is_opened(sizes: list[str], names: list[str]) -> None:
    assert wanted(dict.fromkeys(sizes, 1)) == names


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        (["config.json", "pytorch_model.bin"], "a pickle"),
        (["selected_tags.csv", "model.safetensors"], "there is none"),
        (["model_index.json", "unet/model.safetensors"], "no weights"),
    ],
)
def test_what_must_not_be_opened_is_not_downloaded(sizes: list[str], words: str) -> None:
    with pytest.raises(Refused, match=words):
        wanted(dict.fromkeys(sizes, 1))


@pytest.mark.parametrize(
    ("template", "over", "words"),
    [
        ("{triger}, {draft}", False, "{triger} is no part of a caption. Did you mean {trigger}?"),
        ("{trigger}", False, "The draft has no place in it."),
        ("{draft} {", False, "A brace is alone."),
        ("{caption}, {draft}", False, "Say --over as well"),
        ("{zzz}", False, "There are: {trigger}, {class}, {caption}, {draft}."),
    ],
)
def test_a_template_that_cannot_be_meant_is_refused(template: str, over: bool, words: str) -> None:
    problems = template_problems(template, over=over)
    assert any(words in str(problem) for problem in problems)


def test_good_templates_are_let_through() -> None:
    assert template_problems("", over=False) == []
    assert template_problems("{trigger}, a {class}, {draft}", over=False) == []
    assert template_problems("{caption}, {draft}", over=True) == []
    assert len(template_problems("{a} {b} }", over=False)) == 4, "all at once"


def test_a_folder_of_a_tagger_needs_no_config(tmp_path: Path) -> None:
    assert lacking(folder_of(tmp_path, {"selected_tags.csv": "", "model.onnx": ""})) == []
