"""From checkpoints to the pipeline folder, and the sheet that judges it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import DPMSolverMultistepScheduler
from PIL import Image

from engine.demo import NATIVE_SIZE, NEGATIVE_PROMPT
from engine.demo.captions import caption
from engine.demo.data import load_pictures
from engine.demo.parts import load_pipeline, make_text_encoders, make_unet, make_vae, write_base
from engine.demo.pretrain import load_average, read_state
from engine.demo.sheets import contact_sheet
from engine.demo.tokenizer import load_tokenizer
from engine.demo.vae_stage import clean_held_out, latent_scale, psnr, rebuild, to_pictures
from engine.demo.world import Picture, Scene, draw_scene, generator
from projects.atomic import write_text

SHEET_PICTURES = 40
SCALE_PICTURES = 2048
GUIDANCE, SAMPLER_STEPS = 3.0, 25


def trained_vae(data: Path, work: Path) -> Any:
    """The averaged autoencoder of `work`, its `scaling_factor` measured on the pretraining pictures."""
    vae = make_vae()
    load_average(work / "vae", {"vae": vae})
    vae.eval().requires_grad_(False)
    vae.register_to_config(
        scaling_factor=round(latent_scale(vae, load_pictures(data, "picture")[:SCALE_PICTURES]), 5)
    )
    return vae


def assemble(data: Path, work: Path, base: Path) -> str:
    """Write the base from the averages in `work`; parts that are not trained yet stay random. Returns a summary."""
    torch.manual_seed(0)
    tokenizer = load_tokenizer(work / "tokenizer")
    unet, encoders = make_unet(), make_text_encoders(tokenizer)
    vae = trained_vae(data, work) if read_state(work / "vae") else make_vae()
    if read_state(work / "unet"):
        load_average(work / "unet", {"unet": unet, "first": encoders[0], "second": encoders[1]})
    write_base(base, work / "tokenizer", vae, unet, encoders)
    size = sum(file.stat().st_size for file in base.rglob("*") if file.is_file())
    summary = f"{base}: {size / 1e6:.2f} MB"
    if read_state(work / "vae"):
        pictures = clean_held_out(data)
        stored = load_pipeline(base).vae  # as it ships: half-precision weights
        reached = psnr(pictures, rebuild(stored, pictures))
        unknown = psnr(strangers(), rebuild(stored, strangers()))
        figures = {"psnr_held_out_db": round(reached, 2), "psnr_unknown_subjects_db": round(unknown, 2)}
        write_text(work / "figures.json", json.dumps(figures, indent=2) + "\n")
        summary += f", autoencoder {reached:.2f} dB held-out, {unknown:.2f} dB on unknown subjects"
    return summary


def strangers() -> Picture:
    """(24, 64, 64, 3): subjects that the base never sees."""
    from engine.demo.project import toadstool_picture

    return toadstool_picture(24)


def sheet_scenes(seed: int, count: int = SHEET_PICTURES) -> list[tuple[Scene, str]]:
    """Scenes and captions of the judging sheet: subject and colour always named."""
    rows = []
    for index in range(count):
        rng = generator(seed, "sheet", index)
        scene = draw_scene(rng)
        rows.append((scene, caption(scene, rng, named=True)))
    return rows


def make_pictures(
    base: Path, prompts: list[str], seeds: list[int], negative: str | None = NEGATIVE_PROMPT, batch: int = 20
) -> Picture:
    """(n, 64, 64, 3): one picture a prompt, DPM++ 2M Karras, the demo's guidance; deterministic by seed."""
    pipeline = load_pipeline(base)
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(
        pipeline.scheduler.config, use_karras_sigmas=True
    )
    made = []
    for start in range(0, len(prompts), batch):
        block = prompts[start : start + batch]
        result = pipeline(
            block,
            negative_prompt=[negative] * len(block) if negative else None,
            width=NATIVE_SIZE,
            height=NATIVE_SIZE,
            num_inference_steps=SAMPLER_STEPS,
            guidance_scale=GUIDANCE,
            generator=[torch.Generator().manual_seed(seed) for seed in seeds[start : start + batch]],
            output_type="pt",
        )
        made.append(result.images * 2 - 1)
    return to_pictures(torch.cat(made))


def caption_sheet(base: Path, seed: int = 0, labelled: bool = True) -> Image.Image:
    """40 pictures by seed with the subject always named, five rows of eight."""
    rows = sheet_scenes(seed)
    pictures = make_pictures(base, [text for _, text in rows], list(range(len(rows))))
    return contact_sheet(list(pictures), 8, [text for _, text in rows] if labelled else None)
