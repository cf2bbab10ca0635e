"""The embedded demo base: a little SDXL-shaped model, the world it was trained on, and the code that trained it.

Importing this package is cheap: nothing of torch is loaded. ``python -m engine.demo --help`` lists what it can do.
"""

from pathlib import Path

BASE_DIR: Path = Path(__file__).resolve().parent / "base"
"""Folder of the base model in the diffusers layout; `StableDiffusionXLPipeline.from_pretrained(BASE_DIR)` loads it."""

NEGATIVE_PROMPT = "blurry, low quality, deformed, watermark"
"""The demo's negative prompt; the base was shown pictures of each of these faults under these words."""

NATIVE_SIZE = 64
"""Width and height in pixels that the base was trained at."""
