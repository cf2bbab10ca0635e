"""Libraries that only some settings need: looked for without importing them, and named by the extra that brings them."""

import importlib.util

from projects.problems import Problem
from projects.spec import RunSpec


def missing_for(spec: RunSpec) -> list[Problem]:
    """What the spec's settings need beyond the extra `train` and this Python lacks."""
    kind = spec.train.quantize
    if kind == "none" or importlib.util.find_spec("bitsandbytes") is not None:
        return []
    return [
        Problem(
            error=f'train.quantize = "{kind}" needs bitsandbytes, which is not installed here.',
            where="project.toml: train.quantize",
            hint='Install Safelight with the extra bnb, pip install "safelight[train,bnb]", or write "none".',
        )
    ]
