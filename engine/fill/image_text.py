"""Any model that transformers asks with a picture and a text: Florence-2, JoyCaption (LLaVA), Qwen-VL and their like.

Where the model has a chat template, the prompt is one turn of a user's with the picture in front; else it is given as it
stands, as Florence-2 wants its <MORE_DETAILED_CAPTION>.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from PIL import Image
from transformers import AutoModelForImageTextToText
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from engine.fill.generate import device_of, generate, load_model, load_processor
from engine.fill.method import Opened
from projects.problems import refuse
from projects.spec import FillJob

PROMPT: Final = (
    "Describe this photograph for a caption, in one paragraph: the subject, clothing, place, light and framing. "
    "No introduction."
)
PROMPTS: Final[Mapping[str, str]] = {
    "florence2": "<MORE_DETAILED_CAPTION>",
    "paligemma": "caption en",
    "blip": "",
    "blip-2": "",
    "git": "",
}
"""What models of a kind are asked where nobody said, that were taught words of their own."""

LARGEST: Final = 1536 * 1536
"""Pixels. Models that read a picture in its own size take a token for every few pixels: a larger one is scaled down."""


def load(folder: Path, kind: str, job: FillJob) -> Opened:
    """Open the model by the class that transformers has for its kind."""
    _refuse_unknown(folder, kind)
    processor = load_processor(folder)
    text, options = asked(processor, job.prompt or PROMPTS.get(kind, PROMPT), folder)
    model = load_model(folder, AutoModelForImageTextToText, job)

    def ask(pictures: Sequence[Image.Image], seed: int) -> list[str]:
        # A list a picture: some processors take a flat list for several pictures of one text.
        images = [[smaller(picture)] for picture in pictures]
        inputs = _inputs(processor, images, [text] * len(images), options)
        return generate(model, processor, inputs, job, seed)

    return Opened(ask=ask, device=device_of(job).type, most=64)


def asked(processor: Any, prompt: str, folder: Path) -> tuple[str, dict[str, Any]]:
    """The text that the model is given, and options for the tokenizer. Raises Refused where a picture has no place."""
    if not getattr(processor, "chat_template", None):
        return prompt, {}
    text = _turn(processor, prompt, folder)
    begin = processor.tokenizer.bos_token
    # The template has written it already; twice is what no model was taught on.
    return text, {"add_special_tokens": False} if begin and text.startswith(begin) else {}


def _turn(processor: Any, prompt: str, folder: Path) -> str:
    """The prompt as a user's turn. Templates differ in how they take the picture, so it is looked for in what they make."""
    words = {"type": "text", "text": prompt}
    whole = _rendered(processor, [{"type": "image"}, words])
    without = _rendered(processor, [words])
    if whole is not None and whole != without and prompt in whole and "'type'" not in whole:
        return whole
    marks = [getattr(processor, name, None) for name in ("image_token", "boi_token")]
    plain = _rendered(processor, prompt)
    if plain is not None and prompt in plain:
        if any(isinstance(mark, str) and mark in plain for mark in marks):
            return plain
        if isinstance(marks[0], str) and (marked := _rendered(processor, f"{marks[0]}\n{prompt}")):
            return marked
    hint = "Name a model that is made for pictures, with the processor it was published with."
    raise refuse("The model's chat template has no place for a picture.", where=folder, hint=hint)


def _rendered(processor: Any, content: Any) -> str | None:
    """The template's text of one turn; None where it refuses."""
    try:
        text = processor.apply_chat_template(
            [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
        )
    except Exception:  # jinja and templates raise what they like at a form they do not know
        return None
    return text if isinstance(text, str) else None


def _inputs(
    processor: Any, images: list[list[Image.Image]], texts: list[str], options: dict[str, Any]
) -> Any:
    """Tensors of pictures and texts."""
    given = {"text": texts, "return_tensors": "pt", "padding": True, **options}
    try:
        return processor(images=images, **given)
    except (TypeError, ValueError, AttributeError):
        return processor(images=[image for (image,) in images], **given)


def smaller(picture: Image.Image) -> Image.Image:
    """The picture, scaled down to at most `LARGEST` pixels."""
    pixels = picture.width * picture.height
    if pixels <= LARGEST:
        return picture
    scale = (LARGEST / pixels) ** 0.5
    size = (max(1, int(picture.width * scale)), max(1, int(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _refuse_unknown(folder: Path, kind: str) -> None:
    """Refuse kinds that only code of the model's own would open, and those that do not describe pictures."""
    if kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return
    brings = "auto_map" in json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if kind in CONFIG_MAPPING_NAMES:
        error = f"A {kind} model does not write about pictures."
        hint = "Name one that does: florence-community/Florence-2-base, Qwen/Qwen2.5-VL-3B-Instruct."
    elif brings:
        named = kind or "of no named kind"
        error = (
            f"The model ({named}) brings code of its own, and running that is running a stranger's program."
        )
        hint = "Use a version that transformers knows itself (often published with -hf or by a -community)."
    else:
        error = f"The installed transformers does not know models of the kind {kind or 'that the config does not name'}."
        hint = "Install a newer transformers, or name another model."
    raise refuse(error, where=folder, hint=hint)
