"""CLIP as the families read it: texts padded to 77 tokens each."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn


def encoded(tokenizer: Any, model: nn.Module, texts: str | Sequence[str]) -> Any:
    """The model's whole output for one or several texts, hidden states included, with a batch axis."""
    return model(padded_ids(tokenizer, model, texts), output_hidden_states=True)


def padded_ids(tokenizer: Any, model: nn.Module, texts: str | Sequence[str]) -> Tensor:
    """(B, window), on the model's device: tokens of the texts, cut and padded at the tokenizer's own window. T5's too."""
    tokens = tokenizer(
        texts if isinstance(texts, str) else list(texts),
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    )
    ids: Tensor = tokens.input_ids
    return ids.to(next(model.parameters()).device)


def layer(model: Any, output: Any, clip_skip: int) -> Tensor:
    """(B, 77, D): the hidden states of that layer from the end, in A1111's counting, through the final layer norm.

    1 is the last layer, as the model itself gives it. diffusers counts one less, and has no norm in between to skip.
    """
    if clip_skip == 1:
        hidden: Tensor = output.last_hidden_state
        return hidden
    normed: Tensor = model.final_layer_norm(output.hidden_states[-clip_skip])
    return normed


def unread(model: Any, clip_skip: int) -> tuple[str, ...]:
    """Patterns of the layers behind the one that `layer` reads."""
    layers = len(model.encoder.layers)
    return tuple(f"encoder.layers.{number}.*" for number in range(layers - clip_skip + 1, layers))


def checkpoint_layers(model: Any) -> None:
    """Compute the layers' activations again in the backward pass instead of keeping them."""
    # transformers renamed it in 5.x. Re-entrant checkpoints would cut the hidden states off from their gradient.
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    enable({"use_reentrant": False})


def on_cpu(tensor: Tensor) -> Tensor:
    """As conditions are kept: fp32, in the CPU's memory."""
    return tensor.float().cpu()
