"""Jobs and moments that draw: previews while training, `safelight sample`, and the set-up that the review shares."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from PIL import Image
from torch import Tensor, nn

from engine.adapter import TRAINED, load_adapter, parted
from engine.cache import Cache, encode_texts
from engine.checkpoint import ADAPTER, find_checkpoint
from engine.checkpoint import load_adapter as load_adapter_of
from engine.conditions import LiveConditions
from engine.dataset.items import read_items
from engine.desk import Desk, StopAsked
from engine.draw import Conditions, Shot, check_shots, draw_pictures, shots_of
from engine.export.reading import read_adapter
from engine.families.digests import file_digest
from engine.families.family import Base, Family
from engine.families.window import unread_from
from engine.picture_file import Settings, UsedAdapter, tensors_hash, write_picture
from engine.preparation import open_trained_on, sample_of
from engine.quantise import quantise
from projects.families import FAMILIES as FACTS
from projects.job import JobDir
from projects.problems import refuse
from projects.rights import allow
from projects.spec import Quantize, RunSpec, Sample, SampleJob


def full_weight(sample: Sample) -> float:
    """What a run's adapter acts with in previews and samples: the whole of it, where nothing else is said."""
    return 1.0 if sample.weight is None else sample.weight


@dataclass(frozen=True, kw_only=True)
class AdapterFile:
    """An adapter file that was read, to be loaded for drawing."""

    key: str
    """Its name in the denoiser."""
    name: str
    """Its name in the pictures' settings."""
    hash: str
    """`tensors_hash` of the file."""
    state: Mapping[str, Tensor]
    rank: int
    alpha: float
    trained_on: str = ""
    """Fingerprint of its base; "" where the file does not say."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What pictures follow from beside their shots."""

    base: Base
    distilled: bool
    """Whether guidance is distilled into the base (`FamilyFacts.distilled`)."""
    adapters: Mapping[str, tuple[str, str]]
    """Name in the denoiser -> name in the settings, and hash."""
    quantize: Quantize
    """As the denoiser is that draws them."""
    run: str = ""
    step: int | None = None
    steps: Mapping[str, int] = field(default_factory=dict)
    """Name in the denoiser -> training step, where adapters of several checkpoints act."""
    scales: Mapping[str, float] = field(default_factory=dict)
    """Name in the denoiser -> alpha / rank, for whoever names pictures by what made them."""
    precision: str = ""
    """The numbers that they are computed in (`computed_in`), for the same."""

    def settings(self, shot: Shot) -> Settings:
        """What the picture of `shot` says of itself."""
        base, weights = self.base, dict(shot.weights)
        return Settings(
            prompt=shot.prompt,
            negative=shot.negative,
            seed=shot.seed,
            guidance=shot.guidance,
            true_guidance=shot.true_guidance if self.distilled else None,
            steps=shot.steps,
            sampler=shot.sampler,
            size=shot.size,
            base=Path(base.source).name.removesuffix(".safetensors"),
            # A1111 knows a one-file base by the file's own sha256.
            base_fingerprint=file_digest(base.path) if base.layout == "file" else base.fingerprint,
            quantize=self.quantize,
            adapters=tuple(
                UsedAdapter(name=name, weight=weights[key], hash=digest)
                for key, (name, digest) in self.adapters.items()
                if key in weights
            ),
            run=self.run,
            step=next((self.steps[key] for key in weights if key in self.steps), self.step),
        )


def preview(
    *,
    family: Family,
    base: Base,
    denoiser: nn.Module,
    conditions: Conditions,
    text_encoder: nn.Module | None = None,
    settings: Sample,
    folder: Path,
    step: int,
    spec: RunSpec,
    device: torch.device,
    on_step: Callable[[int, int], object] = lambda drawn, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Path]:
    """Draw `settings.prompts` with the adapter in training into `folder`; gives the files. `text_encoder` as in draw.py.

    The VAE is in memory only for it. Training is not disturbed: random states, modes and weights stay as they are.
    """
    shots = shots_of(settings, base, settings.prompts, ((TRAINED, full_weight(settings)),))
    check_shots(family, base, shots)
    run = folder.parent.name
    distilled, called = FACTS[family.name].distilled, {TRAINED: (spec.name or run, "")}
    origin = Origin(
        base=base, distilled=distilled, adapters=called, quantize=spec.train.quantize, run=run, step=step
    )
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []

    def keep(index: int, picture: Image.Image) -> None:
        prompt = index // len(settings.seeds) + 1
        files.append(folder / f"step-{step:06d}-{prompt:02d}-seed{shots[index].seed}.png")
        write_picture(files[-1], picture, origin.settings(shots[index]))

    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        vae = family.load_vae(base, torch.float32).to(device)
        draw_pictures(
            family=family, base=base, denoiser=denoiser, vae=vae, conditions=conditions, text_encoder=text_encoder,
            shots=shots, on_picture=keep, on_step=on_step, should_stop=should_stop,
        )  # fmt: skip
    return sorted(files)


@dataclass(frozen=True, kw_only=True)
class Easel:
    """Everything that drawing needs, in memory."""

    family: Family
    base: Base
    denoiser: nn.Module
    """With the adapters in it."""
    vae: nn.Module
    conditions: Conditions
    text_encoder: nn.Module | None
    """Where an adapter acts on it too."""

    @property
    def models(self) -> tuple[nn.Module, ...]:
        """The models that carry the adapters."""
        return (self.denoiser,) if self.text_encoder is None else (self.denoiser, self.text_encoder)

    def draw(
        self, desk: Desk, shots: Sequence[Shot], on_picture: Callable[[int, Image.Image], object]
    ) -> None:
        """Draw `shots`, whose texts the easel was set up for. Raises StopAsked."""
        desk.phase("drawing", quiet=1800)
        draw_pictures(
            family=self.family, base=self.base, denoiser=self.denoiser, vae=self.vae, conditions=self.conditions,
            text_encoder=self.text_encoder, shots=shots, on_picture=on_picture,
            on_step=lambda drawn, total: desk.progress("pictures", drawn, total), should_stop=lambda: desk.stop_asked,
        )  # fmt: skip


def texts_of_shots(shots: Iterable[Shot]) -> list[str]:
    """Every text that drawing them reads, each once."""
    shots = list(shots)
    texts = [shot.prompt for shot in shots] + [shot.negative for shot in shots if shot.negative]
    return list(dict.fromkeys(texts))


def draw_for_job(
    desk: Desk,
    *,
    project: Path,
    family: Family,
    base: Base,
    spec: RunSpec,
    adapters: Sequence[AdapterFile],
    shots: Sequence[Shot],
    on_picture: Callable[[int, Image.Image], object],
) -> None:
    """Draw `shots` in a job of their own. Raises Refused before anything large is loaded, and StopAsked."""
    check_shots(family, base, shots)
    easel = easel_for_job(
        desk, project=project, family=family, base=base, spec=spec, adapters=adapters, texts=texts_of_shots(shots),
    )  # fmt: skip
    easel.draw(desk, shots, on_picture)


def easel_for_job(
    desk: Desk,
    *,
    project: Path,
    family: Family,
    base: Base,
    spec: RunSpec,
    adapters: Sequence[AdapterFile],
    texts: Sequence[str],
) -> Easel:
    """Set up drawing with `texts` in a job. Encoders are in memory first and alone, then denoiser, adapters and VAE.

    Where an adapter acts on the text encoder, that stays beside the denoiser, and prompts are encoded as they are drawn.
    The base is as it is in the training of `spec`, in its precision and quantised where that says so: who had to save
    memory there has no more of it here. Raises StopAsked.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    desk.phase("encoding prompts", quiet=1800)
    _warn_of_cut(desk, family, base, texts)
    live = _encoder_for(adapters, family, base)
    conditions = live or encode_texts(
        Cache(project / "cache"), family, base, texts,
        on_progress=lambda done, total: desk.progress("encoding prompts", done, total),
        should_stop=lambda: desk.stop_asked,
    )  # fmt: skip
    if desk.stop_asked:
        raise StopAsked
    desk.phase("loading the denoiser", quiet=1800)
    text_encoder = live.model if live else None
    dtypes = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    dtype = torch.float32 if device.type == "cpu" else dtypes[spec.train.precision]
    denoiser = family.load_denoiser(base, dtype)
    quantise(denoiser, spec, dtype)
    for adapter in adapters:
        load_adapter(
            denoiser, adapter.state, rank=adapter.rank, alpha=adapter.alpha, name=adapter.key, text_encoder=text_encoder,
        )  # fmt: skip
    denoiser.to(device)
    if text_encoder is not None:
        text_encoder.to(device)
    vae = family.load_vae(base, torch.float32).to(device)
    return Easel(
        family=family, base=base, denoiser=denoiser, vae=vae, conditions=conditions, text_encoder=text_encoder
    )


def run(desk: Desk, job: SampleJob) -> Literal["done", "stopped"]:
    """Draw what `job.spec.sample` asks for into the job's pictures folder, each picture written when it is finished."""
    spec, project = job.spec, Path(job.project)
    trained, step = adapter_of_run(Path(job.run), job.checkpoint, spec) if job.run else (None, None)
    sample = sample_of(spec, read_items(JobDir(Path(job.run)).items)) if job.run else spec.sample
    if not sample.prompts:
        raise refuse(
            "There is no prompt.", where="sample.prompts", hint='Say one: --prompt "..."', usage=True
        )
    allow(project, spec, "sample", [*sample.prompts, sample.negative, spec.trigger])
    family, base = open_trained_on(desk, spec.base, project, trained.trained_on if trained else "")
    files, weights = adapters_of(job, trained, family, base)
    shots = shots_of(sample, base, sample.prompts, weights)
    origin = Origin(
        base=base,
        distilled=FACTS[family.name].distilled,
        adapters=named(files),
        quantize=spec.train.quantize,
        run=Path(job.run).name,
        step=step,
    )
    folder = desk.job.pictures
    folder.mkdir(exist_ok=True)
    pictures: list[Path] = []

    def keep(index: int, picture: Image.Image) -> None:
        pictures.append(folder / f"{index + 1:03d}-seed{shots[index].seed}.png")
        write_picture(pictures[-1], picture, origin.settings(shots[index]))
        desk.emit("sampled", step=step or 0, files=[str(pictures[-1].relative_to(desk.job.path))])

    draw_for_job(
        desk, project=project, family=family, base=base, spec=spec,
        adapters=files, shots=shots, on_picture=keep,
    )  # fmt: skip
    desk.result(pictures=[str(file.relative_to(project)) for file in sorted(pictures)])
    return "done"


def adapters_of(
    job: SampleJob, trained: AdapterFile | None, family: Family, base: Base
) -> tuple[list[AdapterFile], list[tuple[str, float]]]:
    """The run's adapter, if there is one, and further files, and the weights they act with.

    Raises Refused for files that are no adapters for this base.
    """
    files = [trained] if trained else []
    weights = [(file.key, full_weight(job.spec.sample)) for file in files]
    for number, further in enumerate(job.adapters, start=1):
        files.append(adapter_in(Path(further.file), family, base, key=f"further{number}"))
        weights.append((files[-1].key, further.weight))
    return files, weights


def adapter_of_run(run: Path, checkpoint: int | None, spec: RunSpec) -> tuple[AdapterFile, int]:
    """The adapter of a run's checkpoint (None: the newest), called as the project is, and its step."""
    step, folder = find_checkpoint(JobDir(run), checkpoint)
    manifest, state = load_adapter_of(folder)
    _require_finite(state, folder / ADAPTER)
    file = AdapterFile(
        key=TRAINED,
        name=spec.name or run.name,
        hash=tensors_hash(folder / ADAPTER),
        state=state,
        rank=manifest.rank,
        alpha=manifest.alpha,
        trained_on=manifest.base,
    )
    return file, step


def _require_finite(state: Mapping[str, Tensor], where: Path) -> None:
    """An adapter with NaN draws black pictures, and nothing that is measured of them means anything."""
    spoilt = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    if spoilt:
        raise refuse(
            f"{len(spoilt)} of its tensors hold numbers that are not finite, {spoilt[0]} among them.",
            where=where,
            hint="The training that made it broke. Take an earlier checkpoint, or train again with a lower rate.",
        )


def scales_of(files: Sequence[AdapterFile]) -> dict[str, float]:
    """What `Origin.scales` holds of `files`."""
    return {file.key: file.alpha / file.rank for file in files}


def computed_in(spec: RunSpec) -> str:
    """The numbers that a job of this spec draws in on this machine: fp32 on a CPU, whatever the spec says."""
    return spec.train.precision if torch.cuda.is_available() else "fp32"


def named(files: Sequence[AdapterFile]) -> dict[str, tuple[str, str]]:
    """What `Origin.adapters` holds of `files`."""
    return {file.key: (file.name, file.hash) for file in files}


def _encoder_for(adapters: Sequence[AdapterFile], family: Family, base: Base) -> LiveConditions | None:
    """The text encoder in fp32, as the cache's conditions are made, where one of the adapters acts on it."""
    acting = [adapter.name for adapter in adapters if parted(adapter.state)[1]]
    if not acting:
        return None
    if family.text_encoder is None:
        raise refuse(
            f"The adapter acts on a text encoder, and {family.name}'s stay frozen here.",
            where=acting[0],
            hint="It was made for another family, or by a tool that trains this one's text encoders.",
        )
    return LiveConditions(family.text_encoder, family.load_encoders(base, torch.float32))


def _warn_of_cut(desk: Desk, family: Family, base: Base, texts: Sequence[str]) -> None:
    """Say which texts the encoder does not read to their end."""
    for text, cut in unread_from(family, base, texts).items():
        desk.warn(f"A prompt is longer than what the model reads. Not read: {text[cut:]}")


def adapter_in(path: Path, family: Family, base: Base, *, key: str) -> AdapterFile:
    """The adapter in a file of any program, for `base`. Raises Refused for what is none, or not for it."""
    state, rank, alpha = read_adapter(path, family, base).as_one()
    _require_finite(state, path)
    return AdapterFile(key=key, name=path.stem, hash=tensors_hash(path), state=state, rank=rank, alpha=alpha)
