import pytest

from tui.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("title\x1b]0;owned\x07", "title\\x1b]0;owned\\x07"),
        ("back\b\b\bup\r", "back\\x08\\x08\\x08up\\r"),
        ("c1 \x9b31m", "c1 \\x9b31m"),
        ("abc\u202egnp.exe", "abc\\u202egnp.exe"),
        ("line\nbreak", "line\\nbreak"),
        ("split\u2028here", "split\\u2028here"),
        ("bytes \udcff", "bytes \\udcff"),
    ],
)
def test_what_a_terminal_would_act_on_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text", ["woman, 35 mm", "Zoë 東京 עברית", "👩\u200d🎨", "non\u00a0breaking", "a\u3000b"]
)
def test_ordinary_text_of_any_script_is_untouched(text: str) -> None:
    assert printable(text) == text


def test_lines_and_tabs_stay_where_lines_are_wanted_and_nothing_else_does() -> None:
    assert printable("one\n\ttwo\x1b[2J\r", lines=True) == "one\n\ttwo\\x1b[2J\\r"
