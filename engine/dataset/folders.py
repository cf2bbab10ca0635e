"""Which files of a project are pictures, captions and leftovers, and what each picture is called. Opens nothing."""

import difflib
import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from engine.dataset.captions import sidecars
from engine.dataset.pictures import EXTENSIONS
from projects.problems import Problem, listed
from projects.spec import Data, DataSet, Role, data_sets

_OWN_FOLDERS = ("runs", "jobs", "cache")
"""Safelight's own folders of a project: the pictures in them are made, never data."""
_SYSTEM_FILES = ("thumbs.db", "desktop.ini")


@dataclass(frozen=True, kw_only=True)
class Found:
    """One picture file and the caption files beside it."""

    name: str
    """As people write it: relative to the first subject set, or to the project for any other set."""
    path: Path
    """Absolute."""
    dataset: DataSet
    captions: tuple[Path, ...]
    """Its caption and the variants, in order; empty when there is none."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What lies in the folders of a project."""

    pictures: tuple[Found, ...]
    """Set by set, by name; those left out in data.excluded are not among them."""
    problems: tuple[Problem, ...]
    """What stands in the way of a training."""
    notes: tuple[Problem, ...]
    """What is worth knowing and stops nothing."""
    orphans: tuple[str, ...]
    """Caption files without a picture, which `notes` say too."""

    def counts(self) -> dict[Role, int]:
        """Pictures a role."""
        roles: tuple[Role, ...] = get_args(Role)
        return {role: sum(found.dataset.role == role for found in self.pictures) for role in roles}


def find_pictures(project: Path, data: Data) -> Findings:
    """List every set. Never raises for what people can put into a folder: it is in `problems`, all of it.

    Sub-folders are read, hidden files and folders are not. Pictures are known by their extension.
    """
    problems: list[Problem] = []
    notes: list[Problem] = []
    orphans: list[str] = []
    everything: list[Found] = []
    sets = data_sets(data)
    first = next((dataset for dataset in sets if dataset.role == "subject"), None)
    if first is None:
        hint = "Say where they are: data.images."
        problems.append(
            Problem(error="No set of subject pictures is named.", where="project.toml: data", hint=hint)
        )
    for dataset in sets:
        folder = Path(os.path.abspath(project / dataset.path))
        files = list(_below(folder, Path(os.path.abspath(project)), problems))
        home = folder if dataset is first else Path(os.path.abspath(project))
        everything += _pair(files, dataset, home, data.caption_extension, notes, orphans)
        if not any(found.dataset is dataset for found in everything) and folder.is_dir():
            hint = f"Put pictures there ({', '.join(sorted(EXTENSIONS))}), or name another folder."
            problems.append(Problem(error="holds no pictures.", where=str(folder), hint=hint))
    pictures = [found for found in everything if found.name not in data.excluded]
    for dataset in sets:
        if any(f.dataset is dataset for f in everything) and not any(f.dataset is dataset for f in pictures):
            where = f"project.toml: data.excluded, set {dataset.path}"
            problems.append(
                Problem(error="Every picture of the set is left out.", where=where, hint="Keep some.")
            )
    problems += _unmatched(data, everything)
    problems += _unreadable_names(pictures)
    problems += _ambiguous(pictures)
    return Findings(
        pictures=tuple(pictures), problems=tuple(problems), notes=tuple(notes), orphans=tuple(orphans)
    )


def first_pictures(project: Path, data: Data, count: int) -> list[Found]:
    """The first `count` pictures of `find_pictures`, or fewer, in a part of its time: to have something to show at once."""
    root = Path(os.path.abspath(project))
    sets = data_sets(data)
    first = next((dataset for dataset in sets if dataset.role == "subject"), None)
    for dataset in sets:
        folder = Path(os.path.abspath(project / dataset.path))
        home = folder if dataset is first else root
        files: list[str] = []
        pictures = 0
        for file in _below(folder, root, []):
            pictures += _is_picture(file)
            if pictures > count:
                # What belongs to a picture begins with its stem and a full stop, so it stands beside it.
                break
            files.append(file)
        found = _pair(files, dataset, home, data.caption_extension, [], [])
        if kept := [each for each in found if each.name not in data.excluded]:
            return kept[:count]
    return []


def _below(folder: Path, project: Path, problems: list[Problem]) -> Iterator[str]:
    """Every file below `folder` that is not hidden, in the order of its path, part by part; a folder that cannot be read is
    a problem, not a gap.

    As text: of ten thousand pictures with captions, paths take ten times as long.
    """
    if not folder.is_dir():
        problems.append(
            Problem(
                error="is not there or is no folder.", where=str(folder), hint="Check the path in [data]."
            )
        )
        return
    own = {str(project / name) for name in _OWN_FOLDERS}
    seen: set[str] = set()
    open_folders = [_entries(str(folder), seen, problems)]
    while open_folders:
        entry = next(open_folders[-1], None)
        if entry is None:
            open_folders.pop()
        elif not _is_folder(entry):
            yield entry.path
        elif entry.path not in own:
            open_folders.append(_entries(entry.path, seen, problems))


def _entries(folder: str, seen: set[str], problems: list[Problem]) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder, by name."""
    real = os.path.realpath(folder)
    if real in seen:  # A link back to a folder above would be walked for ever.
        return iter(())
    seen.add(real)
    try:
        with os.scandir(folder) as entries:
            shown = [each for each in entries if _shown(each.name)]
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "Check its permissions."
        problems.append(Problem(error=f"cannot be read: {reason}.", where=folder, hint=hint))
        return iter(())
    return iter(sorted(shown, key=lambda each: each.name))


def _shown(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in _SYSTEM_FILES


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_picture(file: str) -> bool:
    return os.path.splitext(file)[1].lower() in EXTENSIONS


def _stem(file: str) -> str:
    return os.path.splitext(os.path.basename(file))[0]


def _pair(
    files: list[str],
    dataset: DataSet,
    home: Path,
    extension: str,
    notes: list[Problem],
    left_over: list[str],
) -> list[Found]:
    """Pictures with their caption files; what is left over becomes notes."""
    ending = f".{extension}"
    pictures = [(file, os.path.dirname(file), _stem(file)) for file in files if _is_picture(file)]
    # By what may be the picture's stem, so that ten thousand pictures are not each held against all names.
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for file in files:
        if file.endswith(ending):
            folder, name = os.path.split(file)
            stem = name.removesuffix(ending)
            names[folder, stem].add(name)
            names[folder, stem.rpartition(".")[0]].add(name)
    own: dict[str, set[str]] = defaultdict(set)
    for _, folder, stem in pictures:
        own[folder].add(f"{stem}{ending}")
    found, used = [], {file for file, *_ in pictures}
    front = os.path.join(home, "")
    for file, folder, stem in pictures:
        path = Path(file)
        captions = sidecars(path, extension, names.get((folder, stem), ()), own[folder])
        used.update(map(str, captions))
        found.append(Found(name=_name(file, front), path=path, dataset=dataset, captions=tuple(captions)))
    left = [file for file in files if file not in used]
    orphans = tuple(_name(file, front) for file in left if file.lower().endswith(ending.lower()))
    others = tuple(_name(file, front) for file in left if not file.lower().endswith(ending.lower()))
    left_over += orphans
    if orphans:
        error = f"Captions without a picture: {listed(orphans)}."
        hint = "Check the names: the stem and the extension must be the picture's, case included."
        notes.append(Problem(error=error, where=dataset.path, hint=hint, files=orphans))
    if others:
        error = f"Not pictures, left aside: {listed(others)}."
        notes.append(Problem(error=error, where=dataset.path, files=others))
    return found


def _name(file: str, front: str) -> str:
    """front: the folder that names are relative to, with a separator at its end."""
    return file.removeprefix(front).replace(os.sep, "/")


def _unmatched(data: Data, everything: list[Found]) -> list[Problem]:
    names = [found.name for found in everything]
    tables: tuple[tuple[str, Mapping[str, object]], ...] = (("excluded", data.excluded), ("crop", data.crop))
    problems = []
    for table, keys in tables:
        for key in keys:
            if key in names:
                continue
            near = [name for name in names if _bare(name) == _bare(key)]
            near = near or difflib.get_close_matches(key, names, n=3, cutoff=0.6)
            hint = f"Did you mean {' or '.join(listed([name]) for name in near[:3])}?" if near else _NAMING
            error = f'No picture is called "{listed([key])}".'
            problems.append(Problem(error=error, where=f"project.toml: data.{table}", hint=hint))
    return problems


def _bare(name: str) -> str:
    """A picture's name without folder and case: what people get right when they get the rest wrong."""
    return name.rsplit("/", 1)[-1].casefold()


_NAMING = "Pictures of the first subject set are named relative to it, all others relative to the project."


def _unreadable_names(pictures: list[Found]) -> list[Problem]:
    """Names that cannot be written down: not UTF-8, or with characters that steer a terminal."""
    return [
        Problem(
            error=f"The file name {listed([found.name])} holds characters that are no text.",
            where=found.dataset.path,
            hint="Rename the file.",
        )
        for found in pictures
        if any(unicodedata.category(char) in ("Cc", "Cs") for char in found.name)
    ]


def _ambiguous(pictures: list[Found]) -> list[Problem]:
    """Pictures that share a caption, a name or a file."""
    problems = []
    for stem, group in _grouped((os.path.splitext(found.path)[0], found) for found in pictures):
        if len(group) > 1 and len({found.path for found in group}) > 1:
            both = listed([found.name for found in group])
            error = f"{both} share one caption, {Path(stem).name}.*: it cannot be told whose it is."
            hint = "Rename one with its caption, or leave one out in data.excluded."
            problems.append(Problem(error=error, where=group[0].dataset.path, hint=hint))
    for name, group in _grouped((found.name, found) for found in pictures):
        if len(group) > 1 and len({found.path for found in group}) > 1:
            error = (
                f"Two pictures are called {listed([name])}: {listed([str(found.path) for found in group])}."
            )
            problems.append(
                Problem(error=error, where="project.toml: data", hint="Rename one of the folders.")
            )
    shared: dict[tuple[str, ...], list[str]] = defaultdict(list)
    folders = {folder: os.path.realpath(folder) for folder in {os.path.dirname(one.path) for one in pictures}}
    for _, group in _grouped((_real(found.path, folders), found) for found in pictures):
        if len(group) > 1:
            shared[tuple(found.dataset.path for found in group)].append(group[0].name)
    for paths, names in shared.items():
        error = f"The same files belong to the sets {' and '.join(paths)}: {listed(names)}."
        hint = "Give every set a folder of its own, none inside another, without links to the same file."
        problems.append(Problem(error=error, where="project.toml: data", hint=hint, files=tuple(names)))
    return problems


def _real(path: Path, folders: Mapping[str, str]) -> str:
    """The file's own place, whatever links lead there; of its folder it is known."""
    if os.path.islink(path):
        return os.path.realpath(path)
    return os.path.join(folders[os.path.dirname(path)], path.name)


def _grouped(pairs: Iterable[tuple[str, Found]]) -> list[tuple[str, list[Found]]]:
    groups: dict[str, list[Found]] = defaultdict(list)
    for key, found in pairs:
        groups[key].append(found)
    return list(groups.items())
