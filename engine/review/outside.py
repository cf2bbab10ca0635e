"""A model that was made to compare pictures: SigLIP or CLIP, which read texts too, or DINOv2. From a folder or a hub id.

It looks where the base itself would look otherwise (inside.py), through the same interface. transformers loads it:
safetensors only, no code that comes with a model, and no network but for the download.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoTokenizer

from engine.desk import Desk, StopAsked
from engine.families import hub
from engine.families.digests import file_digest
from engine.review.eyes import Sight
from projects.bases import is_hub_id
from projects.captioners import lacking, wanted, weight_names
from projects.problems import Refused, refuse

VERSION: Final = "1"
WHERE: Final = "--judge"
_AT_ONCE: Final = 8
_AGAIN: Final = (
    "Download it again, complete, or name another: google/siglip2-base-patch16-224, facebook/dinov2-base."
)


@dataclass(frozen=True, kw_only=True)
class Outside:
    """A judge in memory."""

    source: str
    """As people call it: the hub id, or the folder's name."""
    digest: str
    """Of its weights."""
    model: Any
    processor: Any
    tokenizer: Any
    """None where it reads no texts."""

    @property
    def name(self) -> str:
        """Measure, version and weights."""
        return f"outside {VERSION} {self.digest}"

    @property
    def label(self) -> str:
        """What people are told of it."""
        return f"{self.model.config.model_type} {self.source}"

    @property
    def limits(self) -> str:
        """What it does not see."""
        return "How well it knows this kind of subject nobody has tried."

    @property
    def reads(self) -> bool:
        """Whether it can say how well a text explains a picture."""
        return self.tokenizer is not None

    @torch.no_grad()
    def features(self, sights: Sequence[Sight]) -> Tensor:
        """(N, D): embeddings of the pictures, each of length 1."""
        rows = []
        for start in range(0, len(sights), _AT_ONCE):
            pictures = [sight.picture() for sight in sights[start : start + _AT_ONCE]]
            inputs = self.processor(images=pictures, return_tensors="pt").to(self._device)
            rows.append(_unit(_pictured(self.model, inputs)))
        return torch.cat(rows).float().cpu()

    @torch.no_grad()
    def explained(self, sight: Sight, texts: Sequence[str]) -> list[float]:
        """1 less the cosine of picture and text. Raises ValueError for a judge that reads no texts."""
        if self.tokenizer is None:
            raise ValueError(f"{self.label} reads no texts")
        longest = self.model.config.text_config.max_position_embeddings
        # SigLIP was trained on texts padded to their full length, and reads others worse.
        told = self.tokenizer(
            list(texts), padding="max_length", max_length=longest, truncation=True, return_tensors="pt"
        ).to(self._device)
        read = self.model.get_text_features(input_ids=told["input_ids"])
        texts_ND = _unit(_pooled(read)).float().cpu()
        return [float(1 - value) for value in texts_ND @ self.features([sight])[0]]

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device


def open_outside(desk: Desk, source: str, project: Path) -> Outside:
    """The judge that `source` names: a folder, relative to the project, or a hub id, downloaded where it is not here.

    Raises Refused for what is no such model, and StopAsked in the middle of a download (what came stays).
    """
    desk.phase("opening the judge", quiet=3600)
    folder = project / Path(source).expanduser()
    name = folder.name if folder.is_dir() else source
    if not folder.is_dir():
        if not is_hub_id(source):
            raise refuse(
                "There is no such folder, and this is no hub id.", where=f"{WHERE} {source}", hint=_AGAIN
            )
        folder = _downloaded(desk, source)
    problems = lacking(folder)
    if problems:
        raise Refused([replace(problem, where=f"{WHERE} {source}: {problem.where}") for problem in problems])
    try:
        return _loaded(folder, name)
    except Exception as error:  # whatever a lying config or damaged tensors make transformers raise
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise refuse(
            f"This judge cannot be loaded: {words}.", where=f"{WHERE} {source}", hint=_AGAIN
        ) from error


def _downloaded(desk: Desk, source: str) -> Path:
    def on_progress(done: int, total: int) -> None:
        if desk.stop_asked:
            raise StopAsked
        desk.progress(f"downloading {source}, megabytes", -(-done // 1_000_000), -(-total // 1_000_000))

    return hub.download(
        source,
        "main",
        choose=wanted,
        check=lambda folder: None,
        on_progress=on_progress,
        where=(WHERE, WHERE),
    )


def _loaded(folder: Path, name: str) -> Outside:
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(str(folder), **local)
    model, report = AutoModel.from_pretrained(
        str(folder), dtype=torch.float32, use_safetensors=True, output_loading_info=True, **local
    )
    absent = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
    if absent:
        raise ValueError(
            f"{len(absent)} tensors are missing or of another shape than its config says, e.g. {absent[0]}"
        )
    reads = hasattr(model, "get_text_features") and hasattr(config, "text_config")
    digest = hashlib.sha256("".join(file_digest(folder / each) for each in weight_names(folder)).encode())
    return Outside(
        source=name, digest=digest.hexdigest()[:16], model=_placed(model),
        processor=AutoImageProcessor.from_pretrained(str(folder), backend="pil", **local),
        tokenizer=AutoTokenizer.from_pretrained(str(folder), **local) if reads else None,
    )  # fmt: skip


def _placed(model: nn.Module) -> nn.Module:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return model.eval().requires_grad_(False).to(device)


def _pictured(model: Any, inputs: Any) -> Tensor:
    if hasattr(model, "get_image_features"):
        return _pooled(model.get_image_features(pixel_values=inputs["pixel_values"]))
    return _pooled(model(pixel_values=inputs["pixel_values"]))


def _pooled(output: Any) -> Tensor:
    """One vector a picture or text, whatever the model calls it."""
    return output if isinstance(output, Tensor) else output.pooler_output


def _unit(rows_ND: Tensor) -> Tensor:
    return rows_ND / rows_ND.norm(dim=1, keepdim=True).clamp(min=1e-8)
