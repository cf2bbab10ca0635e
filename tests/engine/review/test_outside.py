"""Judges that are models of their own: tiny ones of the same build, with random weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from engine.desk import Desk
from engine.review.eyes import Sight
from engine.review.outside import open_outside
from projects.job import JobDir
from projects.problems import Refused
from tests.engine.drawn_run import make_run, random_adapter
from tests.engine.review.test_review import record_of, reviewed, with_pictures
from tests.engine.tiny_captioners import byte_tokenizer

SIZES = {
    "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28,
    "patch_size": 14,
}  # fmt: skip


def tiny_siglip(folder: Path) -> Path:
    from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipModel

    tokenizer = byte_tokenizer()
    torch.manual_seed(3)
    text = {name: value for name, value in SIZES.items() if name not in ("image_size", "patch_size")}
    config = SiglipConfig(
        vision_config=SIZES, text_config={**text, "vocab_size": len(tokenizer), "max_position_embeddings": 32}
    )
    SiglipModel(config).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 28, "width": 28}).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_dino(folder: Path) -> Path:
    from transformers import BitImageProcessorPil, Dinov2Config, Dinov2Model

    torch.manual_seed(4)
    sizes = {name: value for name, value in SIZES.items() if name != "intermediate_size"}
    Dinov2Model(Dinov2Config(**sizes)).save_pretrained(folder)
    BitImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}).save_pretrained(
        folder
    )
    return folder


def opened(source: object, tmp_path: Path) -> Any:
    job = JobDir(tmp_path / "job")
    job.path.mkdir(exist_ok=True)
    with Desk.open(job) as desk:
        return open_outside(desk, str(source), tmp_path)


def sights(count: int) -> list[Sight]:
    chance = np.random.default_rng(1)
    pictures = [Image.fromarray(chance.integers(0, 255, (40, 48, 3), np.uint8)) for _ in range(count)]
    return [
        Sight(latents_CHW=torch.zeros(4, 8, 8), picture=lambda picture=picture: picture)
        for picture in pictures
    ]  # type: ignore[misc]


@pytest.mark.parametrize("make", [tiny_siglip, tiny_dino])
def test_pictures_come_out_as_vectors_of_length_one_whatever_their_company(make: Any, tmp_path: Path) -> None:
    judge = opened(make(tmp_path / "judge"), tmp_path)
    together = judge.features(sights(10))
    assert together.shape == (10, 16) and torch.allclose(together.norm(dim=1), torch.ones(10), atol=1e-5)
    alone = torch.cat([judge.features([sight]) for sight in sights(10)])
    assert torch.allclose(together, alone, atol=1e-5)
    assert not torch.allclose(together[0], together[1], atol=1e-3)
    assert (
        judge.name
        != opened(
            tiny_dino(tmp_path / "other") if make is tiny_siglip else tiny_siglip(tmp_path / "other"),
            tmp_path,
        ).name
    )


def test_a_text_explains_a_picture_by_the_cosine_that_the_model_itself_gives(tmp_path: Path) -> None:
    judge = opened(tiny_siglip(tmp_path / "judge"), tmp_path)
    texts, (sight,) = ["a red mug", "a cat in the sun"], sights(1)
    assert judge.reads
    told = judge.tokenizer(texts, padding="max_length", max_length=32, truncation=True, return_tensors="pt")
    with torch.no_grad():
        out = judge.model(
            input_ids=told["input_ids"], **judge.processor(images=[sight.picture()], return_tensors="pt")
        )
    logits = (out.logits_per_image[0] - judge.model.logit_bias) / judge.model.logit_scale.exp()
    assert judge.explained(sight, texts) == pytest.approx([float(1 - value) for value in logits], abs=1e-5)


def test_what_reads_no_texts_says_so(tmp_path: Path) -> None:
    judge = opened(tiny_dino(tmp_path / "judge"), tmp_path)
    assert not judge.reads
    with pytest.raises(ValueError, match="reads no texts"):
        judge.explained(sights(1)[0], ["a mug"])


def test_what_is_no_judge_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no hub id"):
        opened("no/such/folder/here", tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(Refused, match=r"config\.json"):
        opened(empty, tmp_path)
    pickled = tiny_dino(tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(Refused, match="--judge"):
        opened(pickled, tmp_path)
    damaged = tiny_dino(tmp_path / "damaged")
    whole = (damaged / "model.safetensors").read_bytes()
    (damaged / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Refused, match="cannot be loaded"):
        opened(damaged, tmp_path)


def test_a_review_is_judged_by_it_and_says_so(tmp_path: Path) -> None:
    run = with_pictures(make_run(tmp_path, {100: random_adapter(0)}), tmp_path)
    reviewed(tmp_path, run)
    before = {one["id"]: one["measures"] for one in record_of(run)["pictures"]}
    assert reviewed(tmp_path, run, name="review-2", judge=str(tiny_dino(tmp_path / "dino"))) == "done"
    record = record_of(run)
    names = {judge["measure"]: judge["name"] for judge in record["judges"]}
    assert names == {"likeness": "dinov2 dino", "prompt": "features and denoising loss of the base itself"}
    after = {one["id"]: one["measures"] for one in record["pictures"]}
    assert before.keys() == after.keys(), "the pictures are the same; only who looks at them is another"
    assert all(before[each]["likeness"] != after[each]["likeness"] for each in before)
    assert all(before[each].get("prompt") == after[each].get("prompt") for each in before)
