"""A review in lines of spans: the verdict, its tests with their figures, and a picture's own figures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from projects.job import JobDir
from tui.follow import RunView
from tui.review_grid import weight_name
from tui.review_watch import Found
from tui.reviewed import Case, Figures, Interval, Made, Review, Test, Verdict
from tui.run_jobs import ALIVE
from tui.run_list import short_name
from tui.run_words import bar, mark
from tui.spans import Span, Spans, cell, ends, length, wrapped

MARKS: Final[Mapping[Verdict, Span]] = {
    "good": ("✓", "good"), "suspect": ("~", "warn"), "bad": ("!", "bad"), "unknown": ("-", "muted"),
}  # fmt: skip
_VERDICTS: Final[Mapping[Verdict, str]] = {
    "good": "good", "suspect": "suspect", "bad": "bad", "unknown": "nothing can be said",
}  # fmt: skip
_CASES: Final[Mapping[Case, tuple[Verdict, str]]] = {
    "good": ("good", "a good adapter"),
    "leaking": ("bad", "it leaks: it also acts where the trigger is not said"),
    "echo": ("bad", "it echoes training pictures"),
    "broken": ("bad", "it is broken: texture in place of what the prompt says"),
    "muddled": ("bad", "it is muddled: it does not hold one look"),
    "unknown": ("unknown", "nothing can be said yet"),
}
APART: Final = "these cannot be told apart"


def number(value: float) -> str:
    """A figure as people read it: three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def interval_words(figure: Interval) -> str:
    """0.4 [-0.1, 0.9]; "-" where nothing was measured."""
    if figure.value is None:
        return "-"
    sure = figure.low is not None and figure.high is not None
    return number(figure.value) + (
        f" [{number(figure.low or 0)}, {number(figure.high or 0)}]" if sure else ""
    )


def use_words(review: Review) -> str:
    """What to use, or that nothing is certain; "" where nothing is recommended."""
    best = review.recommended
    if best is None:
        return ""
    elsewhere = best.checkpoint is not None and best.checkpoint != review.checkpoint
    what = weight_name(best.weight) + (f" at step {best.checkpoint:,}" if elsewhere else "")
    return f"use {what}" if best.certain else f"perhaps {what}: {APART}"


def head_line(review: Review, name: str) -> list[Span]:
    """The verdict on one line: it stands over the pictures at every size."""
    verdict, _ = _CASES[review.case]
    at = f"step {review.checkpoint:,}   " if review.checkpoint is not None else ""
    sign, ink = MARKS[verdict]
    case = review.case if review.case != "unknown" else "no verdict"
    use = use_words(review).replace(APART, "cannot be told apart")
    return [(f"{name}   ", "bold"), (at, "muted"), (f"{sign} ", ink), (f"{case}   ", "text"), (use, "bold")]


def head_lines(
    run: JobDir | None, found: Found | None, job: RunView | None, key: Callable[[str], str], width: int
) -> list[Spans]:
    """The run, its verdict, a job at work on it; where there is no review, the key that makes it. key: of an action."""
    if run is None:
        words = "No run has saved a checkpoint yet: a review would draw with it and judge it."
        return [*([(line, "text")] for line in wrapped(words, width)), [("4  the train room", "muted")]]
    name, works = short_name(run), job is not None and job.standing in (*ALIVE, "queued")
    review = found.review if found else None
    lines: list[Spans] = [head_line(review, name) if review else [(name, "bold")]]
    if found is not None and review is None and not works:
        todo = f"No review yet: {key('draw')} draws it. Weights side by side, tests with their evidence, a verdict."
        told = todo if found.saved else "No checkpoint yet to review."
        lines += [[(line, "text")] for line in wrapped(told, width)]
    elif review is not None and not review.whole and not works:
        half = f"Stopped at half: {key('draw')} goes on; what is here stands."
        lines += _paragraph(("~", "warn"), half, "text", width)
    if review is not None and review.error:
        lines += _paragraph(("!", "bad"), review.error, "text", width)
    return lines + (_job_lines(job, works, width) if job is not None else [])


def _job_lines(job: RunView, works: bool, width: int) -> list[Spans]:
    """A job on the run: what it does and how far it is, or what it failed on."""
    lines: list[Spans] = []
    if works:
        what = job.job.path.name.rpartition("-")[0]
        doing = (job.status.phase or job.standing).replace("-", " ")
        title: Spans = [(f"{what}  ", "muted"), mark(job.standing), (f" {doing}   ", "text")]
        lines = [[*title, *bar(job, max(10, width - length(title)))]]
    for problem in job.state.problems[:3]:
        lines += _paragraph(("!", "bad"), str(problem), "text", width)
    return lines


def verdict_lines(review: Review, refine: str, width: int) -> list[Spans]:
    """Case, recommendation, and what more pictures would settle. refine: the key that draws more."""
    verdict, words = _CASES[review.case]
    lines = [
        [("VERDICT  ", "muted"), (f"{review.depth} review", "muted")],
        *_paragraph(MARKS[verdict], words, "bold", width),
    ]
    lines += _paragraph((" ", "text"), review.words, "text", width)
    best = review.recommended
    if best is not None:
        lines += _paragraph((" ", "text"), use_words(review), "bold", width)
        lines += _paragraph((" ", "text"), best.words, "muted", width)
    if review.more:
        lines += _paragraph((" ", "text"), f"{review.more}   {refine} draws them", "muted", width)
    return lines  # fmt: skip


def row_of_test(test: Test, width: int) -> Spans:
    """A test in a list: its mark, name and figure, and at the right end how many pictures it stands on."""
    sign, ink = MARKS[test.verdict]
    n = f"n {test.figure.n:,}" if test.figure.n is not None else ""
    left: Spans = [(f"{sign} ", ink), (f"{cell(test.name, 10)} {interval_words(test.figure)}", "text")]
    return ends(left, [(n, "muted")], width)


def lines_of_test(test: Test, advises: str, width: int) -> list[Spans]:
    """All of one test: verdict and figure with its unit, what was found, and what to do. advises: key for a step."""
    sign, ink = MARKS[test.verdict]
    lines: list[Spans] = [
        [(f"{sign} ", ink), (test.name, "bold"), (f"   {_VERDICTS[test.verdict]}", ink)],
        *_paragraph((" ", "text"), figure_words(test), "muted", width),
        *_paragraph((" ", "text"), test.words, "text", width),
        *_paragraph((" ", "text"), test.advice, "text", width),
    ]
    for at, step in enumerate(test.steps):
        lines += _paragraph((advises if at == 0 else " ", "accent"), step.words, "text", width)
    return lines


def figure_words(test: Test) -> str:
    """0.4 [-0.1, 0.9] of the noise between seeds, n 40, limit 1."""
    if test.figure.value is None:
        return ""
    parts = [f"{interval_words(test.figure)} {test.unit}".strip()]
    parts += [f"n {test.figure.n:,}"] if test.figure.n is not None else []
    parts += [f"limit {number(test.threshold)}"] if test.threshold is not None else []
    return ", ".join(parts)


def trust_lines(review: Review, width: int) -> list[Spans]:
    """Who measured, and how far that can be trusted."""
    lines: list[Spans] = []
    for judge in review.judges:
        words = f"{judge.measure}: {judge.name}. {judge.trust}"
        lines += [[(line, "muted")] for line in wrapped(words, max(10, width))]
    return lines


def place_words(made: Made) -> str:
    """Where a picture stands."""
    place = made.cell
    step = f", step {place.checkpoint:,}" if place.checkpoint is not None else ""
    return f"weight {place.weight:g}{step}" if place.weight else "base alone"


def made_words(made: Made) -> str:
    """Where a picture stands, and what was measured of it."""
    parts, near = [place_words(made)], made.nearest
    if near is not None:
        kind = {"copy": ", a copy", "near": ", a near copy"}.get(near.kind, "")
        distance = f" {number(near.distance)}" if near.distance is not None else ""
        parts.append(f"nearest {near.name}{distance}{kind}")
    parts += [f"{name} {number(value)}" for name, value in made.measures.items()]
    return " · ".join(parts)


def full_words(made: Made) -> str:
    """The same with the prompt, for a picture that stands alone."""
    seed = "-" if made.cell.seed is None else made.cell.seed
    group = f"{made.group} · " if made.group else ""
    return f"{group}{made.cell.prompt} · seed {seed} · {made_words(made)}"


def whole_lines(
    review: Review, people: Sequence[Spans], key: Callable[[str], str], width: int
) -> list[Spans]:
    """Everything, to read: the verdict, every test, the figures at each weight and checkpoint, judges and settings."""
    lines = verdict_lines(review, key("refine"), width)
    for test in review.tests:
        lines += [[], *lines_of_test(test, key("prepare"), width)]
    lines += [[], *people] if people else []
    by_weight = [(weight_name(each.weight or 0.0), each) for each in review.weights]
    by_step = [
        (f"{each.checkpoint:,}" if each.checkpoint is not None else "-", each) for each in review.checkpoints
    ]
    for title, rows in (("WEIGHTS", by_weight), ("CHECKPOINTS", by_step)):
        lines += _figure_lines(title, rows)
    if review.judges:
        lines += [[], [("JUDGES", "muted")], *trust_lines(review, width)]
    if review.settings:
        lines += [[], [("DRAWN WITH", "muted")]]
        for name, value in review.settings.items():
            words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            lines += _paragraph((f"{name}:", "muted"), words, "text", width)
    return lines


def _figure_lines(title: str, rows: Sequence[tuple[str, Figures]]) -> list[Spans]:
    """A line for each measure of each row that has it: tables of six intervals side by side fit on no terminal."""
    lines: list[Spans] = []
    for name, figures in rows:
        for measure, figure in figures.measures.items():
            n = f"   n {figure.n:,}" if figure.n is not None else ""
            row = f"  {cell(name, 8)} {cell(measure, 13)} {interval_words(figure)}"
            lines.append([(row, "text"), (n, "muted")])
            name = ""
    return [[], [(title, "muted")], *lines] if lines else []


def _paragraph(first: Span, words: str, ink: str, width: int) -> list[Spans]:
    """Words behind a sign, which stands on the first line alone; none where there are no words."""
    room = max(10, width - len(first[0]) - 1)
    lines = wrapped(words, room) if words else []
    indent = " " * len(first[0])
    return [[first if not at else (indent, "text"), (f" {line}", ink)] for at, line in enumerate(lines)]
