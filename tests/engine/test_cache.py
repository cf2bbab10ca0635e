"""The cache: named by content, whole or absent, never stale, and pruned of nothing that a run needs."""

import dataclasses
import errno
import os
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from engine import cache as encoding
from engine.cache import Cache, ConditionReader, LatentReader, encode_latents, encode_texts
from engine.dataset import cachefiles
from engine.dataset.cachefiles import name_of, origin_of, prune, why
from engine.dataset.items import Item, Placement, file_sha256, write_items
from engine.families.family import Base, Family
from engine.families.opening import open_base
from projects import atomic, spec
from projects.eventlog import Writer
from projects.job import JobDir
from projects.problems import Refused
from projects.project import write_job
from tests.engine.tiny import tiny_base

WHITE = "#ffffff"
SQUARE = Placement(resolution=64, bucket=(64, 64), scaled=(80, 64), crop_left_top=(8, 0))
WIDE = Placement(resolution=64, bucket=(80, 48), scaled=(80, 64), crop_left_top=(0, 8))


@pytest.fixture(scope="module")
def opened() -> tuple[Family, Base]:
    return open_base(spec.Base(source=str(tiny_base())), tiny_base())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for number in range(3):
        draw_picture(tmp_path / "images" / f"{number}.png", number)
        (tmp_path / "images" / f"{number}.txt").write_text(f"a cat, {number}\n")
    return tmp_path


def draw_picture(path: Path, seed: int, alpha: bool = False) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 80, 4 if alpha else 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def item_of(path: Path, *placements: Placement, caption: str = "") -> Item:
    return Item(
        picture=path.name, path=path, sha256=file_sha256(path), role="subject", set="images", weight=1.0, repeats=1,
        original=(80, 64), placements=placements or (SQUARE,), captions=(caption or f"a cat, {path.stem}",), planned=1,
    )  # fmt: skip


def items_of(project: Path, *placements: Placement) -> list[Item]:
    return [item_of(path, *placements) for path in sorted((project / "images").glob("*.png"))]


def encoded(
    opened: tuple[Family, Base], project: Path, items: Iterable[Item], *, flip: bool = False, **said: Any
) -> tuple[LatentReader, list[tuple[int, int]]]:
    """The reader, and what on_progress was told."""
    told: list[tuple[int, int]] = []
    reader = encode_latents(
        Cache(project / "cache"), *opened, list(items), flip=flip,
        **{"background": WHITE, "on_progress": lambda done, total: told.append((done, total)), **said},
    )  # fmt: skip
    return reader, told


def entries(project: Path, kind: str = "latents") -> list[Path]:
    return sorted((project / "cache" / kind).glob("*"))


def test_latents_are_those_of_the_prepared_picture_and_read_back_bit_for_bit(
    opened: tuple[Family, Base], project: Path
) -> None:
    family, base = opened
    item = item_of(project / "images" / "0.png", SQUARE, WIDE)
    reader, _ = encoded(opened, project, [item], flip=True)
    vae = family.load_vae(base, torch.float32)
    picture = (
        Image.open(item.path).convert("RGB").crop((0, 8, 80, 56)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    )
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 127.5 - 1
    mean, std = family.encode_images(vae, pixels)
    found_mean, found_std = reader.get(item, 1, True)
    assert torch.equal(found_mean, mean[0]) and torch.equal(found_std, std[0])
    assert found_mean.dtype == torch.float32 and found_mean.shape == (4, 12, 20)
    assert not torch.equal(found_mean, reader.get(item, 1, False)[0])
    assert reader.get(item, 0, False)[0].shape == (4, 16, 16)


def test_what_is_there_is_not_encoded_again_and_the_vae_stays_away(
    opened: tuple[Family, Base], project: Path
) -> None:
    family, base = opened
    items = items_of(project)
    _, told = encoded(opened, project, items)
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]

    def unwanted(*_: object) -> Any:
        raise AssertionError("the VAE was loaded")

    idle = dataclasses.replace(family, load_vae=unwanted)
    _, told = encoded((idle, base), project, items)
    assert told == [(3, 3)]
    entries(project)[0].unlink()
    with pytest.raises(AssertionError, match="VAE was loaded"):
        encoded((idle, base), project, items)


def test_missing_latents_come_back_with_the_same_bits_in_whatever_company(
    opened: tuple[Family, Base], project: Path
) -> None:
    items = items_of(project)
    encoded(opened, project, items)
    before = {entry.name: entry.read_bytes() for entry in entries(project)}
    for entry in entries(project)[1:]:
        entry.unlink()
    encoded(opened, project, reversed(items))
    assert {entry.name: entry.read_bytes() for entry in entries(project)} == before


def test_a_replaced_picture_of_the_same_name_size_and_time_is_encoded_anew(
    opened: tuple[Family, Base], project: Path
) -> None:
    path = project / "images" / "0.png"
    Image.fromarray(np.zeros((64, 80, 3), np.uint8)).save(path.with_suffix(".bmp"))
    path.with_suffix(".bmp").rename(path)
    times, old = path.stat(), item_of(path)
    first = encoded(opened, project, [old])[0].get(old, 0, False)[0]
    data = bytearray(path.read_bytes())
    data[-3000:] = b"\xff" * 3000
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_size == times.st_size
    new = item_of(path)
    second = encoded(opened, project, [new])[0].get(new, 0, False)[0]
    assert not torch.equal(first, second)


def test_a_picture_that_changed_after_its_run_was_started_is_refused_by_name(
    opened: tuple[Family, Base], project: Path
) -> None:
    items = items_of(project)
    for number in (0, 2):
        draw_picture(project / "images" / f"{number}.png", 9)
    with pytest.raises(Refused) as caught:
        encoded(opened, project, items)
    assert len(caught.value.problems) == 2 and "0.png" in str(caught.value) and "2.png" in str(caught.value)
    assert entries(project) == []


@pytest.mark.parametrize("what", ["vae", "resolution", "crop", "background", "flip"])
def test_another_vae_resolution_crop_or_background_is_another_entry(
    what: str, opened: tuple[Family, Base], project: Path
) -> None:
    family, base = opened
    path = project / "images" / "0.png"
    draw_picture(path, 1, alpha=True)
    item = item_of(path)
    before = encoded(opened, project, [item])[0].get(item, 0, False)[0]
    if what == "vae":
        base = dataclasses.replace(base, parts={**base.parts, "vae": "another"})
        with pytest.raises(Refused, match="missing"):
            LatentReader(Cache(project / "cache"), base, background=WHITE).get(item, 0, False)
    elif what == "resolution":
        half = dataclasses.replace(
            SQUARE, resolution=32, bucket=(32, 32), scaled=(40, 32), crop_left_top=(4, 0)
        )
        item = item_of(path, half)
    elif what == "crop":
        item = item_of(path, dataclasses.replace(SQUARE, crop_left_top=(9, 0)))
    background = "#ff0000" if what == "background" else WHITE
    flip = what == "flip"
    reader, told = encoded((family, base), project, [item], flip=flip, background=background)
    after = reader.get(item, 0, flip)[0]
    assert told[-1][0] == told[0][0] + 1 and len(entries(project)) == 2
    assert what == "vae" or after.shape != before.shape or not torch.equal(after, before)


def test_half_written_and_foreign_entries_are_never_read(opened: tuple[Family, Base], project: Path) -> None:
    items = items_of(project)
    reader, _ = encoded(opened, project, items)
    whole = {entry: entry.read_bytes() for entry in entries(project)}
    cut, swapped, empty = whole
    cut.write_bytes(whole[cut][:-5])
    swapped.write_bytes(whole[cut])
    empty.write_bytes(b"")
    assert [origin_of(entry) for entry in (cut, swapped, empty)] == [None, None, None]
    for item in items:
        with pytest.raises(Refused, match="missing or damaged"):
            LatentReader(Cache(project / "cache"), opened[1], background=WHITE).get(item, 0, False)
    encoded(opened, project, items)
    assert {entry: entry.read_bytes() for entry in entries(project)} == whole
    assert reader.get(items[0], 0, False)[0].isfinite().all()


def test_a_full_disk_stops_with_a_sentence_and_keeps_what_was_encoded(
    opened: tuple[Family, Base], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []

    def full(path: Path, data: bytes) -> None:
        if written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(path)
        atomic.write_bytes(path, data)

    monkeypatch.setattr(encoding, "write_bytes", full)
    with pytest.raises(Refused, match="no space left for the cache"):
        encoded(opened, project, items_of(project))
    assert entries(project) == written


def test_a_stop_is_heard_between_two_pictures_and_two_texts(
    opened: tuple[Family, Base], project: Path
) -> None:
    asked = iter([False, True])
    encoded(opened, project, items_of(project), should_stop=lambda: next(asked))
    assert len(entries(project)) == 1
    asked = iter([False, True])
    encode_texts(Cache(project / "cache"), *opened, ["a", "b"], should_stop=lambda: next(asked))
    assert len(entries(project, "conditions")) == 1


# ---- texts


def test_conditions_are_the_familys_own_and_an_edited_caption_is_another(
    opened: tuple[Family, Base], project: Path
) -> None:
    family, base = opened
    cache = Cache(project / "cache")
    reader = encode_texts(cache, family, base, ["a cat", "a cat"])
    assert len(entries(project, "conditions")) == 2
    encoders = family.load_encoders(base, torch.float32)
    expected = family.encode_condition(encoders, ["a cat"])[0]
    assert all(torch.equal(reader.get("a cat")[key], value) for key, value in expected.items())
    assert not reader.unconditional()["prompt_embeds"].any()
    for text in ("a cat ", "A cat", "a cat\n", ""):
        with pytest.raises(Refused, match="missing"):
            reader.get(text)
    other = dataclasses.replace(base, parts={**base.parts, "tokenizer": "another"})
    with pytest.raises(Refused, match="missing"):
        ConditionReader(cache, family, other).get("a cat")
    empty = dataclasses.replace(base, zero_unconditional=False)
    assert encode_texts(cache, family, empty, []).unconditional()["prompt_embeds"].any()
    assert not reader.unconditional()["prompt_embeds"].any()


# ---- why and prune


def run_of(
    project: Path, items: list[Item], name: str, last_word: str = "", prompts: tuple[str, ...] = ()
) -> JobDir:
    job = JobDir(project / "runs" / f"2026-11-24-0900-{name}")
    job.path.mkdir(parents=True)
    run = spec.RunSpec(sample=spec.Sample(prompts=prompts, negative="bad"))
    write_job(job, spec.TrainJob(project=str(project), spec=run))
    if items:
        write_items(job.items, items)
    if last_word:
        writer = Writer(job, 1)
        writer.emit("started", from_step=0, pid=1, host="", boot_id="")
        writer.emit(last_word, step=1)
        writer.close()
    return job


def test_why_says_what_names_the_entries_of_a_picture_and_who_reads_them(
    opened: tuple[Family, Base], project: Path
) -> None:
    path = project / "images" / "0.png"
    assert "No entry" in why(project, path)[1]
    item = item_of(path, WIDE)
    encoded(opened, project, [item], flip=True)
    run = run_of(project, [item], "first")
    lines = why(project, path)
    assert item.sha256[:12] in lines[0] and len(lines) == 3
    for entry in entries(project):
        line = next(line for line in lines if entry.name[:12] in line)
        assert "80 x 48 from column 0, row 8 of 80 x 64" in line and opened[1].parts["vae"][:12] in line
        assert f"read by {run.path.name}" in line
    assert sum("mirrored" in line for line in lines) == 1
    draw_picture(path, 7)
    changed = why(project, path)
    assert (
        "No entry" in changed[1]
        and f"{run.path.name} was started when it was {item.sha256[:12]}" in changed[2]
    )


def test_why_says_what_names_the_entry_of_a_caption_and_who_reads_it(
    opened: tuple[Family, Base], project: Path
) -> None:
    caption = project / "images" / "0.txt"
    run = run_of(project, items_of(project), "first")
    assert "No entry" in why(project, caption)[1]
    encode_texts(Cache(project / "cache"), *opened, ["a cat, 0"])
    line = why(project, caption)[1]
    assert opened[1].parts["text_encoder_2"][:12] in line and f"read by {run.path.name}" in line
    caption.write_text("a dog")
    lines = why(project, caption)
    assert '"a dog"' in lines[0] and "No entry" in lines[1] and "started with another text" in lines[2]


def test_why_refuses_a_file_that_is_not_there(project: Path) -> None:
    with pytest.raises(Refused, match="no such file"):
        why(project, project / "images" / "absent.png")


def test_prune_spares_what_runs_need_that_are_at_work_or_can_be_resumed(
    opened: tuple[Family, Base], project: Path
) -> None:
    one, two, three = items_of(project)
    encoded(opened, project, [one, two, three])
    texts = ["a cat, 0", "a cat, 1", "a cat, 2", "a prompt", "bad", "an older prompt"]
    encode_texts(Cache(project / "cache"), *opened, texts)
    rest, fresh = (project / "cache" / "latents" / f".{name}.safetensors.1.tmp" for name in "xy")
    rest.write_bytes(b"half")
    os.utime(rest, (0, 0))
    (project / "cache" / "thumbnails").mkdir()
    (project / "cache" / "thumbnails" / "0.png").write_bytes(b"kept")
    run_of(project, [one], "stopped", last_word="stopped", prompts=("a prompt",))
    run_of(project, [two], "queued")
    run_of(project, [three], "done", last_word="done", prompts=("an older prompt",))
    sizes = sum(entry.stat().st_size for entry in [*entries(project), *entries(project, "conditions")])
    fresh.write_bytes(b"another process writes here")
    files, freed = prune(project)
    kept = [*entries(project), *entries(project, "conditions")]
    assert fresh.exists() and not rest.exists()
    fresh.unlink()
    kept = [entry for entry in kept if entry != fresh]
    assert files == 4 and freed == sizes - sum(entry.stat().st_size for entry in kept)
    pictures = {origin["picture"] for entry in entries(project) if (origin := origin_of(entry))}
    assert pictures == {one.sha256, two.sha256}
    kept_texts = {origin["text"] for entry in entries(project, "conditions") if (origin := origin_of(entry))}
    assert kept_texts == {None, "a cat, 0", "a cat, 1", "a prompt", "bad"}
    assert (project / "cache" / "thumbnails" / "0.png").exists()


def test_prune_deletes_nothing_while_a_run_has_not_written_its_items(
    opened: tuple[Family, Base], project: Path
) -> None:
    encoded(opened, project, items_of(project))
    run_of(project, [], "queued")
    assert prune(project) == (0, 0) and len(entries(project)) == 3


def test_prune_keeps_conditions_while_another_job_is_at_work(
    opened: tuple[Family, Base], project: Path
) -> None:
    encode_texts(Cache(project / "cache"), *opened, ["a sheet's prompt"])
    job = JobDir(run_of(project, [], "done", last_word="done").jobs / "review-1")
    job.path.mkdir(parents=True)
    write_job(job, spec.ReviewJob(project=str(project), run=str(job.path.parent.parent), spec=spec.RunSpec()))
    assert prune(project) == (0, 0)
    writer = Writer(job, 1)
    writer.emit("started", from_step=0, pid=1, host="", boot_id="")
    writer.emit("done")
    writer.close()
    assert prune(project)[0] == 2


def test_an_entry_is_named_by_its_origin(opened: tuple[Family, Base], project: Path) -> None:
    encoded(opened, project, items_of(project)[:1])
    entry = entries(project)[0]
    origin = origin_of(entry)
    assert origin is not None and name_of(origin) == entry.stem


def test_no_parameter_of_the_encoders_and_the_vae_is_alive_when_all_is_encoded(
    opened: tuple[Family, Base], project: Path
) -> None:
    family, base = opened
    alive: list[weakref.ref[torch.nn.Parameter]] = []

    def watched(load: Any) -> Any:
        def loaded(*arguments: Any) -> Any:
            found = load(*arguments)
            for model in getattr(found, "models", (found,)):
                alive.extend(weakref.ref(parameter) for parameter in model.parameters())
            return found

        return loaded

    watching = dataclasses.replace(
        family, load_vae=watched(family.load_vae), load_encoders=watched(family.load_encoders)
    )
    items = items_of(project)
    encode_latents(Cache(project / "cache"), watching, base, items, flip=False, background=WHITE)
    encode_texts(Cache(project / "cache"), watching, base, ["a cat"])
    assert len(alive) > 100
    assert not [reference for reference in alive if reference() is not None]


def test_large_pictures_pass_the_vae_in_tiles_and_no_other_changes_a_bit(
    opened: tuple[Family, Base], monkeypatch: pytest.MonkeyPatch
) -> None:
    family, base = opened
    vae = family.load_vae(base, torch.float32)
    pixels_BCHW = torch.rand(1, 3, 96, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    plain = vae.encode(pixels_BCHW).latent_dist.mean / (1.0 / vae.config.scaling_factor)
    whole, _ = family.encode_images(vae, pixels_BCHW)
    drawn = family.decode(vae, whole)
    torch.testing.assert_close(whole, plain)
    sides: dict[str, set[int]] = {"encoder": set(), "decoder": set()}
    for name, seen in sides.items():
        getattr(vae, name).register_forward_pre_hook(
            lambda _, given, seen=seen: seen.update(given[0].shape[2:])
        )
    monkeypatch.setattr(cachefiles, "TILED_ABOVE", 64)
    monkeypatch.setattr(cachefiles, "TILE", 32)
    latents, _ = family.encode_images(vae, pixels_BCHW)
    tiled = family.decode(vae, whole)
    assert latents.shape == whole.shape and tiled.shape == drawn.shape
    assert max(sides["encoder"]) == 32 and max(sides["decoder"]) == 8, "a factor of 4"
    apart = float((drawn.flip(-1) - drawn).abs().mean())
    assert 0 < float((tiled - drawn).abs().mean()) < apart, "the same picture, not the same bits"
    small = family.decode(vae, whole[..., :16, :16])
    monkeypatch.undo()
    assert torch.equal(family.decode(vae, whole), drawn), "the next small one is whole again"
    assert torch.equal(family.decode(vae, whole[..., :16, :16]), small), "64 x 64 is not above"


def test_only_an_entry_that_was_made_in_tiles_says_so() -> None:
    def origin(*bucket: int) -> dict[str, Any]:
        placed = Placement(resolution=1, bucket=(bucket[0], bucket[1]), scaled=(1, 1), crop_left_top=(0, 0))
        return cachefiles.latent_origin(picture="p", placement=placed, background=WHITE, flip=False, vae="v")

    assert "tile" not in origin(1024, 1024) and "tile" not in origin(768, 3072)
    assert origin(2048, 2048)["tile"] == 1024


def test_text_encoders_that_do_not_fit_on_the_device_work_on_the_cpu(
    opened: tuple[Family, Base], project: Path
) -> None:
    family, base = opened

    class Heavy:
        """Encoders for which the device has no room."""

        def __init__(self, encoders: Any) -> None:
            self.encoders = encoders
            self.asked: list[str] = []

        def to(self, device: torch.device | str) -> "Heavy":
            self.asked.append(str(device))
            if len(self.asked) == 1:
                raise torch.OutOfMemoryError("no more")
            return self

    heavy: list[Heavy] = []

    def load(*arguments: Any) -> Any:
        heavy.append(Heavy(family.load_encoders(*arguments)))
        return heavy[0]

    full = dataclasses.replace(
        family, load_encoders=load, encode_condition=lambda given, texts: family.encode_condition(given.encoders, texts),
        unconditional=lambda of, given: family.unconditional(of, given.encoders),
    )  # fmt: skip
    told = encode_texts(Cache(project / "full"), full, base, ["a cat"]).get("a cat")
    expected = encode_texts(Cache(project / "cache"), family, base, ["a cat"]).get("a cat")
    assert heavy[0].asked[-1] == "cpu"
    assert all(torch.equal(told[key], expected[key]) for key in expected)
