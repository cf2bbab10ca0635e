"""alpha of an adapter whose tensors do not say it: in a checkpoint's header, in diffusers' metadata, in peft's config.

Nowhere said means scale 1, as diffusers, ComfyUI and A1111 have it.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.export.peft_keys import CONFIG_KEY
from projects.problems import refuse

_PEFT = "base_model.model."
_UNREAD = ("use_dora", "lora_bias", "alora_invocation_tokens")
"""Settings of peft that make an adapter something else."""


@dataclass(frozen=True, kw_only=True)
class Alphas:
    """alpha of each layer."""

    common: float | None = None
    """None: as the rank is, scale 1."""
    special: Mapping[str, float] = field(default_factory=dict)
    """End of a module path -> its alpha."""
    by_root: bool = False
    """Whether the effect is alpha / sqrt(rank) (rsLoRA)."""

    @classmethod
    def of(cls, metadata: Mapping[str, str], path: Path, component: str, names: Sequence[str]) -> "Alphas":
        """What the file at `path` says, or peft's config beside it. Raises Refused where it cannot be read, or is needed
        and not there."""
        if metadata.get("format") == "safelight-1":
            return cls._from({"lora_alpha": metadata.get("alpha")}, f"{path}: alpha")
        if CONFIG_KEY in metadata:
            where = f"{path}: {CONFIG_KEY}"
            config = _json(metadata[CONFIG_KEY], where)
            begin = f"{component}."
            own = {key.removeprefix(begin): value for key, value in config.items() if key.startswith(begin)}
            return cls._from(own, where)
        if any(name.startswith(_PEFT) for name in names):
            beside = path.with_name("adapter_config.json")
            try:
                text = beside.read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                raise refuse(
                    "peft writes alpha into a file beside the adapter, and that one cannot be read.",
                    where=beside,
                    hint="Put adapter_config.json back beside it: without alpha it would act too strongly or too weakly.",
                ) from None
            return cls._from(_json(text, beside), beside)
        return cls()

    @classmethod
    def _from(cls, config: Mapping[str, Any], where: object) -> "Alphas":
        unread = [word for word in _UNREAD if config.get(word)]
        if unread:
            raise refuse(f"The adapter uses {', '.join(unread)}, which is not read here.", where=where)
        try:
            common = config.get("lora_alpha")
            special = {
                _literal(key): _number(value) for key, value in (config.get("alpha_pattern") or {}).items()
            }
            return cls(
                common=None if common is None else _number(common),
                special=special,
                by_root=bool(config.get("use_rslora")),
            )
        except (ValueError, TypeError, AttributeError, OverflowError):
            raise refuse("The adapter's alpha cannot be read.", where=where) from None

    def alpha_of(self, paths: Sequence[str], rank: int) -> float:
        """alpha of the layer that has these paths, here and in files of other tools, so that its scale is alpha / rank."""
        ends = [key for key in self.special if any(f".{path}".endswith(f".{key}") for path in paths)]
        alpha = self.special[ends[0]] if ends else self.common
        if alpha is None:
            return float(rank)
        return alpha * math.sqrt(rank) if self.by_root else alpha


def _json(text: str, where: object) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise refuse("The adapter's configuration in the file cannot be read.", where=where)
    return config


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or number == 0:
        raise ValueError(value)
    return number


def _literal(key: str) -> str:
    """A module path of peft's pattern: a pattern from a file is never run."""
    bare = key.removeprefix("^").removesuffix("$").replace("\\.", ".")
    if not re.fullmatch(r"[\w.]+", bare):
        raise ValueError(key)
    return bare
