"""From what `[base]` says to an opened base: its family, and where its files are. No weights enter the memory here."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.families import hub, singlefile
from engine.families.digests import combined, file_digest
from engine.families.family import Base, Family, Objective
from engine.families.sdxl import SDXL
from engine.families.weights import weight_files
from projects import bases, spec
from projects.problems import Problem, Refused, refuse
from projects.tensorfile import read_header

FAMILIES: Mapping[str, Family] = {"sdxl": SDXL}

_MODELS = ("unet", "vae", "text_encoder", "text_encoder_2")
_TOKENIZERS = ("tokenizer", "tokenizer_2")
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
    return family, (_file_base if facts.path.is_file() else _folder_base)(
        base.source, name, facts.path, facts.family
    )


def is_complete(folder: Path) -> bool:
    """Whether a diffusers folder has everything that is loaded from it."""
    return not _lacking(folder)


def _check(base: spec.Base, folder: Path) -> None:
    """Refuse a base by its configs, before its gigabytes are downloaded."""
    facts = bases.describe(str(folder), folder)
    _hold_to(base, FAMILIES[facts.family])
    _facts(folder, {})


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
    if base.clip_skip not in family.clip_skips:
        takes = ", ".join(str(value) for value in family.clip_skips)
        problems.append(
            Problem(
                error=f"{family.name} always reads CLIP at clip_skip {takes}, never at {base.clip_skip}.",
                where="base.clip_skip",
                hint=f"Say {takes}, or leave it out.",
            )
        )
    if problems:
        raise Refused(problems, usage=True)


def _folder_base(source: str, name: str, folder: Path, family: str) -> Base:
    problems = _lacking(folder)
    if problems:
        raise Refused(problems)
    digests = {part: [(file.name, _digest(file)) for file in weight_files(folder / part)] for part in _MODELS}
    return Base(
        source=source,
        name=name,
        layout="folder",
        path=folder,
        configs=folder,
        fingerprint=combined(
            (f"{part}/{name}", digest) for part in _MODELS for name, digest in digests[part]
        ),
        parts=_parts(folder, digests),
        **_facts(folder, {}),
    )


def _file_base(source: str, name: str, file: Path, family: str) -> Base:
    shapes = read_header(file).shapes
    singlefile.check_parts(file, shapes)
    configs = singlefile.CONFIGS / family
    digest = _digest(file)
    return Base(
        source=source,
        name=name,
        layout="file",
        path=file,
        configs=configs,
        fingerprint=combined([("file", digest)]),
        parts=_parts(configs, {part: [("file", digest)] for part in _MODELS}),
        **_facts(configs, singlefile.scheduler_overrides(shapes)),
    )


def _parts(configs: Path, weights: Mapping[str, list[tuple[str, str]]]) -> dict[str, str]:
    """A digest a part over its weights and its config: the same weights at another scale are another VAE."""
    models = {part: [*files, *_texts(configs / part, ["config.json"])] for part, files in weights.items()}
    tokenizers = {name: _texts(configs / name, _vocabulary(configs / name)) for name in _TOKENIZERS}
    return {name: combined(files) for name, files in {**models, **tokenizers}.items()}


def _texts(folder: Path, names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, _digest(folder / name)) for name in names]


def _vocabulary(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if file.suffix in (".json", ".txt")]


def _facts(configs: Path, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """What the configs say of size, factor, noise and the unconditional, by the names of `Base`'s fields."""
    index = _config(configs / "model_index.json")
    unet, vae = (_config(configs / part / "config.json") for part in ("unet", "vae"))
    scheduler = {**_config(configs / "scheduler" / "scheduler_config.json"), **overrides}
    factor = 2 ** (len(vae["block_out_channels"]) - 1)
    return {
        "objective": _objective(scheduler, configs),
        "native_size": int(unet.get("sample_size") or 128) * factor,
        "latent_factor": factor,
        "zero_unconditional": bool(index.get("force_zeros_for_empty_prompt", True)),
        "scheduler": scheduler,
    }


def _objective(scheduler: Mapping[str, Any], configs: Path) -> Objective:
    known: dict[str, Objective] = {"epsilon": "epsilon", "v_prediction": "v"}
    objective = known.get(str(scheduler.get("prediction_type", "epsilon")))
    kind = str(scheduler.get("_class_name", ""))
    if objective is None or "beta_schedule" not in scheduler or kind.startswith(("EDM", "FlowMatch")):
        raise refuse(
            f"The base predicts neither noise nor v (it was made with {kind or 'an unnamed scheduler'}).",
            where=configs / "scheduler" / "scheduler_config.json",
            hint="Name a base with prediction_type epsilon or v_prediction.",
        )
    return objective


def _lacking(folder: Path) -> list[Problem]:
    """What a diffusers folder lacks of what is loaded from it."""
    problems = []
    for part in _MODELS:
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
    for name in (*_TOKENIZERS, "scheduler"):
        if not any((folder / name).glob("*.json")):
            problems.append(Problem(error=f"The {name} is missing.", where=str(folder), hint=_AGAIN))
    return problems


def _config(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise refuse("A config of the base model is missing or damaged.", where=path, hint=_AGAIN)
    return found


def _digest(file: Path) -> str:
    try:
        return file_digest(file)
    except OSError as error:
        raise refuse(
            f"The file cannot be read: {error.strerror or error}.", where=file, hint=_AGAIN
        ) from error
