"""An export, read top to bottom: the door, the checkpoint, the trained adapter's answer, and each file through the gate.

A file is written aside, loaded again and compared before it gets its name; all of a job's files get theirs together.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from engine import checkpoint
from engine.container import pack
from engine.desk import Desk
from engine.export import gate
from engine.export.card import Exported, card
from engine.export.facts import Facts, gather
from engine.export.formats import DTYPES, SUFFIX, Layout, content, files_of, stem_of
from engine.export.metadata import metadata_of
from engine.families.family import Base, Family, Fused
from engine.preparation import open_trained_on
from projects import atomic
from projects.job import JobDir
from projects.problems import refuse
from projects.project import read_job
from projects.rights import allow
from projects.spec import ExportJob, RunSpec

FORMAT = 1
LIST, CARD, ASIDE = "export.json", "README.md", ".unchecked"


def run(desk: Desk, job: ExportJob) -> Literal["done", "stopped"]:
    """Write the asked formats of one checkpoint into the run's export folder, with export.json and a model card.

    Raises Refused for what a person can mend, and when a file does not pass the gate: then no file of this job is kept.
    """
    project, trained = Path(job.project), JobDir(Path(job.run))
    settings = read_job(trained).spec
    for told in (job.spec, settings):  # the project may have been edited since the run
        allow(project, told, "export", _texts(told))
    _, folder = checkpoint.find_checkpoint(trained, job.checkpoint)
    manifest, state = checkpoint.load_adapter(folder)
    family, base = open_trained_on(desk, job.spec.base, project, manifest.base)
    facts = gather(trained, project, settings, manifest=manifest, base=base, family=family.name)
    facts = replace(facts, stem=stem_of(facts.stem, job.dtype))

    desk.phase("asking the trained adapter", quiet=1800)
    question = gate.question_for(family, base, settings.trigger or settings.name)
    reference = gate.reference_of(
        family, base, question, state, rank=manifest.rank, alpha=manifest.alpha, spec=settings
    )
    aside = trained.export / ASIDE
    asked = files_of(job.formats)
    try:
        _make_room(aside, state, files=len(asked), dtype=DTYPES[job.dtype])
        files = []
        for number, (layout, formats) in enumerate(asked.items()):
            if desk.stop_asked:
                desk.done_with("stop")
                return "stopped"
            desk.phase(f"writing and checking {layout}", quiet=1800)
            desk.progress("files", number, len(asked))
            path = aside / (facts.stem + SUFFIX[layout])
            _write(path, _bytes_of(layout, facts, family, state, job.dtype))
            verdict = _pass_gate(path, family, base, question, reference, half=job.dtype != "fp32")
            entry = _entry(path, trained.export, project, formats, job.dtype, facts, verdict, reference)
            files.append(entry)
        replaced = [file.path for file in files if (trained.export / file.name).exists()]
        _publish(aside, trained.export, files, facts, pipeline=_pipeline_name(base))
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    desk.result(files=[asdict(file) for file in files], replaced=replaced)
    return "done"


def _pass_gate(
    path: Path, family: Family, base: Base, question: gate.Question, reference: gate.Reference, *, half: bool
) -> gate.Verdict:
    verdict = gate.check(path, family, base, question, reference)
    reason = gate.objection(verdict, half=half)
    if reason:
        hint = "Nothing was exported. The trained checkpoint is as it was."
        raise refuse(f"The file did not pass its check. {reason}", where=path.name, hint=hint)
    return verdict


def _texts(spec: RunSpec) -> list[str]:
    """Every word that goes out with the files."""
    return [spec.trigger, spec.class_word, spec.name, *spec.sample.prompts]


def _bytes_of(layout: Layout, facts: Facts, family: Family, state: dict[str, Tensor], dtype: str) -> bytes:
    config = family.config(facts.base)

    def place_of(path: str) -> Fused:
        try:
            return family.original(config, path)
        except KeyError:
            raise refuse(
                "This layer has no name in kohya files.", where=path, hint="Export with --format diffusers."
            ) from None

    made = content(
        layout,
        state,
        rank=facts.rank,
        alpha=facts.alpha,
        dtype=DTYPES[dtype],
        component=family.denoiser,
        place_of=place_of,
        learning=family.text_encoder,
    )
    told = metadata_of(facts, made, family.model_spec)
    return pack(made.tensors, told)


def _make_room(aside: Path, state: dict[str, Tensor], *, files: int, dtype: torch.dtype) -> None:
    """An empty folder for unchecked files on a disk that can hold them."""
    size = files * (sum(tensor.numel() for tensor in state.values()) * dtype.itemsize + 1_000_000)
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        free = shutil.disk_usage(aside).free
    except OSError as error:
        raise _cannot_write(aside.parent, error) from error
    if free < size * 1.1:
        raise refuse(
            f"The files take {size / 1e6:,.0f} MB and {free / 1e6:,.0f} MB are free.",
            where=aside.parent,
            hint="Make room, or export with --dtype fp16; nothing was written.",
        )


def _write(path: Path, data: bytes) -> None:
    try:
        atomic.write_bytes(path, data)
    except OSError as error:
        raise _cannot_write(path.parent.parent / path.name, error) from error


def _entry(
    aside: Path,
    folder: Path,
    project: Path,
    formats: Sequence[str],
    dtype: str,
    facts: Facts,
    verdict: gate.Verdict,
    reference: gate.Reference,
) -> Exported:
    path, data = folder / aside.name, aside.read_bytes()
    return Exported(
        path=os.path.relpath(path, project),
        format=formats[0],
        formats=list(formats),
        step=facts.step,
        dtype=dtype,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        keys=verdict.keys,
        unmatched=verdict.unmatched,
        difference=verdict.difference,
        layer_difference=verdict.layer_difference,
        effect=reference.effect,
        quantize=facts.spec.train.quantize,
        quantized_difference=reference.quantized_difference,
        date=facts.date,
        licence=facts.licence,
    )


def _publish(aside: Path, folder: Path, files: Sequence[Exported], facts: Facts, *, pipeline: str) -> None:
    """Give the checked files their names, and list them beside what earlier exports left."""
    earlier = [file for file in _listed(folder / LIST) if file.path not in {new.path for new in files}]
    kept = [file for file in earlier if (folder / file.name).is_file()]
    listed = [*files, *kept]
    text = card(
        facts,
        listed,
        pipeline=pipeline,
        judged_weight=_judged_weight(folder.parent / "review" / "review.json"),
    )
    table = {"format": FORMAT, "files": [asdict(file) for file in listed]}
    try:
        for file in files:
            os.replace(aside / file.name, folder / file.name)
        atomic.write_text(folder / LIST, json.dumps(table, indent=1) + "\n")
        atomic.write_text(folder / CARD, text)
    except OSError as error:
        raise _cannot_write(folder, error) from error


def _listed(path: Path) -> list[Exported]:
    """What export.json lists; nothing where there is none or it cannot be understood: it is written anew."""
    try:
        return [Exported(**entry) for entry in json.loads(path.read_text("utf-8"))["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _judged_weight(path: Path) -> float | None:
    """The weight that the run's review recommends, where it was sure of one."""
    try:
        recommended = json.loads(path.read_text("utf-8"))["recommended"]
        return float(recommended["weight"]) if recommended and recommended["certain"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _pipeline_name(base: Base) -> str:
    return str(json.loads((base.configs / "model_index.json").read_text("utf-8"))["_class_name"])


def _cannot_write(path: Path, error: OSError) -> Exception:
    return refuse(
        f"The export cannot be written: {error.strerror or error}.",
        where=path,
        hint="Make room or mend the permission, then export again: the checkpoint is intact and nothing is half-written.",
    )
