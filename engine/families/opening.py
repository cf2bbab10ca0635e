"""From what `[base]` says to an opened base: its family, and where its files are. No weights enter the memory here."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.families import hub, singlefile
from engine.families.digests import combined, file_digest
from engine.families.family import Base, Family, Objective
from engine.families.flux import FLUX
from engine.families.sd15 import SD15
from engine.families.sdxl import SDXL
from engine.families.weights import read_config, weight_files
from projects import bases, spec
from projects.families import FAMILIES as FACTS
from projects.families import levels
from projects.problems import Problem, Refused, refuse
from projects.tensorfile import read_header

FAMILIES: Mapping[str, Family] = {family.name: family for family in (SDXL, SD15, FLUX)}

_AGAIN = "Download the base model again, complete."


def open_base(
    base: spec.Base, project: Path, *, on_progress: hub.Progress = lambda done, total: None
) -> tuple[Family, Base]:
    """Find, check and name the base; download it when it is a hub id that is not here yet.

    `on_progress(done_bytes, total_bytes)` is called while a hub id is downloaded; its first call announces the size.
    Raises Refused with all problems that were found.
    """
    facts = bases.describe(base.source, project, revision=base.revision)
    kind = facts.kind
    if kind == "":
        hint = 'Say a hub id, a folder in diffusers layout, a .safetensors file, or "demo".'
        raise refuse("No base model is named.", where="base.source", hint=hint, usage=True)
    if kind == "hub":
        path = hub.snapshot(
            base.source,
            base.revision,
            complete=is_complete,
            check=lambda at: _check(base, at),
            on_progress=on_progress,
        )
        facts = bases.describe(str(path), project)
    assert facts.path is not None  # every other kind is described from its files
    family = FAMILIES[facts.family]
    _hold_to(base, family)
    # Of the path as it was said: a link's own name tells more than that of the folder behind it.
    said = os.path.abspath(project / Path(base.source).expanduser())
    name = base.source if kind in ("hub", "demo") else os.path.basename(said)
    clip_skips = FACTS[family.name].clip_skips
    clip_skip = base.clip_skip or (2 if 2 in clip_skips else None)
    if facts.path.is_dir():
        return family, _folder_base(base.source, name, facts.path, family, clip_skip)
    companion = _companion(base, project, family, on_progress) if facts.companion else None
    return family, _file_base(base.source, name, facts.path, family, clip_skip, companion)


def _companion(base: spec.Base, project: Path, family: Family, on_progress: hub.Progress) -> Path:
    """The diffusers folder that the parts outside of the base's file come from, downloaded where it is a hub id."""
    source = base.companion or FACTS[family.name].companion
    folder = project / Path(source).expanduser()
    outside = [part for part in family.models if part not in family.inside]
    if not folder.is_dir():
        if not bases.is_hub_id(source):
            hint = "Name a hub id, or a folder in diffusers layout."
            raise refuse(f"There is no {folder}.", where="base.companion", hint=hint, usage=True)
        return hub.snapshot(
            source, "", complete=lambda at: not _lacking(at, family, outside), check=lambda at: None,
            on_progress=on_progress, parts=outside,
        )  # fmt: skip
    if problems := _lacking(folder, family, outside):
        raise Refused(problems)
    return folder.resolve()


def is_complete(folder: Path) -> bool:
    """Whether a diffusers folder has everything that is loaded from it."""
    try:
        family = FAMILIES[bases.describe(str(folder), folder).family]
    except Refused:
        return False
    return not _lacking(folder, family, list(family.models))


def _check(base: spec.Base, folder: Path) -> None:
    """Refuse a base by its configs, before its gigabytes are downloaded."""
    facts = bases.describe(str(folder), folder)
    _hold_to(base, FAMILIES[facts.family])
    _facts(folder, FAMILIES[facts.family], {})


def _hold_to(base: spec.Base, family: Family) -> None:
    problems = []
    if base.family and base.family != family.name:
        problems.append(
            Problem(
                error=f"The base is of the family {family.name}, the project says {base.family}.",
                where="base.family",
                hint="Leave base.family out, or name another base.",
            )
        )
    clip_skips = FACTS[family.name].clip_skips
    if base.clip_skip is not None and base.clip_skip not in clip_skips:
        takes = ", ".join(map(str, clip_skips))
        problems.append(
            Problem(
                error=f"{family.name} always reads CLIP at clip_skip {takes}, never at {base.clip_skip}."
                if takes
                else f"{family.name} reads no layer of CLIP but its last, so clip_skip means nothing.",
                where="base.clip_skip",
                hint=f"Say {takes}, or leave it out." if takes else "Leave it out.",
            )
        )
    if problems:
        raise Refused(problems, usage=True)


def _folder_base(source: str, name: str, folder: Path, family: Family, clip_skip: int | None) -> Base:
    problems = _lacking(folder, family, list(family.models))
    if problems:
        raise Refused(problems)
    digests = {part: _weights(folder / part) for part in family.models}
    return Base(
        source=source,
        name=name,
        layout="folder",
        path=folder,
        configs=folder,
        clip_skip=clip_skip,
        fingerprint=combined(
            (f"{part}/{name}", digest) for part in digests for name, digest in digests[part]
        ),
        parts=_parts(folder, family, digests),
        **_facts(folder, family, {}),
    )


def _file_base(
    source: str, name: str, file: Path, family: Family, clip_skip: int | None, companion: Path | None
) -> Base:
    shapes = read_header(file).shapes
    inside = singlefile.parts_in(file, shapes, family.inside)
    configs = companion or singlefile.CONFIGS / family.name
    digest = ("file", _digest(file))
    digests = {
        part: [digest] if companion is None or part in inside else _weights(companion / part)
        for part in family.models
    }
    outside = [(f"{part}/{name}", of) for part in digests if part not in inside for name, of in digests[part]]
    return Base(
        source=source,
        name=name,
        layout="file",
        path=file,
        configs=configs,
        companion=companion,
        inside=inside,
        clip_skip=clip_skip,
        fingerprint=combined([digest, *outside]),
        parts=_parts(configs, family, digests),
        **_facts(configs, family, singlefile.scheduler_overrides(shapes)),
    )


def _weights(folder: Path) -> list[tuple[str, str]]:
    return [(file.name, _digest(file)) for file in weight_files(folder)]


def _parts(configs: Path, family: Family, weights: Mapping[str, list[tuple[str, str]]]) -> dict[str, str]:
    """A digest a part over its weights and its config: the same weights at another scale are another VAE."""
    models = {
        part: [*files, *_texts(configs / part, _own_config(configs / part))]
        for part, files in weights.items()
    }
    tokenizers = {name: _texts(configs / name, _vocabulary(configs / name)) for name in family.tokenizers}
    return {name: combined(files) for name, files in {**models, **tokenizers}.items()}


def _own_config(folder: Path) -> list[str]:
    """A companion need not have the config of the part that is in the file: the file's shapes tell it."""
    return ["config.json"] if (folder / "config.json").is_file() else []


def _texts(folder: Path, names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, _digest(folder / name)) for name in names]


def _vocabulary(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if file.suffix in (".json", ".txt")]


def _facts(configs: Path, family: Family, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """What the configs say of size, factor, noise and the unconditional, by the names of `Base`'s fields."""
    index = read_config(configs / "model_index.json")
    vae = read_config(configs / "vae" / "config.json")
    said = configs / family.denoiser / "config.json"
    denoiser = read_config(said) if said.is_file() else {}
    said = configs / "scheduler" / "scheduler_config.json"
    scheduler = {**read_config(said), **overrides}
    objective = _objective(scheduler, family, configs)
    _check_schedule(scheduler, objective, said)
    native, least = FACTS[family.name].size(denoiser, vae)
    return {
        "objective": objective,
        "native_size": native,
        "bucket_step": bases.bucket_step(native, least),
        "latent_factor": 2 ** (levels(vae) - 1),
        "zero_unconditional": bool(index.get("force_zeros_for_empty_prompt", True)),
        "scheduler": scheduler,
    }


def _objective(scheduler: Mapping[str, Any], family: Family, configs: Path) -> Objective:
    """What the denoiser predicts, by the scheduler that the base was made with."""
    known: dict[str, Objective] = {"epsilon": "epsilon", "v_prediction": "v"}
    kind = str(scheduler.get("_class_name", ""))
    found = (
        known.get(str(scheduler.get("prediction_type", "epsilon"))) if "beta_schedule" in scheduler else None
    )
    if kind.startswith("FlowMatch"):
        found = "flow"
    if found is None or kind.startswith("EDM") or found not in family.objectives:
        able = {"epsilon": "noise", "v": "v", "flow": "a flow"}
        words = " nor ".join(able[each] for each in family.objectives)
        raise refuse(
            f"The base predicts {'neither ' if len(family.objectives) > 1 else 'not '}{words} "
            f"(it was made with {kind or 'an unnamed scheduler'}).",
            where=configs / "scheduler" / "scheduler_config.json",
            hint=f"Name another base of the family {family.name}, with the scheduler config it was published with.",
        )
    return found


def _check_schedule(scheduler: Mapping[str, Any], objective: Objective, file: Path) -> None:
    """Refuse numbers of a scheduler config that are none, before a run is built on them."""
    shape = _FLOW if objective == "flow" else _BETAS
    for name, (least, most) in shape.items():
        value = scheduler.get(name)
        if value is not None and not (isinstance(value, int | float) and least <= value <= most):
            raise refuse(
                f"The base's scheduler config says {name} = {value!r}, which is no number from {least} to {most}.",
                where=file,
                hint=_AGAIN,
            )


_BETAS = {"num_train_timesteps": (1, 100_000), "beta_start": (0, 1), "beta_end": (0, 1)}
_FLOW = {
    "num_train_timesteps": (1, 100_000),
    "base_image_seq_len": (1, 10**6),
    "max_image_seq_len": (1, 10**6),
    "base_shift": (0, 20),
    "max_shift": (0, 20),
}


def _lacking(folder: Path, family: Family, parts: Sequence[str]) -> list[Problem]:
    """What a diffusers folder lacks of `parts`, the tokenizers and the scheduler."""
    problems = []
    for part in parts:
        files = weight_files(folder / part)
        absent = [file.name for file in files if not file.is_file()]
        pickles = sorted(file.name for file in (folder / part).glob("*") if file.suffix in bases.PICKLES)
        error, hint = "", _AGAIN
        if absent:
            error = f"The {part} lacks {absent[0]}."
        elif not files and pickles:
            error = (
                f"The {part} has only a pickle ({pickles[0]}), and opening one runs whatever code is in it."
            )
            hint = "Use a version of the model with .safetensors files."
        elif not files or not (folder / part / "config.json").is_file():
            error = f"The {part} has no {'config.json' if files else 'weights'}."
        if error:
            problems.append(Problem(error=error, where=str(folder / part), hint=hint))
    for name in (*family.tokenizers, "scheduler"):
        if not any((folder / name).glob("*.json")):
            problems.append(Problem(error=f"The {name} is missing.", where=str(folder), hint=_AGAIN))
    return problems


def _digest(file: Path) -> str:
    try:
        return file_digest(file)
    except OSError as error:
        raise refuse(
            f"The file cannot be read: {error.strerror or error}.", where=file, hint=_AGAIN
        ) from error
