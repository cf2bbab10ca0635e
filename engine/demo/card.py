"""The model card, engine/demo/base/README.md, from what the checkpoints and the weight files say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import safe_open

from engine.demo import NEGATIVE_PROMPT
from engine.demo.data import ARBITRARY, HELD_OUT, PICTURES
from engine.demo.parts import BETA_END, BETA_START
from engine.demo.pretrain import read_state
from engine.demo.world import BACKDROPS, COLOURS, LIGHTS, SHOTS, SUBJECTS
from projects.atomic import write_text

_PARTS = (
    ("UNet2DConditionModel", "unet", "diffusion_pytorch_model.safetensors"),
    ("AutoencoderKL", "vae", "diffusion_pytorch_model.safetensors"),
    ("CLIPTextModel", "text_encoder", "model.safetensors"),
    ("CLIPTextModelWithProjection", "text_encoder_2", "model.safetensors"),
)


def write_card(work: Path, base: Path, named: int | None, reader: str, machine: str) -> None:
    """Write the card into `base`; `named` is how many subjects of 40 on the sheet `reader` could name."""
    text = card_text(work, base, named, reader, machine)
    write_text(base / "README.md", text)


def _parts_table(base: Path) -> str:
    rows = ["| part | weights | file |", "|---|---|---|"]
    for label, folder, file in _PARTS:
        path = base / folder / file
        with safe_open(str(path), "pt") as weights:
            count = sum(weights.get_tensor(name).numel() for name in weights.keys())  # noqa: SIM118  (no iterator)
        rows.append(f"| {label} | {count:,} | {path.stat().st_size / 1e6:.2f} MB |")
    total = sum(
        file.stat().st_size for file in base.rglob("*") if file.is_file() and file.name != "README.md"
    )
    rows.append(f"| everything, two tokenizers included | | {total / 1e6:.2f} MB |")
    return "\n".join(rows)


def _stage_row(state: dict[str, Any] | None, name: str, batch: str) -> str:
    if state is None:
        return f"| {name} | not trained | | | | |"
    plan, minutes = state["plan"], state["seconds"] / 60
    return f"| {name} | {state['step']:,} | {batch} | {plan['peak_rate']:g} | {plan['seed']} | {minutes:.0f} min |"


def card_text(work: Path, base: Path, named: int | None, reader: str, machine: str) -> str:
    """The card as Markdown."""
    figures: dict[str, float] = {}
    if (work / "figures.json").exists():
        figures = json.loads((work / "figures.json").read_text(encoding="utf-8"))
    count = "not counted" if named is None else f"{named} of 40 ({reader})" if reader else f"{named} of 40"
    vae = _stage_row(
        read_state(work / "vae"), "autoencoder", "8 pictures, or 32 crops of 32x32 in the first 45 %"
    )
    unet = _stage_row(read_state(work / "unet"), "denoiser and text encoders", "32")
    return f"""# The embedded demo base

A Stable Diffusion XL in small: the same kinds of networks, keys, conditioning and files, trained from nothing on a
made-up world of still-life pictures of 64x64 pixels. It is there to try out and test fine-tuning within minutes and
without a network. It is not good for anything else.

    StableDiffusionXLPipeline.from_pretrained(BASE_DIR)      # no arguments needed; 64x64

## Parts

{_parts_table(base)}

Weights are stored in half precision and load as float32. Noise schedule: scaled linear, beta {BETA_START} to {BETA_END},
1000 steps, epsilon, trailing; Euler by default. Empty prompts are zeros (`force_zeros_for_empty_prompt`).
Latents are scaled by `scaling_factor` in vae/config.json; a latent pixel covers 4x4 pixels (in SDXL 8x8).

## The world

- Subjects: {", ".join(SUBJECTS)} ("rubber duck").
  Handles to the right, spout and beak to the left, always.
- Colours: {", ".join(COLOURS)}; sometimes striped.
- Backdrops: {", ".join(BACKDROPS)}. Lights: {", ".join(LIGHTS)}.
  Distances: {", ".join(SHOTS)}.
- Captions name these in varied wording and order, with parts missing; some name no object, some hold invented words.
- Negative prompt: "{NEGATIVE_PROMPT}". One picture in twenty-two was spoilt in one of
  these ways and captioned so.
- `time_ids` are true: originals of 40 to 128 pixels, some of other ratios with real crop offsets, target 64x64.

## Training

{PICTURES:,} rendered pictures (seed 0), {ARBITRARY:,} of arbitrary shapes for the autoencoder only, {HELD_OUT} held out.

| stage | steps | batch | peak rate | seed | time |
|---|---|---|---|---|---|
{vae}
{unet}

AdamW (0.9, 0.99), cosine tail, averaged weights, bfloat16 autocast. The denoiser: min-SNR 5, 8 % of the captions
replaced by zeros, 3 % empty.
{machine}

To do it again: `python -m engine.demo data`, then `tokenizer`, `vae`, `unet`, `assemble`, `sheet`, `card`. Every
stage can be killed at any time and goes on from its last checkpoint.

## Figures

- Autoencoder, as stored: {figures.get("psnr_held_out_db", "?")} dB on held-out pictures without faults,
  {figures.get("psnr_unknown_subjects_db", "?")} dB on a subject it never saw.
- 40 captions by seed 0, subject always named (`python -m engine.demo sheet`): subject recognised in
  {count}.

## Limits

- It knows nine things and some light. Any other word means nothing to it.
- 64x64 pixels. 80x80 holds; at 96 the object often stands there twice, at 48 parts of it are missing.
- Coloured light changes colours as in a photograph: a teal wall is green at golden hour, white is blue by moonlight.
- Looked at with guidance 2 to 7, the negative prompt and 25 steps of DPM++ 2M Karras or Euler: 3 is natural, 7 is
  contrasty. Without the negative prompt edges are softer and backdrops mottled. Small flowers, stripes on candles and
  distant teapots are the weakest; a distant duck can come out as two lumps.

## Licence

The pictures were rendered by this project's own code; no photograph, no other model and no person is in them. The
weights are under the same terms as the code they ship with.
"""
