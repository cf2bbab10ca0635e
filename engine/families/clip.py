"""CLIP as the families read it: one text at a time, padded to 77 tokens."""

from typing import Any

from torch import Tensor, nn


def encoded(tokenizer: Any, model: nn.Module, text: str) -> Any:
    """The model's whole output for one text, hidden states included, with a batch axis of 1."""
    return model(padded_ids(tokenizer, model, text), output_hidden_states=True)


def padded_ids(tokenizer: Any, model: nn.Module, text: str) -> Tensor:
    """(1, window), on the model's device: the text's tokens, cut and padded at the tokenizer's own window. T5's too."""
    tokens = tokenizer(
        text,
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    )
    ids: Tensor = tokens.input_ids
    return ids.to(next(model.parameters()).device)


def layer(model: Any, output: Any, clip_skip: int) -> Tensor:
    """(77, D): the hidden states of that layer from the end, in A1111's counting, through the final layer norm.

    1 is the last layer, as the model itself gives it. diffusers counts one less, and has no norm in between to skip.
    """
    if clip_skip == 1:
        return output.last_hidden_state[0]
    hidden: Tensor = output.hidden_states[-clip_skip][0]
    # transformers had the encoder inside `text_model` before 5.6.
    return getattr(model, "text_model", model).final_layer_norm(hidden)


def on_cpu(tensor: Tensor) -> Tensor:
    """As conditions are kept: fp32, in the CPU's memory."""
    return tensor.float().cpu()
