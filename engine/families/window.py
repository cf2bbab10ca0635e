"""What of a text the encoders do not read: their windows end, after 77 tokens with CLIP, its two marks among them."""

from collections.abc import Iterable

from engine.families.family import Base, Family

CLIP_WINDOW = 75
"""Tokens of one's own that CLIP reads."""


def unread_from(family: Family, base: Base, texts: Iterable[str]) -> dict[str, int]:
    """Text -> index of its first character that is not read; texts that are read to their end are not in it."""
    tokenizer, own = family.reads(base)
    cuts = {}
    for text in texts:
        offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True).offset_mapping
        if len(offsets) > own:
            cuts[text] = offsets[own][0]
    return cuts
