"""What of a text the encoders do not read: CLIP's window holds 77 tokens, its start and end marks among them."""

from collections.abc import Iterable

from engine.families.family import Base
from engine.families.weights import load_tokenizer

MARKS = 2


def unread_from(base: Base, texts: Iterable[str]) -> dict[str, int]:
    """Text -> index of its first character that is not read; texts that are read to their end are not in it."""
    tokenizer = load_tokenizer(base, "tokenizer")
    own = tokenizer.model_max_length - MARKS
    cuts = {}
    for text in texts:
        offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True).offset_mapping
        if len(offsets) > own:
            cuts[text] = offsets[own][0]
    return cuts
