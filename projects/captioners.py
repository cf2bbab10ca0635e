"""What a model that drafts captions is, by its files and without torch: how it is asked, whether it may be opened."""

import difflib
import importlib.util
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from projects.bases import PICKLES, hub_snapshot, is_hub_id
from projects.problems import Problem, Refused, listed, refuse
from projects.spec import FillJob, FillMethod

TAGGER: Final = ("model.onnx", "selected_tags.csv")
"""What a WD Tagger is read from."""
WHERE: Final = "--model"
_SMALL: Final = re.compile(r"[^/]+\.(json|txt|jinja|model|csv)|additional_chat_templates/[^/]+\.jinja")
_AGAIN: Final = "Download the model again, complete."


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What is known of the model before it is loaded."""

    name: str
    """As it is called in sentences: the hub id, or the folder's name."""
    method: FillMethod = ""
    """How it is asked; "" where nothing here can tell yet."""
    kind: str = ""
    """`model_type` of its config; "" for a WD Tagger and where it is not here."""
    path: Path | None = None
    """Its folder, None for a hub id that is not on this machine yet."""


def describe(job: FillJob) -> ModelFacts:
    """What `job.model` names. A hub id that is not here yet has the method that the job says, and no folder.

    Raises Refused (usage) with all problems for what is not there, not complete, a pickle, or no such model.
    """
    source, project = job.model, Path(job.project)
    folder = project / Path(source).expanduser()
    if folder.is_dir():
        return of_folder(folder.resolve(), os.path.basename(os.path.abspath(folder)), job.method)
    if folder.is_file():
        hint = "Name the folder it lies in, with its config.json."
        raise refuse("This is a file, and a model is a folder.", where=WHERE, hint=hint, usage=True)
    if not is_hub_id(source):
        hint = "Name a folder, or a hub id: Salesforce/blip2-opt-2.7b, SmilingWolf/wd-vit-tagger-v3."
        raise refuse(
            f'There is no model "{source}": nothing is at {folder}.', where=WHERE, hint=hint, usage=True
        )
    snapshot = cached(source, job.revision)
    if snapshot is None:
        return ModelFacts(name=source, method=job.method)
    return of_folder(snapshot, source, job.method)


def cached(repository: str, revision: str) -> Path | None:
    """The folder of a hub id that was downloaded whole, else None."""
    for name in ("config.json", TAGGER[1]):
        folder = hub_snapshot(repository, revision, holding=name)
        if folder is not None and not lacking(folder):
            return folder
    return None


def of_folder(folder: Path, name: str, said: FillMethod = "") -> ModelFacts:
    """What a model's folder holds. Raises Refused (usage) with all problems."""
    problems = lacking(folder)
    if problems:
        raise Refused(problems, usage=True)
    return _of_configs(folder, name, said)


def check_configs(folder: Path, name: str, said: FillMethod = "") -> ModelFacts:
    """As `of_folder`, of a folder in which only the small files are: before the weights are downloaded."""
    return _of_configs(folder, name, said)


def _of_configs(folder: Path, name: str, said: FillMethod) -> ModelFacts:
    tagger = (folder / TAGGER[1]).is_file()
    kind = "" if tagger else str(_config(folder / "config.json").get("model_type", ""))
    found: FillMethod = "wd-tagger" if tagger else "blip2" if kind == "blip-2" else "image-text-to-text"
    # BLIP-2 is one of those that transformers asks with a picture and a text, so that may be said of it as well.
    if said and said != found and (said, found) != ("image-text-to-text", "blip2"):
        held = f"of the kind {kind}" if kind else "a WD Tagger"
        hint = f'Leave --method out, or say "{found}".'
        raise refuse(
            f'"{said}" does not fit {name}, which is {held}.', where="--method", hint=hint, usage=True
        )
    return ModelFacts(name=name, method=said or found, kind=kind, path=folder)


def lacking(folder: Path) -> list[Problem]:
    """What stands against opening the folder: missing files, and weights that are pickles."""
    if (folder / TAGGER[1]).is_file():
        return [] if (folder / TAGGER[0]).is_file() else [_no_onnx(folder)]
    if not (folder / "config.json").is_file():
        adapter = (folder / "adapter_config.json").is_file()
        error = "is an adapter, not a whole model." if adapter else "holds no model: there is no config.json."
        hint = "Merge it into its model first." if adapter else "Name the folder that config.json lies in."
        return [Problem(error=error, where=str(folder), hint=hint)]
    absent = [name for name in weight_names(folder) if not (folder / name).is_file()]
    if absent:
        return [Problem(error=f"lacks {listed(absent)}.", where=str(folder), hint=_AGAIN)]
    if not weight_names(folder):
        return [_no_weights(folder, [path.name for path in folder.iterdir()])]
    return []


def weight_names(folder: Path) -> list[str]:
    """Names of the .safetensors files that the folder's weights are in; empty where there are none."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = _config(index).get("weight_map")
        names = shards.values() if isinstance(shards, dict) else ()
        return sorted({os.path.basename(str(name)) for name in names})
    return ["model.safetensors"] if (folder / "model.safetensors").is_file() else []


def wanted(sizes: Mapping[str, int]) -> list[str]:
    """Names of the files to download out of a repository's: the small ones of its top folder, then its weights.

    Raises Refused for a repository that has none which may be opened.
    """
    small = sorted(name for name in sizes if _SMALL.fullmatch(name))
    if TAGGER[1] in sizes:
        if TAGGER[0] not in sizes:
            raise Refused(_no_onnx(None))
        return [*(name for name in small if name in (TAGGER[1], "config.json")), TAGGER[0]]
    weights = sorted(name for name in sizes if re.fullmatch(r"model(-\d+-of-\d+)?\.safetensors", name))
    if "model.safetensors" in weights and "model.safetensors.index.json" not in sizes:
        weights = ["model.safetensors"]
    if not weights or "config.json" not in sizes:
        raise Refused(_no_weights(None, list(sizes)))
    return [*small, *weights]


def problems_of(job: FillJob, method: FillMethod) -> list[Problem]:
    """What contradicts itself in what the job says to a model of `method` ("": not known yet)."""
    problems = template_problems(job.template, over=job.over)
    if method == "wd-tagger" and job.prompt:
        hint = "Leave --prompt out. Which tags are taken is said by --threshold and --blacklist."
        problems.append(Problem(error="A WD Tagger reads no prompt.", where="--prompt", hint=hint))
    return problems


def missing_packages(method: FillMethod) -> list[Problem]:
    """What the method needs and this Python lacks, with the extra that brings it."""
    needs = {"wd-tagger": ("onnxruntime", "tagger"), "": ("", "")}.get(method, ("transformers", "train"))
    if not needs[0] or importlib.util.find_spec(needs[0]) is not None:
        return []
    hint = f'Install Safelight with the extra {needs[1]}: pip install "safelight[{needs[1]}]".'
    error = f"{needs[0]} is needed for this model, and is not installed here."
    return [Problem(error=error, where=WHERE, hint=hint)]


FIELDS: Final = ("trigger", "class", "caption", "draft")
"""What a template may hold in braces."""
_FIELD: Final = re.compile(r"\{([^{}]*)\}")


def template_problems(template: str, *, over: bool) -> list[Problem]:
    """What is wrong with a template; an empty one is the default and right."""
    if not template:
        return []
    problems = []
    known = ", ".join(f"{{{name}}}" for name in FIELDS)
    for name in _FIELD.findall(template):
        if name not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS, n=1, cutoff=0.5)
            hint = f"Did you mean {{{near[0]}}}?" if near else f"There are: {known}."
            problems.append(
                Problem(error=f"{{{name}}} is no part of a caption.", where="--template", hint=hint)
            )
    if re.search(r"[{}]", _FIELD.sub("", template)):
        hint = f"Braces stand in pairs around a name: {known}."
        problems.append(Problem(error="A brace is alone.", where="--template", hint=hint))
    if "{draft}" not in template:
        hint = 'Say where it goes, for example "{trigger}, {draft}".'
        problems.append(Problem(error="The draft has no place in it.", where="--template", hint=hint))
    if "{caption}" in template and not over:
        hint = "Say --over as well, or take {caption} out."
        error = "{caption} is what a person wrote, and such captions are left alone."
        problems.append(Problem(error=error, where="--template", hint=hint))
    return problems


def _no_onnx(folder: Path | None) -> Problem:
    hint = "Use the version of the tagger that has it: SmilingWolf/wd-vit-tagger-v3 does."
    return Problem(
        error="A WD Tagger is read from model.onnx, and there is none.",
        where=str(folder) if folder else WHERE,
        hint=hint,
    )


def _no_weights(folder: Path | None, names: list[str]) -> Problem:
    where = str(folder) if folder else WHERE
    pickles = sorted(name for name in names if name.endswith(PICKLES))
    if pickles:
        error = f"The weights are a pickle ({pickles[0]}), and opening one runs whatever code is in it."
        return Problem(error=error, where=where, hint="Use a version of the model with .safetensors files.")
    if any(name.endswith(".gguf") for name in names):
        hint = "Name the model it was made from, with .safetensors files."
        return Problem(error="The weights are GGUF, which transformers cannot ask.", where=where, hint=hint)
    hint = "Name a model with config.json and model.safetensors, or a WD Tagger with model.onnx."
    return Problem(error="There are no weights that can be opened.", where=where, hint=hint)


def _config(file: Path) -> dict[str, object]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise refuse("This config is missing or damaged.", where=file, hint=_AGAIN, usage=True)
    return found
