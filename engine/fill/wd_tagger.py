"""WD Tagger (SmilingWolf's v3 and its like): tags with scores from model.onnx, read by onnxruntime. It needs no torch.

Preparation as the model was trained: laid on white, padded to a square with white, bicubic to the model's side, BGR,
0 to 255 as fp32, height x width x channels.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from engine.fill.method import Opened, OutOfMemory
from engine.fill.texts import chosen, read_tags
from projects.captioners import TAGGER, missing_packages
from projects.problems import Refused, refuse
from projects.spec import FillJob

_WHITE: Final = (255, 255, 255)
_AGAIN: Final = "Download the model again, or name another one."


def load(folder: Path, kind: str, job: FillJob) -> Opened:
    """Open model.onnx. `kind` is not needed."""
    if missing := missing_packages("wd-tagger"):
        raise Refused(missing)
    import onnxruntime  # of an extra

    file = folder / TAGGER[0]
    tags = read_tags(folder / TAGGER[1])
    # The names of what there is, so that a package without CUDA is no warning.
    there = onnxruntime.get_available_providers()
    cuda = job.device == "auto" and "CUDAExecutionProvider" in there
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session: Any = onnxruntime.InferenceSession(
            str(file),
            options,
            providers=[*(["CUDAExecutionProvider"] if cuda else []), "CPUExecutionProvider"],
        )
    except Exception as error:  # onnxruntime has an exception of its own for each of a dozen ways
        reason = " ".join(str(error).split())[:200]
        raise refuse(f"The model cannot be opened: {reason}", where=file, hint=_AGAIN) from error
    given = session.get_inputs()[0]
    side, many = _shape(file, given.shape, session.get_outputs()[0].shape, len(tags))

    def ask(pictures: Sequence[Image.Image], seed: int) -> list[str]:
        batch = np.stack([prepared(picture, side) for picture in pictures])
        try:
            scores = np.asarray(session.run(None, {given.name: batch})[0], np.float32)
        except Exception as error:
            if "alloc" in str(error).lower() and "fail" in str(error).lower():
                raise OutOfMemory from error
            raise
        if scores.shape != (len(pictures), len(tags)) or not bool(((scores >= 0) & (scores <= 1)).all()):
            raise ValueError("what the model gives are no scores from 0 to 1, one a tag")
        return [chosen(tags, [float(score) for score in row], job) for row in scores]

    uses = session.get_providers()[0]
    return Opened(ask=ask, device="cuda" if uses == "CUDAExecutionProvider" else "cpu", most=many)


def prepared(picture: Image.Image, side: int) -> np.ndarray:
    """The picture as the model reads it: (side, side, 3), BGR, fp32 from 0 to 255."""
    longest = max(picture.size)
    square = Image.new("RGB", (longest, longest), _WHITE)
    square.paste(picture, ((longest - picture.width) // 2, (longest - picture.height) // 2))
    if longest != side:
        square = square.resize((side, side), Image.Resampling.BICUBIC)
    return np.ascontiguousarray(np.asarray(square, np.float32)[:, :, ::-1])


def _shape(file: Path, given: Sequence[object], told: Sequence[object], tags: int) -> tuple[int, int]:
    """Side of the pictures and how many at once, from the shapes of input and output."""
    fits = len(given) == 4 and given[3] == 3 and isinstance(given[1], int) and given[1] == given[2]
    if not fits or (isinstance(told[-1], int) and told[-1] != tags):
        error = (
            f"This is no WD Tagger with {tags} tags: it takes {list(given)} and gives {list(told)}, "
            f"where [n, side, side, 3] and [n, {tags}] are wanted."
        )
        raise refuse(error, where=file, hint="model.onnx and selected_tags.csv must be of one model.")
    assert isinstance(given[1], int)
    return given[1], given[0] if isinstance(given[0], int) else 64
