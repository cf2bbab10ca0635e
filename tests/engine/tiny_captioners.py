"""Tiny models that draft captions: random weights from configs, and a tagger whose graph is written by hand."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TAGS = (
    ("general", 9), ("sensitive", 9), ("red_theme", 0), ("blue_theme", 0), ("green_theme", 0), ("^_^", 0),
    ("kita_ikuyo_(singer)", 4), ("dark", 0),
)  # fmt: skip
"""Name and category of the tiny tagger's tags."""
WEIGHTS = (
    # of B, G, R, each from 0 to 255, and the constant
    (0, 0, 0, 9), (0, 0, 0, -9), (0, 0, 8, -4), (8, 0, 0, -4), (0, 8, 0, -4), (0, 0, 4, -2.5), (0, 0, 8, -4),
    (-8, -8, -8, 4),
)  # fmt: skip
"""Score of a tag: sigmoid of the mean colour times these."""
SIDE = 8


def tiny_tagger(folder: Path, *, batch: int | str = "batch") -> Path:
    """A WD Tagger in the shape of SmilingWolf's: [n, side, side, 3] of BGR from 0 to 255 in, scores out."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["tag_id,name,category,count"]
    lines += [f"{number},{name},{category},1" for number, (name, category) in enumerate(TAGS)]
    (folder / "selected_tags.csv").write_text("\n".join(lines) + "\n")
    columns = [[row[channel] / 255 for row in WEIGHTS] for channel in range(3)]
    nodes = (
        _node("ReduceMean", ["input"], "mean", _ints("axes", [1, 2]) + _int("keepdims", 0))
        + _node("MatMul", ["mean", "weight"], "sums")
        + _node("Add", ["sums", "bias"], "logits")
        + _node("Sigmoid", ["logits"], "output")
    )
    graph = (
        nodes
        + _text(2, "tagger")
        + _field(5, _tensor("weight", [3, len(TAGS)], [value for row in columns for value in row]))
        + _field(5, _tensor("bias", [len(TAGS)], [row[3] for row in WEIGHTS]))
        + _field(11, _value("input", [batch, SIDE, SIDE, 3]))
        + _field(12, _value("output", [batch, len(TAGS)]))
    )
    model = _number(1, 8) + _field(8, _text(1, "") + _number(2, 13)) + _field(7, graph)
    (folder / "model.onnx").write_bytes(model)
    return folder


def tiny_blip2(folder: Path) -> Path:
    """A BLIP-2 with an OPT, both with random weights, whose words are bytes."""
    import torch
    from transformers import Blip2Config, Blip2ForConditionalGeneration, Blip2Processor
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    tokenizer = byte_tokenizer("<image>")
    torch.manual_seed(3)
    config = Blip2Config(
        vision_config={
            "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
            "image_size": 28, "patch_size": 14, "initializer_range": 0.5,
        },
        qformer_config={
            "vocab_size": len(tokenizer), "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 32, "encoder_hidden_size": 16, "initializer_range": 0.5,
        },
        text_config={
            "model_type": "opt", "vocab_size": len(tokenizer), "hidden_size": 16, "num_hidden_layers": 1, "ffn_dim": 32,
            "num_attention_heads": 2, "word_embed_proj_dim": 16, "bos_token_id": 1, "eos_token_id": 2,
            "pad_token_id": 0, "max_position_embeddings": 256, "init_std": 0.5,
        },
        num_query_tokens=4,
        image_token_index=3,
        initializer_range=0.5,
    )  # fmt: skip
    model = Blip2ForConditionalGeneration(config)
    _say_letters(model.language_model.lm_head)
    model.save_pretrained(folder)
    processor = BlipImageProcessorPil(size={"height": 28, "width": 28})
    Blip2Processor(processor, tokenizer, num_query_tokens=4).save_pretrained(folder)
    return folder


TURN = (
    "{% for m in messages %}{{ m['role'] }}: {% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for part in m['content'] %}{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %} {% endfor %}assistant:"
)
"""A chat template that takes pictures as parts, as most do."""


def tiny_llava(folder: Path, template: str = TURN) -> Path:
    """A LLaVA (what JoyCaption is), random."""
    import torch
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    tokenizer = byte_tokenizer("<image>")
    torch.manual_seed(5)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2, "initializer_range": 0.5}
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**sizes, num_hidden_layers=2, image_size=28, patch_size=14),
        text_config=LlamaConfig(
            **sizes, vocab_size=len(tokenizer), num_hidden_layers=1, num_key_value_heads=2, bos_token_id=1,
            eos_token_id=2, pad_token_id=0,
        ),
        image_token_index=3,
        image_seq_length=4,
    )  # fmt: skip
    model = LlavaForConditionalGeneration(config)
    _say_letters(model.lm_head)
    model.save_pretrained(folder)
    processor = CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    LlavaProcessor(
        processor, tokenizer, patch_size=14, vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=template,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def _say_letters(head: Any) -> None:
    """Let the model say small letters only: a caption of control characters would be no caption."""
    import torch

    tokens = _vocabulary("<image>")
    with torch.no_grad():
        for word, index in tokens.items():
            if not (len(word) == 1 and word.isascii() and word.islower()):
                head.weight[index] = 0
        letters = [
            index for word, index in tokens.items() if len(word) == 1 and word.isascii() and word.islower()
        ]
        head.weight[letters] = torch.randn(
            len(letters), head.weight.shape[1], generator=torch.Generator().manual_seed(1)
        )


def _vocabulary(*extra: str) -> dict[str, int]:
    from tokenizers import pre_tokenizers

    words = ["<pad>", "<s>", "</s>", *extra, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    return {word: index for index, word in enumerate(words)}


def byte_tokenizer(*extra: str) -> Any:
    """Bytes as words, with a beginning as OPT and LLaMA have it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(vocab=_vocabulary(*extra), merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    tokenizer.add_special_tokens(["<pad>", "<s>", "</s>", *extra])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )


# ---- as much of ONNX's protocol buffers as the tagger's graph needs


def _varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _text(field: int, text: str) -> bytes:
    return _field(field, text.encode())


def _ints(name: str, values: Sequence[int]) -> bytes:
    told = _text(1, name) + b"".join(_number(8, value) for value in values) + _number(20, 7)
    return _field(5, told)


def _int(name: str, value: int) -> bytes:
    return _field(5, _text(1, name) + _number(3, value) + _number(20, 2))


def _node(kind: str, given: Sequence[str], told: str, attributes: bytes = b"") -> bytes:
    return _field(
        1, b"".join(_text(1, name) for name in given) + _text(2, told) + _text(4, kind) + attributes
    )


def _tensor(name: str, dims: Sequence[int], values: Sequence[float]) -> bytes:
    shape = b"".join(_number(1, dim) for dim in dims)
    return shape + _number(2, 1) + _text(8, name) + _field(9, struct.pack(f"<{len(values)}f", *values))


def _value(name: str, dims: Sequence[int | str]) -> bytes:
    shape = b"".join(_field(1, _text(2, dim) if isinstance(dim, str) else _number(1, dim)) for dim in dims)
    return _text(1, name) + _field(2, _field(1, _number(1, 1) + _field(2, shape)))
