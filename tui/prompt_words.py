"""What the screen of the prompts says, in lines."""

from collections.abc import Sequence
from typing import Final

from engine.dataset.captions import holds_any
from engine.dataset.tokens import Counts, Place
from tui.caption_words import status_line
from tui.prompts import DRAWING, Prompts, Setting
from tui.spans import Span, Spans, ends, marked, wrapped

_MOST: Final = 4
"""Lines of a prompt that are shown; half as many on a small screen."""
HOLDS: Final = (
    "These hold for the next run, and for safelight grid while the project has no run. A run keeps the prompts that it was "
    "trained with, and its review draws those; safelight sample and grid draw others with --prompt."
)


def title_line(shown: Prompts | None, mode: str, at: int | None, place: str, width: int) -> Spans:
    """What is shown, and of which project. at: the prompt that is changed; None for a new one. place: of a caption."""
    if shown is None:
        return [(" PROMPTS", "bold"), ("   reading project.toml", "muted")]
    said = f"{len(shown.prompts)} in project.toml" if shown.prompts else "none in project.toml"
    what = {
        "browse": said, "negative": "the negative prompt",
        "editing": "a new one" if at is None else f"{at + 1} of {len(shown.prompts)}",
        "captions": f"parts of a caption: {place}",
    }[mode]  # fmt: skip
    return ends([(" PROMPTS", "bold"), (f"   {what}", "muted")], [(f"{shown.folder.name} ", "muted")], width)


def empty_lines(shown: Prompts, new: str, take: str, width: int) -> list[Spans]:
    """What stands where there is no prompt yet. new, take: the keys that make one."""
    words = (
        "No prompts are said here, so that previews and the review draw the captions of the first three pictures. "
        f"{new} writes one out of its parts, {take} takes one from a caption."
    )
    return [[(f" {line}", "muted")] for line in wrapped(words, width - 2)]


def composed_lines(
    text: str, places: Sequence[Place], counts: Counts, width: int, *, tall: bool
) -> list[Spans]:
    """The prompt as it is drawn, and how many tokens it takes where that is known. tall: there is room for more lines."""
    lines = _lines_of(text, width, tall=tall)
    shown: list[Spans] = [[(f" {line}", "bold")] for line in lines] if text else [[(" nothing yet", "muted")]]
    if counts and text:
        shown.append(status_line(places, counts, "", "", (), width))
    return shown


def uncalled_lines(text: str, triggers: Sequence[str], width: int) -> list[Spans]:
    """That a prompt does not call what was learned."""
    if not text or not triggers or holds_any(text, triggers):
        return []
    return marked("·", "muted", f"It does not say {triggers[0]}: it shows what comes without it.", width - 2)


def negative_lines(shown: Prompts, reset: str, width: int, *, tall: bool) -> list[Spans]:
    """The negative prompt, where it comes from, and what is wrong with it. reset: the key that gives the preset's back."""
    own, text = shown.negative.source == "project", str(shown.negative.value)
    if shown.emptied:
        words = f"empty, though the preset {shown.preset} has one: {reset} gives it back"
        return [_heading([("~ ", "warn"), (words, "text")]), [(f" {shown.negative_under}", "faint")]]
    where = f"yours; {reset} gives the preset's" if own and shown.negative_under else _source(shown.negative)
    if not text:
        where = f"none, and the preset {shown.preset} has none" if shown.preset else "none"
    lines = [_heading([(where, "muted")])]
    lines += [[(f" {line}", "text")] for line in _lines_of(text, width, tall=tall) if line]
    if text and not shown.negative_acts:
        words = (
            "It does nothing: guidance is distilled into this base. sample.true_guidance = 3 makes it act."
        )
        lines += marked("~", "warn", words, width - 2)
    return lines


def drawing_line(shown: Prompts) -> Spans:
    """Guidance, steps and sampler, and where each comes from: those of one source stand together."""
    by_source: dict[str, list[str]] = {}
    for name in DRAWING:
        setting = shown.drawing[name]
        words = f"{setting.value:g}" if isinstance(setting.value, float) else str(setting.value)
        told = {"guidance": f"guidance {words}", "steps": f"{words} steps"}.get(name, words)
        by_source.setdefault(_source(setting), []).append(told)
    line: list[Span] = [(" ", "text")]
    for source, each in by_source.items():
        line += [(", ".join(each), "text"), (f"  {source}   ", "muted")]
    return line


def foot_lines(shown: Prompts, width: int, *, tall: bool) -> list[Spans]:
    """What pictures are drawn with, what stands against it, and what these prompts are good for."""
    wrong = marked("!", "bad", shown.problem, width - 2)[:3] if shown.problem else []
    # A small screen has room for one of both.
    holds = wrapped(HOLDS, width - 2) if tall or not wrong else []
    return [drawing_line(shown), *wrong, *([(f" {line}", "muted")] for line in holds)]


def _lines_of(text: str, width: int, *, tall: bool) -> list[str]:
    lines, most = wrapped(text, width - 4), _MOST if tall else _MOST // 2
    return [*lines[: most - 1], f"{lines[most - 1]} …"] if len(lines) > most else lines


def _heading(what: list[Span]) -> Spans:
    return [(" NEGATIVE  ", "muted"), *what]


def _source(setting: Setting) -> str:
    named = {"project": "from project.toml", "default": "by default"}
    return named.get(setting.source, f"from the preset {setting.source}")
