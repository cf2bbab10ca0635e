"""What one .safetensors file, as other tools publish bases, holds and lacks. Configs and vocabulary come with Safelight."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from projects.bases import CONFIGS_FOLDER
from projects.problems import Problem, Refused

CONFIGS = CONFIGS_FOLDER


def parts_in(
    file: Path, shapes: Mapping[str, tuple[int, ...]], inside: Mapping[str, str]
) -> Mapping[str, str]:
    """Parts of `inside` (a family's) -> what their names begin with in this file; "" where it has no such beginning.

    Raises Refused for every part that has no tensor in the file.
    """
    bare = not any(name.startswith(tuple(inside.values())) for name in shapes)
    if bare and len(inside) == 1:
        return dict.fromkeys(inside, "")
    missing = [part for part, prefix in inside.items() if not any(name.startswith(prefix) for name in shapes)]
    if missing:
        hint = "Take a version of the model with everything baked in, or its diffusers folder."
        raise Refused(
            [
                Problem(error=f"{file.name} has no {part} inside.", where=str(file), hint=hint)
                for part in missing
            ]
        )
    return dict(inside)


def scheduler_overrides(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """What a file's marker tensors say of its noise: `v_pred` is v prediction, `ztsnr` no signal at the last timestep."""
    overrides: dict[str, Any] = {}
    if "v_pred" in shapes:
        overrides["prediction_type"] = "v_prediction"
    if "ztsnr" in shapes:
        overrides |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    return overrides
