"""Which captions a model drafts, and what becomes of a draft beside the trigger and what a person wrote. Pure.

A person's text is never touched unless somebody asks (`over`); an earlier draft that nobody looked at is replaced only
when somebody asks (`again`).
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.dataset.captioning.entries import Entry
from engine.dataset.captions import holds_word
from projects.problems import Problem, Refused, listed
from projects.spec import FillJob, RunSpec, trigger_of

TEMPLATE: Final = "{trigger}, {draft}"
TEMPLATE_OVER: Final = "{trigger}, {caption}, {draft}"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One caption to draft, and what stood there when that was decided."""

    file: str
    """The caption file, the key of everything (`Entry.file`)."""
    picture: str
    before: str
    """The text that stood there, "" for none."""
    drafted: bool
    """Whether that is an earlier draft."""
    person: str
    """What a person wrote: `before`, or what an earlier draft was written over; "" for nothing."""
    trigger: str
    """Of its set; "" for regularization, whose captions must not hold it."""
    class_word: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is drafted and what is left alone."""

    wanted: tuple[Wanted, ...]
    written: int
    """Captions of a person's that are left alone."""
    drafts: int
    """Earlier drafts that are left alone."""
    unreadable: tuple[str, ...]
    """Caption files that cannot be edited: no UTF-8, too large, not to be read."""


def choose(entries: Sequence[Entry], drafted: Mapping[str, str], job: FillJob) -> Choice:
    """The captions that `job` drafts, in the order of the pictures: the first caption of each, variants never.

    drafted: files whose text is a draft that nobody has looked at, each with what a person had written there before
    (`Journal.before_drafts`). Such words are a person's still, and stay where nobody says `over`.
    Raises Refused (usage) for names of no picture.
    """
    first = [entry for entry in entries if entry.variant == 1]
    _refuse_unknown(job.pictures, [entry.picture for entry in first])
    named = set(job.pictures)
    wanted: list[Wanted] = []
    written = drafts = 0
    unreadable: list[str] = []
    for entry in first:
        if named and entry.picture not in named:
            continue
        is_draft = entry.file in drafted
        person = drafted[entry.file] if is_draft else entry.text
        if entry.problem is not None or (entry.content is not None and not entry.content.editable):
            unreadable.append(entry.file)
        elif is_draft and not job.again:
            drafts += 1
        elif person.strip() and not job.over:
            written += 1
        else:
            wanted.append(_wanted(entry, is_draft, person, job.spec))
    return Choice(wanted=tuple(wanted), written=written, drafts=drafts, unreadable=tuple(unreadable))


def _wanted(entry: Entry, drafted: bool, person: str, spec: RunSpec) -> Wanted:
    return Wanted(
        file=entry.file,
        picture=entry.picture,
        before=entry.text,
        drafted=drafted,
        person=person,
        trigger=trigger_of(entry.dataset, spec.trigger),
        class_word=entry.dataset.class_word or spec.class_word,
    )


def _refuse_unknown(names: Sequence[str], known: Sequence[str]) -> None:
    there = set(known)
    problems = []
    for name in names:
        if name in there:
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        hint = f"Did you mean {listed(near)}?" if near else "Names are those of the lists of pictures."
        problems.append(
            Problem(error=f'No picture is called "{listed([name])}".', where="--pictures", hint=hint)
        )
    if problems:
        raise Refused(problems, usage=True)


def template_of(job: FillJob) -> str:
    """The template in force."""
    return job.template or (TEMPLATE_OVER if job.over else TEMPLATE)


def caption_of(template: str, wanted: Wanted, draft: str) -> str:
    """The caption that `draft` becomes. The same arguments always give the same text.

    What is empty goes together with one comma beside it. An earlier draft is no person's text, so it is no {caption}; and
    the trigger is not said twice where the person's words hold it.
    """
    kept = wanted.person.strip() if "{caption}" in template else ""
    trigger = "" if holds_word(kept, wanted.trigger) or holds_word(draft, wanted.trigger) else wanted.trigger
    values = {"trigger": trigger, "class": wanted.class_word, "caption": kept, "draft": draft.strip()}
    text = template
    for name, value in values.items():
        if not value:
            text = _without(text, f"{{{name}}}")
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), text).strip()


def _without(template: str, field: str) -> str:
    """The template without a field and the comma that belongs to it: the one behind it, at the end the one before."""
    for pattern in (rf"{re.escape(field)}\s*,\s*", rf"\s*,\s*{re.escape(field)}\s*$", re.escape(field)):
        shorter = re.sub(pattern, "", template)
        if shorter != template:
            return _without(shorter, field) if field in shorter else shorter
    return template
