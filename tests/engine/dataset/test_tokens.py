"""The token window, counted as CLIP reads it."""

import sys

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from engine.dataset import tokens
from engine.dataset.tokens import count_tokens
from projects.problems import Refused


@pytest.fixture
def tokenizer(tmp_path):
    """One token a word, with start and end marks, truncation and padding set as hub files often have them."""
    vocabulary = {"<s>": 0, "</s>": 1, "word": 2, "?": 3}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="?"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    made.enable_truncation(77)
    made.enable_padding(length=77)
    made.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def test_the_two_marks_count_and_the_window_cuts_at_a_character(tokenizer):
    assert count_tokens("", tokenizer) == (2, None)
    assert count_tokens("Word  word", tokenizer) == (4, None)
    assert count_tokens("word " * 75, tokenizer) == (77, None)
    text = "ä " + "word " * 74 + "LAST one"
    count, cut = count_tokens(text, tokenizer)
    assert (count, text[cut:]) == (79, "LAST one")


def test_another_window_is_counted_the_same(tokenizer):
    assert count_tokens("a b c", tokenizer, window=4) == (5, 4)


def test_without_the_package_there_is_no_count(tokenizer, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    tokens._tokenizer.cache_clear()
    assert count_tokens("word", tokenizer) is None
    tokens._tokenizer.cache_clear()


def test_a_missing_or_broken_file_is_refused(tmp_path):
    with pytest.raises(Refused, match="cannot be read"):
        count_tokens("word", tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(Refused, match="is no tokenizer"):
        count_tokens("word", tmp_path / "tokenizer.json")
