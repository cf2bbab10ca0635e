"""What was measured, found again while everything that decides it is the same, and forgotten with the first change."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from projects.bases import describe
from projects.measured import KEPT, Measured, base_stamp, find, key_of, require_one_process, run_seconds, save
from projects.problems import Refused
from projects.spec import Adapter, RunSpec, Sample, Train

FOUND = Measured(
    steps=20, seconds_per_step=0.5, faster_half=0.4, slower_half=1.0, evaluation_seconds=10.0,
    preview_seconds=3.0, preview_steps=30, memory_gb=14.8, device_memory_gb=79.2, fingerprint="f", measured=1.0,
)  # fmt: skip
SPEC = RunSpec(sample=Sample(size=(1024, 1024)))


def key(spec: RunSpec = SPEC, **other: Any) -> Any:
    return key_of(spec, **{"base": "b", "device": "card", "buckets": [(832, 1216)], **other})


def test_a_measurement_is_found_by_its_key_and_replaced_by_the_next(tmp_path: Path) -> None:
    assert find(tmp_path, key()) is None
    save(tmp_path, key(), FOUND)
    assert find(tmp_path, key()) == FOUND
    again = dataclasses.replace(FOUND, seconds_per_step=0.7)
    save(tmp_path, key(device="another"), FOUND)
    save(tmp_path, key(), again)
    assert find(tmp_path, key()) == again
    for number in range(KEPT + 5):
        save(tmp_path, key(device=str(number)), FOUND)
    assert find(tmp_path, key()) is None and find(tmp_path, key(device=str(KEPT + 4))) == FOUND
    assert (tmp_path / "cache" / "measured.json").read_text().count('"key"') == KEPT


@pytest.mark.parametrize(
    "changed",
    [
        {"train": Train(precision="fp32")},
        {"train": Train(batch=2)},
        {"train": Train(resolution=(768,))},
        {"train": Train(gradient_checkpointing=False)},
        {"train": Train(quantize="nf4")},
        {"train": Train(channels_last=True)},
        {"train": Train(processes=2)},
        {"adapter": Adapter(text_encoder=True)},
        {"adapter": Adapter(rank=16)},
        {"adapter": Adapter(targets="attention+mlp")},
        {"train": Train(evaluate_every=0)},
        {"sample": Sample(size=(512, 512))},
        {"sample": Sample(size=(1024, 1024), every=0)},
        {"sample": Sample(size=(1024, 1024), guidance=1.0)},
        {"sample": Sample(size=(1024, 1024), sampler="ddim")},
    ],
)
def test_another_setting_is_not_what_was_measured(tmp_path: Path, changed: dict[str, Any]) -> None:
    save(tmp_path, key(), FOUND)
    assert find(tmp_path, key(dataclasses.replace(SPEC, **changed))) is None
    same = dataclasses.replace(SPEC, train=Train(learning_rate=1e-3, steps=50), trigger="other")
    assert find(tmp_path, key(same)) == FOUND


def test_another_base_device_or_bucket_is_not_either(tmp_path: Path) -> None:
    save(tmp_path, key(), FOUND)
    for other in ({"base": "c"}, {"device": "cpu"}, {"buckets": [(832, 1216), (1024, 1024)]}):
        assert find(tmp_path, key(**other)) is None
    save(tmp_path, key(base=""), FOUND)
    assert find(tmp_path, key(base="")) is None, "a base that is not here has no name"


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"format": 1, "measured": []}', '{"format": 2, "measured": [{"key": 1}]}']
)
def test_a_file_that_cannot_be_understood_is_no_measurement(tmp_path: Path, text: str) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "measured.json").write_text(text)
    assert find(tmp_path, key()) is None
    save(tmp_path, key(), FOUND)
    assert find(tmp_path, key()) == FOUND


@pytest.mark.parametrize("value", [None, "0.4", True, float("nan"), [1]])
def test_a_figure_that_is_no_number_is_no_measurement(tmp_path: Path, value: object) -> None:
    save(tmp_path, key(), dataclasses.replace(FOUND, faster_half=value))  # type: ignore[arg-type]
    assert find(tmp_path, key()) is None


def test_a_base_is_known_by_the_size_and_time_of_its_files(tmp_path: Path) -> None:
    demo = base_stamp(describe("demo", tmp_path))
    assert demo and demo == base_stamp(describe("demo", tmp_path))
    facts = dataclasses.replace(describe("demo", tmp_path), path=tmp_path)
    (tmp_path / "unet").mkdir()
    file = tmp_path / "unet" / "model.safetensors"
    file.write_bytes(b"x")
    before = base_stamp(facts)
    os.utime(file, ns=(1, 1))
    assert base_stamp(facts) not in (before, demo)
    assert base_stamp(dataclasses.replace(facts, path=None)) == ""


def test_the_whole_run_counts_steps_checkpoints_evaluations_and_previews() -> None:
    spec = dataclasses.replace(
        SPEC,
        train=Train(checkpoint_every=100, evaluate_every=100),
        sample=Sample(prompts=("a", "b"), seeds=(1, 2), every=200, steps=15),
    )
    low, middle, high = run_seconds(FOUND, spec, steps=250, subject=40)
    # 250 steps and 3 probes; evaluated at 0, 100, 200, 250; 4 pictures at 0, 200, 250 with half the denoising steps
    beside = 4 * 10.0 + 3 * 4 * 3.0 / 2
    assert (low, middle, high) == pytest.approx((253 * 0.4 + beside, 253 * 0.5 + beside, 253 * 1.0 + beside))
    bare = dataclasses.replace(spec, train=Train(evaluate_every=0), sample=Sample(every=0))
    assert run_seconds(FOUND, bare, steps=100, subject=40)[1] == pytest.approx(101 * 0.5)
    # Without prompts the captions of three subject pictures are drawn.
    plain = dataclasses.replace(bare, sample=Sample(every=100, seeds=(1,)))
    assert run_seconds(FOUND, plain, steps=100, subject=2)[1] == pytest.approx(101 * 0.5 + 2 * 2 * 3.0)


def test_only_one_process_is_measured() -> None:
    require_one_process(SPEC)
    with pytest.raises(Refused, match="Only runs of one process"):
        require_one_process(dataclasses.replace(SPEC, train=Train(processes=2)))
