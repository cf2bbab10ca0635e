"""What a check of captions is, and what it is given. A check is one file here and one line in shelf.py."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from engine.dataset.captioning.edits import Edit
from engine.dataset.captioning.entries import Entry
from engine.dataset.captioning.parts import phrase_texts
from engine.dataset.captioning.trigger_word import TriggerWord
from engine.dataset.captions import Caption, Fault, caption_in
from engine.dataset.findings import Finding
from engine.dataset.tokens import Counts, Place
from projects.spec import RunSpec, data_sets, trigger_of


@dataclass(frozen=True)
class Conversion:
    """A fix that is none of the words: the file is written as UTF-8, read as the encoding that it seems to have."""

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return "convert to UTF-8"


Fix = Edit | Conversion
"""What one key does about a finding, to the captions of its pictures."""


@dataclass(frozen=True, kw_only=True)
class Collection:
    """The captions of a project, and what else the checks ask. Frozen: what is asked twice is worked out once."""

    entries: Sequence[Entry]
    trigger: str
    class_word: str
    triggers: tuple[str, ...]
    """The project's and those of its sets."""
    orphans: tuple[str, ...] = ()
    """Caption files without a picture."""
    places: tuple[Place, ...] = ()
    """The encoders of the base."""
    counts: Mapping[str, Counts] = field(default_factory=dict)
    """Text -> how the encoders read it; of a text that is not in it nobody has counted yet."""
    word: TriggerWord | None = None
    """What the base makes of the trigger, of several of the one that is most of a word; None where nobody can tell."""
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """distance, light, wardrobe -> picture -> what it is, measured or as a person says."""

    @cached_property
    def read(self) -> Mapping[str, Caption | Fault]:
        """Caption file -> what a run makes of it; files that are not there or cannot be read are not in it."""
        return {
            entry.file: caption_in(entry.content.data) for entry in self.entries if entry.content is not None
        }

    @cached_property
    def told(self) -> Sequence[Entry]:
        """The captions that a run takes as they are: there, whole and not empty."""
        return [entry for entry in self.entries if isinstance(self.read.get(entry.file), Caption)]

    @cached_property
    def subject(self) -> Sequence[Entry]:
        """Those among them whose pictures teach the trigger."""
        return [entry for entry in self.told if entry.dataset.role == "subject"]

    @cached_property
    def with_trigger(self) -> Sequence[Entry]:
        """Those among the subject's whose set has a trigger."""
        return [entry for entry in self.subject if self.trigger_of(entry)]

    @cached_property
    def phrases(self) -> Mapping[str, Sequence[str]]:
        """Text of a subject's caption -> its phrases in small letters."""
        return {entry.text: phrase_texts(entry.text.casefold()) for entry in self.subject}

    @cached_property
    def by_phrase(self) -> Counter[str]:
        """Phrase in small letters -> how many of the subject's captions have it."""
        return Counter(phrase for entry in self.subject for phrase in set(self.phrases[entry.text]))

    @cached_property
    def by_text(self) -> Mapping[str, Sequence[Entry]]:
        """The subject's captions, those together that say the same."""
        found: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in self.subject:
            found[entry.text.strip()].append(entry)
        return found

    @cached_property
    def by_picture(self) -> Mapping[str, Sequence[Entry]]:
        """The entries of each picture, in order."""
        found: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            found[entry.picture].append(entry)
        return found

    def trigger_of(self, entry: Entry) -> str:
        """The trigger that its caption is to hold; "" for regularization pictures."""
        return trigger_of(entry.dataset, self.trigger)

    def trigger_for(self, finding: Finding) -> str:
        """The trigger of the pictures of a finding."""
        entries = self.by_picture.get(finding.pictures[0], ()) if finding.pictures else ()
        return self.trigger_of(entries[0]) if entries else self.trigger


def collection_of(
    spec: RunSpec,
    entries: Sequence[Entry],
    *,
    orphans: Iterable[str] = (),
    places: Sequence[Place] = (),
    counts: Mapping[str, Counts] | None = None,
    word: TriggerWord | None = None,
    known: Mapping[str, Mapping[str, str]] | None = None,
) -> Collection:
    """What the checks are given, out of what the project says; what a person declares of pictures goes before `known`."""
    said: Mapping[str, Mapping[str, str]] = {
        "distance": spec.audit.distance,
        "light": spec.audit.light,
        "wardrobe": spec.audit.wardrobe,
    }
    together = {what: {**(known or {}).get(what, {}), **said[what]} for what in said}
    words = [spec.trigger, *(each.trigger for each in data_sets(spec.data) if each.role != "regularization")]
    return Collection(
        entries=entries, trigger=spec.trigger, class_word=spec.class_word,
        triggers=tuple(dict.fromkeys(filter(None, words))), orphans=tuple(orphans), places=tuple(places),
        counts=counts or {}, word=word, known=together,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that is looked for in captions."""

    name: str
    title: str
    """What people see, in a word or two."""
    judge: Callable[[Collection], Iterable[Finding]]
    """Pure: the same collection, the same findings."""
    method: str
    """How, with unit, threshold and version."""
    known: str
    """How well it is known to work: what it misses, and what it takes for a fault."""
    fix: Callable[[Collection, Finding], Fix | None] | None = None
    """What one key does about a finding; None where a person has to write."""
