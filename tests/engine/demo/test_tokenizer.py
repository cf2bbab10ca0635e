"""The tokenizer: same file on every run, and every text comes back."""

from pathlib import Path

from engine.demo import BASE_DIR
from engine.demo.tokenizer import load_tokenizer, token_ids, write_tokenizer


def test_building_again_gives_the_files_that_ship(tmp_path: Path) -> None:
    write_tokenizer(tmp_path / "tokenizer")
    for folder in ("tokenizer", "tokenizer_2"):
        for name in ("vocab.json", "merges.txt"):
            assert (tmp_path / "tokenizer" / name).read_bytes() == (BASE_DIR / folder / name).read_bytes()


def test_round_trip() -> None:
    tokenizer = load_tokenizer(BASE_DIR / "tokenizer")
    for text in ("a red mug against a teal wall", "héllo 日本 🎉", "tr0v3l_cap"):
        ids = tokenizer(text).input_ids
        assert ids[0] == tokenizer.bos_token_id and ids[-1] == tokenizer.eos_token_id
        # Spaces around signs and digits are not kept by CLIP's tokenizer.
        assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") == text.replace(" ", "")


def test_rows_have_77_numbers_and_end_in_padding() -> None:
    tokenizer = load_tokenizer(BASE_DIR / "tokenizer")
    rows = token_ids(tokenizer, ["", "a mug", "mug " * 200])
    assert [len(row) for row in rows] == [77, 77, 77]
    assert rows[0][1:] == [tokenizer.eos_token_id] * 76
    assert rows[2][-1] == tokenizer.eos_token_id
    assert tokenizer.pad_token_id == tokenizer.eos_token_id == len(tokenizer) - 1


def test_words_of_the_world_are_one_token() -> None:
    tokenizer = load_tokenizer(BASE_DIR / "tokenizer")
    for word in ("mug", "teapot", "cactus", "teal", "blurry", "watermark", "portrait"):
        assert len(tokenizer(word).input_ids) == 3, word
