"""The base's tokenizer: CLIP's byte-level BPE with the world's own merges, about a thousand tokens.

transformers 5 writes only tokenizer.json when it saves a tokenizer, while other readers of this layout want
vocab.json and merges.txt: all three are written here.
"""

from __future__ import annotations

import json
import random
import re
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

from engine.demo.captions import caption
from engine.demo.faults import FAULTS
from engine.demo.world import draw_scene, generator
from projects.atomic import write_bytes, write_text

MERGES, LEAST_COUNT, CAPTIONS = 640, 20, 6000
START, END = "<|startoftext|>", "<|endoftext|>"
_EXTRA_WORDS = """portrait man woman person face cat dog bird figurine statue toy ceramic glass porcelain metal clay
painted pattern checker dots stars gold silver pink brown grey gray dark bright light soft hard shadow background
indoor outdoor table kitchen garden street city night day morning sunset neon style look grade colour color film analog
vintage faded contrast matte glossy blurry low quality bad deformed noisy watermark text the of and with in on at by
from his her its very tiny small big large round square tall short old new simple minimal modern rustic elegant
beautiful image picture drawing painting render""".split()  # noqa: SIM905  (a list of 90 quoted words reads worse)
"""Everyday words outside the world: they get tokens of their own, so that prompts of people stay short."""

_WORD = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+", re.IGNORECASE)


def byte_symbols() -> dict[int, str]:
    """The printable character that stands for each byte, as in GPT-2 and CLIP."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {byte: chr(byte) for byte in plain}
    for byte in range(256):
        table.setdefault(byte, chr(256 + len(table) - len(plain)))
    return table


def _word_counts() -> Counter[str]:
    rng = generator(0, "tokenizer")
    counts: Counter[str] = Counter()
    for _ in range(CAPTIONS):
        fault = rng.choice(FAULTS) if rng.random() < 0.05 else None
        counts.update(_WORD.findall(caption(draw_scene(rng), rng, fault).lower()))
    for word in _EXTRA_WORDS:
        counts[word] += 60
    return counts


def learn_merges(counts: Counter[str], limit: int = MERGES) -> list[tuple[str, str]]:
    """Byte pairs to merge, most frequent first; ties go to the pair that sorts first, so the result is fixed."""
    symbols = byte_symbols()
    spelled = {word: [symbols[byte] for byte in word.encode()] for word in sorted(counts)}
    for letters in spelled.values():
        letters[-1] += "</w>"
    merges: list[tuple[str, str]] = []
    while len(merges) < limit:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, letters in spelled.items():
            for pair in pairwise(letters):
                pairs[pair] += counts[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if pairs[best] < LEAST_COUNT:
            break
        merges.append(best)
        spelled = {word: _merge(letters, best) for word, letters in spelled.items()}
    return merges


def _merge(letters: list[str], pair: tuple[str, str]) -> list[str]:
    merged, i = [], 0
    while i < len(letters):
        if tuple(letters[i : i + 2]) == pair:
            merged.append(pair[0] + pair[1])
            i += 2
        else:
            merged.append(letters[i])
            i += 1
    return merged


def vocabulary(merges: list[tuple[str, str]]) -> dict[str, int]:
    """Token to number: 256 bytes, 256 bytes that end a word, the merges, start and end of text."""
    letters = list(byte_symbols().values())
    tokens = [*letters, *(letter + "</w>" for letter in letters), *(a + b for a, b in merges), START, END]
    return {token: number for number, token in enumerate(dict.fromkeys(tokens))}


def write_tokenizer(folder: Path) -> None:
    """Learn the tokenizer and write vocab.json, merges.txt, tokenizer.json and the configuration to `folder`."""
    from transformers import CLIPTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    merges = learn_merges(_word_counts())
    write_text(folder / "vocab.json", json.dumps(vocabulary(merges), ensure_ascii=False))
    write_text(folder / "merges.txt", "\n".join(["#version: 0.2", *(f"{a} {b}" for a, b in merges)]) + "\n")
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    config = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": 77,
        **special,
        "do_lower_case": True,
        "errors": "replace",
        "add_prefix_space": False,
    }
    write_text(folder / "tokenizer_config.json", json.dumps(config, indent=2) + "\n")
    write_text(folder / "special_tokens_map.json", json.dumps(special, indent=2) + "\n")
    built = CLIPTokenizer(
        vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"), model_max_length=77, **special
    )
    with tempfile.TemporaryDirectory() as temporary:
        built.save_pretrained(temporary)
        write_bytes(folder / "tokenizer.json", (Path(temporary) / "tokenizer.json").read_bytes())


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer in `folder` as a transformers `CLIPTokenizer`."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(str(folder))


def token_ids(tokenizer: Any, captions: list[str]) -> list[list[int]]:
    """Captions as rows of exactly 77 token numbers, padded with the end token."""
    rows: list[list[int]] = tokenizer(
        captions, padding="max_length", max_length=77, truncation=True
    ).input_ids
    return rows


def sample_captions(seed: int, count: int) -> list[str]:
    """Captions of random scenes, for looking at."""
    rng: random.Random = generator(seed, "captions")
    return [caption(draw_scene(rng), rng) for _ in range(count)]
