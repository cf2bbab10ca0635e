"""The prompts of a project as its project.toml says them, and what stands under them where it says nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.dataset.captioning.entries import Entry, empty, entries_of
from projects.bases import describe
from projects.families import FAMILIES
from projects.presets import NAMES, preset
from projects.problems import Refused, refuse
from projects.project import Project, open_project, resolve
from projects.resolving import preset_under
from projects.rights import allow
from projects.spec import RunSpec, Sample, data_sets
from projects.toml import read_toml
from tui.form import value_at
from tui.working import said

PROMPTS: Final = "sample.prompts"
NEGATIVE: Final = "sample.negative"
DRAWING: Final = ("guidance", "steps", "sampler")
"""What pictures are drawn with, beside the words."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One value of [sample], and where it comes from."""

    value: Any
    source: str
    """project, the preset's name, or default."""


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """What is drawn, as it stands in the project."""

    folder: Path
    prompts: tuple[str, ...]
    prompts_said: list[str] | None
    """As the file says them; None where it says nothing: then captions are drawn."""
    negative: Setting
    negative_said: str | None
    """As the file says it; None where it says nothing."""
    negative_under: str
    """What the preset says."""
    preset: str
    """The preset under the project; "" where nothing tells the base."""
    drawing: Mapping[str, Setting]
    """guidance, steps and sampler."""
    spec: RunSpec | None
    """What the project comes to; None where something in it is wrong, which `problem` says."""
    triggers: tuple[str, ...]
    class_words: tuple[str, ...]
    negative_acts: bool = True
    """Whether the base reads it: one with distilled guidance does only with sample.true_guidance."""
    problem: str = ""
    """Why nothing can be drawn as it stands: a mistake in project.toml, or wording that is refused."""

    @property
    def emptied(self) -> bool:
        """Whether the negative prompt is empty although the preset has one."""
        return not str(self.negative.value).strip() and bool(self.negative_under)


def read_prompts(folder: Path) -> Prompts:
    """What project.toml says now. Raises Refused where it is not TOML, or says no texts where prompts belong."""
    project = open_project(folder)
    table = read_toml(project.text, "project.toml")
    name = preset_under(project.text, folder)
    under = preset(name) if name in NAMES else {}
    listed, negative = value_at(table, PROMPTS), value_at(table, NEGATIVE)
    if listed is not None and not (
        isinstance(listed, list) and all(isinstance(each, str) for each in listed)
    ):
        raise refuse(
            "Prompts are a list of texts.", where=f"project.toml: {PROMPTS}", hint='prompts = ["..."]'
        )
    if negative is not None and not isinstance(negative, str):
        raise refuse(
            "The negative prompt is a text.", where=f"project.toml: {NEGATIVE}", hint='negative = "..."'
        )
    spec, problem = _resolved(project, [*(listed or ()), negative or ""])
    trigger, class_word = (str(value_at(table, key) or "") for key in ("trigger", "class_word"))
    sets = data_sets(spec.data) if spec else ()
    return Prompts(
        folder=folder, prompts=tuple(listed or ()), prompts_said=listed, negative_said=negative, preset=name,
        negative=_setting("negative", table, under, name), negative_under=str(value_at(under, NEGATIVE) or ""),
        drawing={each: _setting(each, table, under, name) for each in DRAWING}, spec=spec, problem=problem,
        triggers=_each_once([trigger, *(each.trigger for each in sets)]),
        class_words=_each_once([class_word, *(each.class_word for each in sets)]),
        negative_acts=spec is None or _acts(spec, folder),
    )  # fmt: skip


def captions_of(prompts: Prompts) -> list[Entry]:
    """Captions of subject pictures that say something, in their order. Raises Refused where there are none."""
    spec = prompts.spec or resolve(open_project(prompts.folder))
    entries, _ = entries_of(prompts.folder, spec.data)
    found = [
        each for each in entries if each.dataset.role == "subject" and not each.problem and not empty(each)
    ]
    if not found:
        hint = "Write one in room 3, or a prompt here."
        raise refuse("No picture of the subject has a caption yet.", hint=hint)
    return found


def _resolved(project: Project, texts: Sequence[str]) -> tuple[RunSpec | None, str]:
    try:
        spec = resolve(project)
    except Refused as refused:
        return None, said(refused)
    try:
        allow(project.path, spec, "sample", texts)
    except Refused as refused:
        return spec, said(refused)
    return spec, ""


def _setting(name: str, table: Mapping[str, Any], under: Mapping[str, Any], preset_name: str) -> Setting:
    key = f"sample.{name}"
    for source, where in (("project", table), (preset_name, under)):
        if (value := value_at(where, key)) is not None:
            return Setting(value=value, source=source)
    return Setting(value=getattr(Sample(), name), source="default")


def _acts(spec: RunSpec, folder: Path) -> bool:
    try:
        family = describe(spec.base.source, folder, revision=spec.base.revision).family
    except Refused:
        family = ""
    facts = FAMILIES.get(family or spec.base.family)
    return not (facts and facts.distilled) or spec.sample.true_guidance > 1


def _each_once(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, texts)))
