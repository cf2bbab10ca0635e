"""`__metadata__` of an exported file: what other tools show, and what Safelight says of where the adapter comes from.

`ss_*` is what A1111, Forge and sd-scripts read; `modelspec.*` is the model metadata standard 1.0.1; `safelight.*` is
documented in docs/files.md. Values are strings, an empty one is left out.
"""

import json
from collections.abc import Mapping

from torch import Tensor

from engine.container import body_digest, legacy_digest
from engine.export.facts import Facts
from engine.export.formats import Content
from projects.optimizers import OPTIMIZERS


def metadata_of(facts: Facts, content: Content, model_spec: Mapping[str, str]) -> dict[str, str]:
    """All of it for one file, hashes included. `model_spec` is the family's."""
    told = {
        **_training(facts, content.alpha),
        **model_spec,
        **_model_spec(facts),
        **_safelight(facts),
        **content.metadata,
    }
    told = {key: value for key, value in told.items() if value}
    return told | _hashes(content.tensors, told)


def _training(facts: Facts, alpha: float) -> dict[str, str]:
    """What sd-scripts writes. ss_tag_frequency holds the trigger alone: captions stay at home."""
    spec, side = facts.spec, max(facts.spec.train.resolution)
    return {
        "ss_output_name": facts.stem,
        "ss_sd_model_name": facts.base.name,
        "ss_v2": "False",
        "ss_resolution": f"({side}, {side})",
        "ss_clip_skip": "None" if facts.base.clip_skip is None else str(facts.base.clip_skip),
        "ss_num_train_images": str(facts.images),
        "ss_num_reg_images": str(facts.regularization),
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(facts.rank),
        "ss_network_alpha": str(alpha),
        "ss_network_args": "{}",
        "ss_steps": str(facts.step),
        "ss_max_train_steps": str(spec.train.steps or facts.step),
        "ss_learning_rate": str(spec.train.learning_rate),
        "ss_text_encoder_lr": str(spec.train.text_encoder_learning_rate or ""),
        "ss_lr_scheduler": spec.train.schedule,
        "ss_optimizer": OPTIMIZERS[spec.train.optimizer].path,
        "ss_seed": str(spec.train.seed),
        "ss_tag_frequency": json.dumps(facts.triggers, sort_keys=True) if facts.triggers else "",
        "ss_training_started_at": "" if facts.started is None else str(facts.started),
    }


def _model_spec(facts: Facts) -> dict[str, str]:
    spec, side = facts.spec, max(facts.spec.train.resolution)
    pictures = f"{facts.subject} picture{'s' if facts.subject != 1 else ''}"
    return {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.title": spec.name or facts.stem,
        "modelspec.resolution": f"{side}x{side}",
        "modelspec.date": facts.date,
        "modelspec.license": facts.licence,
        "modelspec.trigger_phrase": spec.trigger,
        "modelspec.prediction_type": facts.base.objective,
        "modelspec.description": f"LoRA for {facts.base.name}, trained on {pictures} with Safelight.",
    }


def _safelight(facts: Facts) -> dict[str, str]:
    return {
        "safelight.format": "1",
        "safelight.version": facts.version,
        "safelight.generated_by": f"Safelight {facts.version}",
        "safelight.family": facts.family,
        "safelight.step": str(facts.step),
        "safelight.rank": str(facts.rank),
        "safelight.alpha": str(facts.alpha),
        "safelight.base": facts.base.name,
        "safelight.base_fingerprint": facts.base.fingerprint,
        "safelight.quantize": "" if facts.spec.train.quantize == "none" else facts.spec.train.quantize,
        "safelight.data_fingerprint": facts.data_fingerprint,
        "safelight.settings_digest": facts.settings_digest,
        "safelight.licence": facts.licence,
    }


def _hashes(tensors: Mapping[str, Tensor], told: Mapping[str, str]) -> dict[str, str]:
    digest = body_digest(tensors)
    return {
        "sshs_model_hash": digest,
        "sshs_legacy_hash": legacy_digest(tensors, told),
        "modelspec.hash_sha256": f"0x{digest}",
    }
