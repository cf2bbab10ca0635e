"""The model card: README.md beside the exported files, for the person who gets them. Names and prompts are data here.

It is true of every file in the folder: what all checkpoints of a run share is said once, and what differs (step, date,
licence) stands beside each file, as that file's own metadata says it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.export.facts import Facts
from engine.export.gate import LIMIT
from projects.families import FAMILIES as FACTS
from projects.optimizers import OPTIMIZERS
from projects.plan import slots_a_step
from projects.spec import RunSpec

USUAL_WEIGHTS = "0.6 to 0.8"
"""Where adapters usually act best: a rule of thumb of the trade."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """One file that went through the gate; these fields are what export.json and the `done` event say of it."""

    path: str
    """Relative to the project."""
    format: str
    """The first asked format that it serves."""
    formats: Sequence[str]
    """All of them: kohya and comfyui are one file."""
    step: int
    dtype: str
    bytes: int
    sha256: str
    keys: int
    unmatched: int
    difference: float
    """Of the prediction, relative."""
    layer_difference: float
    """Of the weight that is added, relative, largest of all layers."""
    effect: float
    """How far the adapter moves the base's prediction, relative."""
    quantize: str = "none"
    """How the base was quantised in training; files are checked on the whole one."""
    quantized_difference: float | None = None
    """Of the prediction on that base to the one on the whole base, relative; None where it was whole or cannot be told."""
    date: str = ""
    """When its checkpoint was written, as 2026-11-24T15:30:00Z; "" where it is not known."""
    licence: str = ""
    """Of the data, as rights.toml said it at the export."""

    @property
    def name(self) -> str:
        """File name."""
        return Path(self.path).name


def card(facts: Facts, files: Sequence[Exported], *, pipeline: str, judged_weight: float | None) -> str:
    """The whole card. `files`: everything in the export folder, this run's newest first. `pipeline`: diffusers' class."""
    return "\n".join(
        [
            _front(facts),
            f"# {escaped(facts.spec.name or facts.stem)}",
            "",
            f"A LoRA adapter for {escaped(facts.base.name)} ({facts.family}).",
            "",
            *_use(facts, judged_weight),
            *_files(files),
            *_tools(facts, files, pipeline),
            *_training(facts, files),
            *_checked(files),
            "Made with Safelight. Pictures made with this adapter are made by AI: say so where you show them.",
            "",
        ]
    )


def escaped(text: str) -> str:
    """`text` as Markdown that shows exactly it, on one line."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return re.sub(r"([\\`*_{}\[\]()<>#|~!&@:])", r"\\\1", line)


def fenced(text: str, language: str = "text") -> str:
    """A code block that no run of backticks inside can close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def example_prompt(facts: Facts) -> str:
    """The first sample prompt with the trigger in it, else trigger and class word."""
    spec = facts.spec
    said = next(
        (
            " ".join(prompt.split())
            for prompt in spec.sample.prompts
            if spec.trigger and spec.trigger in prompt
        ),
        "",
    )
    return said or ", ".join(
        part for part in (spec.trigger, f"a {spec.class_word}" if spec.class_word else "") if part
    )


def _place(facts: Facts) -> str:
    """What from_pretrained is given, as Python: the hub id, the demo's folder by its name, or a placeholder for a path."""
    if facts.base.name == "demo":
        return "BASE_DIR"
    return json.dumps(facts.base.name if "/" in facts.base.name else f"path/to/{facts.base.name}")


def _front(facts: Facts) -> str:
    lines: Mapping[str, object] = {
        **({"base_model": facts.base.name} if "/" in facts.base.name else {}),
        **({"instance_prompt": facts.spec.trigger} if facts.spec.trigger else {}),
        "library_name": "diffusers",
        "tags": ["lora", "text-to-image", facts.family],
    }
    return "\n".join(["---", *(f"{key}: {json.dumps(value)}" for key, value in lines.items()), "---", ""])


def _use(facts: Facts, judged_weight: float | None) -> list[str]:
    weights = (
        f"The review of this run found {judged_weight:g} best; {USUAL_WEIGHTS} is where adapters usually act best."
        if judged_weight is not None
        else f"Start with a weight of {USUAL_WEIGHTS} (a rule of thumb) and take the lowest at which the subject is right."
    )
    trigger = (
        f"Trigger: **{escaped(facts.spec.trigger)}**" if facts.spec.trigger else "It has no trigger word."
    )
    return ["## Use", "", trigger, "", fenced(example_prompt(facts)), "", weights, ""]


def _files(files: Sequence[Exported]) -> list[str]:
    rows = [
        f"| {escaped(file.name)} | {', '.join(file.formats)} | {file.step} | {file.date[:10]} | {file.dtype} | "
        f"{file.bytes / 1e6:,.1f} MB | {escaped(file.licence)} |"
        for file in files
    ]
    return [
        "## Files",
        "",
        "| file | format | step | trained | numbers | size | licence |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *rows,
        "",
        "The base's own licence holds too.",
        "",
    ]


def _tools(facts: Facts, files: Sequence[Exported], pipeline: str) -> list[str]:
    lines = ["## In other tools", ""]
    kohya = next((file for file in files if "kohya" in file.formats or "comfyui" in file.formats), None)
    if facts.base.name == "demo":
        lines += [
            "A1111, Forge and ComfyUI read this layout, but not the demo's little base; use diffusers.",
            "",
        ]
    elif kohya:
        stem = kohya.name.removesuffix(".safetensors")
        programs = " and ".join(FACTS[facts.family].prompt_tools)
        lines += [
            f"**{programs}:** put {escaped(kohya.name)} into models/Lora and write in the prompt:",
            "",
            fenced(f"{example_prompt(facts)} <lora:{stem}:0.7>"),
            "",
            f"**ComfyUI:** put {escaped(kohya.name)} into models/loras and load it with Load LoRA, strength 0.7.",
            "",
        ]
    file = next((file for file in files if "diffusers" in file.formats), kohya)
    if file:
        code = [
            *_opening(facts, pipeline),
            f'pipe.load_lora_weights({json.dumps(file.name)}, adapter_name="trained")',
            'pipe.set_adapters("trained", adapter_weights=0.7)',
            f'pipe({json.dumps(example_prompt(facts))}).images[0].save("picture.png")',
        ]
        lines += ["**diffusers:**", "", fenced("\n".join(code), "python"), ""]
    return lines


def _opening(facts: Facts, pipeline: str) -> list[str]:
    """Python lines that open the base."""
    base, place = facts.base, _place(facts)
    if base.companion:  # one file with the denoiser only
        part, others = FACTS[facts.family].denoiser, FACTS[facts.family].companion
        index = json.loads((base.configs / "model_index.json").read_text("utf-8"))
        kind = str(index[part][1])
        return [
            f"from diffusers import {pipeline}, {kind}",
            "",
            f"{part} = {kind}.from_single_file({place})",
            f"pipe = {pipeline}.from_pretrained({json.dumps(others)}, {part}={part})",
        ]
    opening = "from_single_file" if base.layout == "file" else "from_pretrained"
    demo = ["from engine.demo import BASE_DIR  # of Safelight"] if base.name == "demo" else []
    return [f"from diffusers import {pipeline}", *demo, "", f"pipe = {pipeline}.{opening}({place})"]


def _training(facts: Facts, files: Sequence[Exported]) -> list[str]:
    spec = facts.spec
    regularization = f", {facts.regularization} of the general category" if facts.regularization else ""
    return [
        "## Where it comes from",
        "",
        f"- Base: {escaped(facts.base.name)}, fingerprint {facts.base.fingerprint}",
        f"- Data: {facts.subject} pictures of the subject{regularization}, fingerprint {facts.data_fingerprint}",
        f"- Training: a run of {spec.train.steps or facts.step} steps, {OPTIMIZERS[spec.train.optimizer].called}, "
        f"learning rate {spec.train.learning_rate:g} ({spec.train.schedule}), "
        f"batch {slots_a_step(spec)}, resolution {', '.join(map(str, spec.train.resolution))}, "
        f"seed {spec.train.seed}",
        *_quantised(facts, files),
        f"- Adapter: rank {facts.rank}, alpha {facts.alpha:g}{_of_encoder(spec)}",
        f"- Settings: sha256 {facts.settings_digest} of the run's spec.toml",
        "",
    ]


def _of_encoder(spec: RunSpec) -> str:
    if not spec.adapter.text_encoder:
        return ""
    rate = spec.train.text_encoder_learning_rate or spec.train.learning_rate
    return f", on the text encoder too, that with learning rate {rate:g}"


def _quantised(facts: Facts, files: Sequence[Exported]) -> list[str]:
    kind = facts.spec.train.quantize
    if kind == "none":
        return []
    told = f"- Quantised: it was trained on the base in {kind}, and checked here on the whole base"
    newest = files[0] if files else None
    if newest is None or newest.quantized_difference is None:
        return [f"{told}; how far the two differ was not measured"]
    return [
        f"{told}: the prediction of step {newest.step} differs between the two by {newest.quantized_difference:.1e} "
        f"relative, and the adapter itself moves it by {newest.effect:.1e}"
    ]


def _checked(files: Sequence[Exported]) -> list[str]:
    rows = [
        f"| {escaped(file.name)} | {file.keys} | {file.unmatched} | {file.difference:.1e} | {file.layer_difference:.1e} | "
        f"{file.effect:.1e} |"
        for file in files
    ]
    return [
        "## How it was checked",
        "",
        "Each file was loaded by diffusers' own loader into a fresh copy of the base and compared with the trained adapter "
        f"at three timesteps, computed in fp32. Files in fp32 must agree to {LIMIT:.0e} relative; in half precision the "
        "difference is stated.",
        "",
        "| file | tensors | unmatched | prediction differs by | a layer at most by | the adapter itself moves it by |",
        "| --- | --- | --- | --- | --- | --- |",
        *rows,
        "",
    ]
