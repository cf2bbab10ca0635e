"""BLIP-2: a sentence about a picture, from nothing or going on from a beginning ("a photo of")."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from transformers import Blip2ForConditionalGeneration

from engine.fill.generate import device_of, generate, load_model, load_processor
from engine.fill.method import Opened
from projects.problems import refuse
from projects.spec import FillJob


def load(folder: Path, kind: str, job: FillJob) -> Opened:
    """Open a BLIP-2. A beginning that the job gives is no part of the draft."""
    processor = load_processor(folder)
    model = load_model(folder, Blip2ForConditionalGeneration, job)
    if model.config.image_token_index is None or not processor.num_query_tokens:
        hint = "Use a version of it that says image_token_index and num_query_tokens, as the one on the hub does."
        raise refuse(
            "This BLIP-2 does not say where the picture stands among the words.", where=folder, hint=hint
        )

    def ask(pictures: Sequence[Image.Image], seed: int) -> list[str]:
        inputs = processor(images=list(pictures), text=[job.prompt] * len(pictures), return_tensors="pt")
        return generate(model, processor, inputs, job, seed)

    return Opened(ask=ask, device=device_of(job).type, most=64)
