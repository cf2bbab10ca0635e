"""Models that write, tiny and random: what they are given is what they were made for, and what they say is read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from engine.fill import blip2, generate, image_text
from engine.fill.image_text import LARGEST, asked, smaller
from engine.fill.method import OutOfMemory
from projects.problems import Refused
from projects.spec import FillJob, RunSpec
from tests.engine.tiny_captioners import TURN, tiny_blip2, tiny_llava

MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711])


def job(**said: Any) -> FillJob:
    return FillJob(project="p", model="m", spec=RunSpec(), **{"max_new_tokens": 12, **said})


def noise(width: int, height: int, seed: int = 1) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_blip2(tmp_path_factory.mktemp("blip2"))


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llava(tmp_path_factory.mktemp("llava"))


def given(monkeypatch: pytest.MonkeyPatch, module: Any) -> list[dict[str, torch.Tensor]]:
    """What the model is given, call by call."""
    seen: list[dict[str, torch.Tensor]] = []
    real = generate.generate

    def spy(model: Any, processor: Any, inputs: Any, *rest: Any) -> list[str]:
        seen.append(dict(inputs))
        return real(model, processor, inputs, *rest)

    monkeypatch.setattr(module, "generate", spy)
    return seen


def test_blip2_sees_the_picture_in_its_size_and_the_words_behind_it(
    blip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = given(monkeypatch, blip2)
    picture = noise(60, 41)
    blip2.load(blip, "blip-2", job(prompt="a photo")).ask([picture], 0)
    (inputs,) = seen
    square = np.asarray(picture.resize((28, 28), Image.Resampling.BICUBIC), np.float64) / 255
    golden = ((square - MEAN) / DEVIATION).transpose(2, 0, 1)[None]
    assert np.abs(inputs["pixel_values"].numpy() - golden).max() < 1e-5
    letters = json.loads((blip / "tokenizer.json").read_text())["model"]["vocab"]
    words = [letters[letter] for letter in "aĠphoto"]
    assert inputs["input_ids"].tolist() == [[3, 3, 3, 3, 1, *words]], (
        "four places for the picture, a beginning, the words"
    )


def test_a_beginning_is_no_part_of_the_draft_and_pictures_are_answered_apart(blip: Path) -> None:
    pictures = [noise(60, 41, seed) for seed in range(3)]
    free, begun = (blip2.load(blip, "blip-2", job(prompt=prompt)) for prompt in ("", "a photo of"))
    told = free.ask(pictures, 0)
    assert len(set(told)) == 3 and all(text.isalpha() and len(text) == 12 for text in told)
    assert [free.ask([picture], 0)[0] for picture in pictures] == told
    assert all("photo" not in text for text in begun.ask(pictures, 0)) and begun.ask(pictures, 0) != told


def test_words_are_drawn_from_the_seed_and_likeliest_without(blip: Path) -> None:
    drawing = blip2.load(blip, "blip-2", job(temperature=1.5, top_p=1.0))
    picture = noise(60, 41)
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first = drawing.ask([picture], 1)
    assert torch.equal(before, torch.get_rng_state())
    assert drawing.ask([picture], 1) == first
    assert len({drawing.ask([picture], seed)[0] for seed in range(5)}) > 1
    plain = blip2.load(blip, "blip-2", job())
    assert plain.ask([picture], 1) == plain.ask([picture], 2)


def test_the_blacklist_reaches_what_is_written(blip: Path) -> None:
    picture = noise(60, 41)
    (told,) = blip2.load(blip, "blip-2", job()).ask([picture], 0)
    assert blip2.load(blip, "blip-2", job(blacklist=(told,))).ask([picture], 0) == [""]


def test_llava_is_asked_in_one_turn_with_the_picture_in_front(
    llava: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = given(monkeypatch, image_text)
    opened = image_text.load(llava, "llava", job(prompt="What is it?"))
    pictures = [noise(60, 41), noise(41, 60)]
    told = opened.ask(pictures, 0)
    (inputs,) = seen
    scaled = pictures[0].resize((40, 28), Image.Resampling.BICUBIC).crop((6, 0, 34, 28))
    golden = ((np.asarray(scaled, np.float64) / 255 - MEAN) / DEVIATION).transpose(2, 0, 1)
    assert np.abs(inputs["pixel_values"][0].numpy() - golden).max() < 1e-5
    assert (inputs["input_ids"][0] == 3).sum() == 4, "a token for each part of the picture"
    assert len(told) == 2 and told[0] != told[1] and all(len(text) == 12 for text in told)
    assert [opened.ask([picture], 0)[0] for picture in pictures] == told


JOY = (
    "<s>{% for m in messages %}[{{ m['role'] }}]{% if m['role'] == 'user' %}<image>{% endif %}"
    "{{ m['content'] | trim }}{% endfor %}[assistant]"
)
"""Takes text alone and puts the picture in itself."""
BARE = "{% for m in messages %}{{ m['content'] | trim }}{% endfor %}"
"""Knows no pictures."""
STRICT = (
    "{% for m in messages %}{% if m['content'] is not string %}{{ raise_exception('no') }}{% endif %}"
    "{{ m['content'] }}{% endfor %}"
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (TURN, "user: <image>Say. assistant:"),
        (JOY, "<s>[user]<image>Say.[assistant]"),
        (BARE, "<image>\nSay."),
        (STRICT, "<image>\nSay."),
    ],
)
def test_chat_templates_of_every_manner_get_the_picture_once(llava: Path, template: str, text: str) -> None:
    processor = generate.load_processor(llava)
    processor.chat_template = template
    found, options = asked(processor, "Say.", llava)
    assert found == text and found.count("<image>") == 1
    assert options == ({"add_special_tokens": False} if text.startswith("<s>") else {})
    tokens = processor(images=[[noise(30, 30)]], text=[found], return_tensors="pt", **options)["input_ids"][0]
    assert (tokens == 1).sum() == 1, "one beginning, not two"


def test_a_template_without_a_place_for_pictures_is_refused_and_none_at_all_gives_the_prompt(
    llava: Path,
) -> None:
    processor = generate.load_processor(llava)
    processor.chat_template = "always the same"
    with pytest.raises(Refused, match="no place for a picture"):
        asked(processor, "Say.", llava)
    processor.chat_template = None
    assert asked(processor, "<MORE_DETAILED_CAPTION>", llava) == ("<MORE_DETAILED_CAPTION>", {})


def with_config(folder: Path, into: Path, **changes: object) -> Path:
    """A copy of a model whose config says something else."""
    into.mkdir()
    for file in folder.iterdir():
        (into / file.name).write_bytes(file.read_bytes())
    config = json.loads((into / "config.json").read_text()) | changes
    (into / "config.json").write_text(json.dumps(config))
    return into


def test_code_that_comes_with_a_model_is_never_run(llava: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    auto = {"AutoConfig": "own.Own", "AutoModelForImageTextToText": "own.Own"}
    foreign = with_config(llava, tmp_path / "foreign", model_type="own", auto_map=auto)
    native = with_config(llava, tmp_path / "native", auto_map=auto)
    for folder in (foreign, native):
        (folder / "own.py").write_text(f"open({str(ran)!r}, 'w')\nclass Own: pass\n")
    with pytest.raises(Refused, match="brings code of its own"):
        image_text.load(foreign, "own", job())
    assert image_text.load(native, "llava", job()).ask([noise(30, 30)], 0), "transformers' own class is used"
    assert not ran.exists()
    with pytest.raises(Refused, match="A bert model does not write about pictures"):
        image_text.load(llava, "bert", job())
    with pytest.raises(Refused, match="does not know models of the kind nothing"):
        image_text.load(llava, "nothing", job())


def test_weights_that_are_missing_or_of_another_shape_are_refused(blip: Path, tmp_path: Path) -> None:
    folder = with_config(blip, tmp_path / "half")
    tensors = load_file(folder / "model.safetensors")
    save_file(
        {name: tensor for name, tensor in tensors.items() if name != "query_tokens"},
        folder / "model.safetensors",
    )
    with pytest.raises(Refused, match="query_tokens among them"):
        blip2.load(folder, "blip-2", job())
    (folder / "model.safetensors").write_bytes((blip / "model.safetensors").read_bytes()[:-100])
    with pytest.raises(Refused, match="cannot be loaded"):
        blip2.load(folder, "blip-2", job())


def test_a_blip2_that_does_not_say_where_the_picture_stands_is_refused(blip: Path, tmp_path: Path) -> None:
    folder = with_config(blip, tmp_path / "old", image_token_index=None)
    with pytest.raises(Refused, match="does not say where the picture stands"):
        blip2.load(folder, "blip-2", job())


def test_memory_that_is_not_enough_is_told_apart_from_other_failures(
    blip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = blip2.load(blip, "blip-2", job())

    def full(*_: object, **__: object) -> None:
        raise torch.cuda.OutOfMemoryError

    monkeypatch.setattr("transformers.Blip2ForConditionalGeneration.generate", full)
    with pytest.raises(OutOfMemory):
        opened.ask([noise(30, 30)], 0)


@pytest.mark.parametrize("size", [(1536, 1536), (4000, 3000), (3, 3_000_000)])
def test_pictures_of_any_size_come_down_to_what_models_read(size: tuple[int, int]) -> None:
    picture: Any = Image.new("1", size)
    found = smaller(picture)
    assert found.width * found.height <= LARGEST
    assert (found.size == size) == (size == (1536, 1536))
    if size == (4000, 3000):
        assert found.size == (1773, 1330)


def test_a_list_of_pictures_a_text_is_not_what_every_processor_takes() -> None:
    class Flat:
        def __call__(self, images: Sequence[Any], **given: Any) -> Any:
            if isinstance(images[0], list):
                raise ValueError("pictures, not lists")
            return {"images": list(images), **given}

    picture = noise(3, 3)
    told = image_text._inputs(Flat(), [[picture], [picture]], ["a", "a"], {})
    assert told["images"] == [picture, picture] and told["text"] == ["a", "a"]
