"""A text encoder's vocabulary out of a base's folder, put together as transformers does it for a training.

transformers takes the pieces and their marks out of the folder and makes the rest itself: so does this, without it. A
tokenizer.json as the file says it would count some texts otherwise than they are trained.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from projects.problems import refuse

Kind = Literal["clip", "t5"]

_CLIP_PARTS: Final = (
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
)
_CLIP_SPECIAL: Final = {
    "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
    "pad_token": "<|endoftext|>",
}  # fmt: skip
_T5_SPECIAL: Final = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
WINDOWS: Final[Mapping[Kind, int]] = {"clip": 77, "t5": 512}
"""Tokens that are read where the folder says nothing."""
_TOO_LARGE: Final = 100_000
"""Tokens: what configs say that set no window."""


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """A tokenizer of the package `tokenizers`, and the marks around a text."""

    tokenizer: Any
    start: str
    """"" where there is none (T5)."""
    end: str
    word_end: str
    """What a piece ends with that ends a word: </w> with CLIP, nothing with T5, which marks beginnings."""


def window(folder: Path, kind: Kind) -> int:
    """Tokens that are read, marks among them, as the folder's tokenizer_config.json says."""
    said = _table(folder / "tokenizer_config.json").get("model_max_length")
    return said if isinstance(said, int) and 2 < said < _TOO_LARGE else WINDOWS[kind]


def is_there(folder: Path, kind: Kind) -> bool:
    """Whether the folder holds a vocabulary that can be read here."""
    whole = (folder / "tokenizer.json").is_file()
    return whole or (
        kind == "clip" and (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()
    )


def vocabulary_in(folder: Path, kind: Kind) -> Vocabulary:
    """The vocabulary of a folder. Raises Refused for one that is not there or damaged."""
    try:
        return _clip(folder) if kind == "clip" else _t5(folder)
    except Exception as error:  # The package raises plain Exception for whatever it cannot parse.
        raise refuse(
            f"is no vocabulary: {type(error).__name__}: {error}.",
            where=folder,
            hint="The base is not complete.",
        ) from None


def _clip(folder: Path) -> Vocabulary:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    table = _table(folder / "tokenizer.json")
    special = _special(folder, _CLIP_SPECIAL)
    if table:
        pieces = table["model"]["vocab"]
        merges = [tuple(one.split(" ") if isinstance(one, str) else one) for one in table["model"]["merges"]]
        model = models.BPE(
            vocab=pieces, merges=merges, continuing_subword_prefix="", end_of_word_suffix="</w>",
            fuse_unk=False, unk_token=_text(special["unk_token"]),
        )  # fmt: skip
    else:
        model = models.BPE.from_file(
            str(folder / "vocab.json"), str(folder / "merges.txt"), continuing_subword_prefix="",
            end_of_word_suffix="</w>", fuse_unk=False, unk_token=_text(special["unk_token"]),
        )  # fmt: skip
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_CLIP_PARTS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    _add(tokenizer, table, special.values())
    return Vocabulary(
        tokenizer=tokenizer,
        start=_text(special["bos_token"]),
        end=_text(special["eos_token"]),
        word_end="</w>",
    )


def _t5(folder: Path) -> Vocabulary:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    table = _table(folder / "tokenizer.json")
    special = _special(folder, _T5_SPECIAL)
    pieces = [tuple(one) for one in table["model"]["vocab"]]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    if (characters := _characters(table.get("normalizer"))) is not None:
        tokenizer.normalizer = normalizers.Precompiled(characters)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True),
        ]
    )
    _add(tokenizer, table, special.values())
    return Vocabulary(tokenizer=tokenizer, start="", end=_text(special["eos_token"]), word_end="")


def _characters(normalizer: Any) -> bytes | None:
    """The table of characters that sentencepiece changes before it looks, where the file has one."""
    steps = normalizer.get("normalizers", [normalizer]) if isinstance(normalizer, dict) else []
    for step in steps:
        if step.get("type") == "Precompiled" and "precompiled_charsmap" in step:
            return base64.b64decode(step["precompiled_charsmap"])
    return None


def _special(folder: Path, usual: Mapping[str, str]) -> dict[str, Any]:
    """The marks by their part, as text or as a table: the folder's own, where it has any."""
    config = _table(folder / "tokenizer_config.json")
    older = {} if config.get("added_tokens_decoder") else _table(folder / "special_tokens_map.json")
    return {part: older.get(part) or config.get(part) or text for part, text in usual.items()}


def _add(tokenizer: Any, table: Mapping[str, Any], special: Iterable[Any]) -> None:
    """Pieces that are found before any other: first those of the file, then the marks that are not among them."""
    added = [
        _piece({key: value for key, value in one.items() if key != "id"})
        for one in table.get("added_tokens", ())
    ]
    known = {str(one.content) for one in added}
    for one in special:
        if _text(one) not in known:
            added.append(_piece(one))
            known.add(_text(one))
    tokenizer.add_tokens(added)


def _piece(said: Any) -> Any:
    from tokenizers import AddedToken

    if not isinstance(said, dict):
        return AddedToken(said, special=True)
    keys = ("single_word", "lstrip", "rstrip", "normalized")
    return AddedToken(said["content"], special=True, **{key: said[key] for key in keys if key in said})


def _text(said: Any) -> str:
    return str(said["content"] if isinstance(said, dict) else said)


def _table(file: Path) -> dict[str, Any]:
    """{} where there is no such file. Raises ValueError or OSError for one that is damaged."""
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    return found if isinstance(found, dict) else {}
