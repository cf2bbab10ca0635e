"""A base from the Hugging Face hub: the snapshot that is in the cache, or the files that are needed, downloaded into it."""

import errno
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from projects.bases import PICKLES, hub_snapshot
from projects.problems import Refused, refuse

Progress = Callable[[int, int], object]
"""(done_bytes, total_bytes)"""

_WHERE = "base.source"
_WEIGHTS = (".safetensors", ".onnx")
_MODELS = ("unet", "transformer", "vae", "text_encoder", "text_encoder_2", "safety_checker")
"""Parts with weights, of all families: which one it is shows when the configs are here."""
_SMALL = re.compile(
    r"model_index\.json|(scheduler|tokenizer(_2)?|text_encoder(_2)?|unet|transformer|vae|safety_checker|feature_extractor)/[^/]+\.(json|txt)"
)


def snapshot(
    repository: str,
    revision: str,
    *,
    complete: Callable[[Path], bool],
    check: Callable[[Path], None],
    on_progress: Progress,
    parts: Sequence[str] = _MODELS,
) -> Path:
    """Folder of the snapshot in huggingface_hub's cache. What is there and complete is used without asking the network.

    `parts`: whose weights are wanted. The configs come first; `check(folder)` may refuse the base by them before its
    weights are downloaded. `on_progress(done, total)` counts the bytes of all files needed, those that are there already
    included. Raises Refused when the hub cannot be reached, knows no such model, or the disk is full.
    """
    cached = hub_snapshot(repository, revision)
    if cached is not None and complete(cached):
        return cached
    return download(
        repository, revision, choose=lambda sizes: wanted(sizes, parts), check=check, on_progress=on_progress
    )


def download(
    repository: str,
    revision: str,
    *,
    choose: Callable[[Mapping[str, int]], Sequence[str]],
    check: Callable[[Path], None],
    on_progress: Progress,
    where: tuple[str, str] = (_WHERE, "base.revision"),
) -> Path:
    """Download what `choose(sizes)` names of a repository's files into huggingface_hub's cache, weights last, and give the
    folder of the snapshot. `check` and `on_progress` as in `snapshot`.

    where: what said the hub id and the revision. Raises Refused as `snapshot` does.
    """
    try:
        return _download(repository, revision, choose, check, on_progress)
    except Refused:
        raise
    except Exception as error:
        raise _refusal(repository, revision, error, where) from error


def wanted(sizes: Mapping[str, int], models: Sequence[str] = _MODELS) -> list[str]:
    """Names of the files that are needed out of a repository's: configs and tokenizers first, then safetensors of `models`.

    The plain weights of each part, half-precision ones where there are no others; never a pickle. Raises Refused for a
    repository that has none.
    """
    small = sorted(name for name in sizes if _SMALL.fullmatch(name))
    weights_of = re.compile(
        rf"((?:{'|'.join(models)})/(?:diffusion_pytorch_)?model)(\.fp16)?(-\d+-of-\d+)?\.safetensors"
    )
    parts: dict[str, dict[bool, list[str]]] = {}
    for name in sorted(sizes):
        if match := weights_of.fullmatch(name):
            parts.setdefault(match[1], {}).setdefault(match[2] is None, []).append(name)
    weights = [name for variants in parts.values() for name in variants.get(True) or variants[False]]
    if "model_index.json" not in sizes:
        single = sorted(name for name in sizes if name.endswith(".safetensors") and "/" not in name)
        hint = (
            f"Download {single[0]} and name the file." if single else "Name the hub id of a whole base model."
        )
        raise refuse(
            "This hub id is no base model in diffusers layout (no model_index.json).", where=_WHERE, hint=hint
        )
    if not weights and any(name.endswith(PICKLES) for name in sizes):
        raise refuse(
            "This hub id has only pickled weights, and opening a pickle runs whatever code is in it.",
            where=_WHERE,
            hint="Name a hub id with .safetensors files.",
        )
    return [*small, *weights]


def _download(
    repository: str,
    revision: str,
    choose: Callable[[Mapping[str, int]], Sequence[str]],
    check: Callable[[Path], None],
    on_progress: Progress,
) -> Path:
    from huggingface_hub import HfApi, hf_hub_download

    info = HfApi().model_info(repository, revision=revision or None, files_metadata=True)
    sizes = {str(file.rfilename): int(file.size or 0) for file in info.siblings or []}
    names = sorted(choose(sizes), key=lambda name: name.endswith(_WEIGHTS))
    small = [name for name in names if not name.endswith(_WEIGHTS)]
    total = sum(sizes[name] for name in names)
    _check_space(total)

    def fetch(name: str, done: int, at: str) -> Path:
        reporter = _reporter(on_progress, done, total)
        return Path(hf_hub_download(repository, name, revision=at, tqdm_class=reporter))

    commit, done, folder = str(info.sha), 0, Path()
    on_progress(0, total)
    for number, name in enumerate(names):
        if number == len(small):
            check(folder)
        file = fetch(name, done, commit)
        done += sizes[name]
        on_progress(done, total)
        folder = file.parents[name.count("/")]
    # Asked by branch once more, so that the cache remembers which snapshot the branch is.
    fetch(names[0], done, revision or "main")
    return folder


def _reporter(on_progress: Progress, before: int, total: int) -> type[Any]:
    """A progress bar that shows nothing and counts into `on_progress`."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    class Reporter(tqdm):
        """What huggingface_hub takes a progress bar for."""

        def __init__(self, *arguments: Any, initial: int = 0, **options: Any) -> None:
            options["disable"] = True
            options.pop("name", None)
            super().__init__(*arguments, initial=initial, **options)
            self.read = initial

        def update(self, n: float | None = 1) -> None:
            """Count `n` more bytes."""
            self.read += int(n or 0)
            on_progress(before + self.read, total)

    return Reporter


def _check_space(total: int) -> None:
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE)
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < total:
        raise _no_space(
            f"The download takes {_size(total)}, the disk has {_size(free)} left.", Path(HF_HUB_CACHE)
        )


def _no_space(error: str, where: Path) -> Refused:
    return refuse(
        error, where=where, hint="Free some space, or point HF_HOME to a larger disk, then start again."
    )


def _refusal(repository: str, revision: str, error: Exception, said: tuple[str, str]) -> Refused:
    """What went wrong with the hub, as a sentence. `said`: where the hub id and the revision were said."""
    from huggingface_hub import constants, errors

    where, where_revision = said

    host = constants.ENDPOINT
    if isinstance(error, errors.GatedRepoError):
        return refuse(
            f"{repository} is gated: its owner asks you to agree to a licence.",
            where=where,
            hint="Agree on its page, then log in with `hf auth login` and start again.",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return refuse(
            f"{repository} has no revision {revision or 'main'}.",
            where=where_revision,
            hint="Check it on the model's page.",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return refuse(
            f"{host} knows no model {repository}, or does not show it to you.",
            where=where,
            hint="Check the name; for a private model log in with `hf auth login`.",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _no_space("The disk is full; what was downloaded stays.", Path(constants.HF_HUB_CACHE))
    if isinstance(error, PermissionError):
        return refuse(
            "The hub's cache cannot be written.",
            where=constants.HF_HUB_CACHE,
            hint="Make it writable, or set HF_HOME.",
        )
    offline = "HF_HUB_OFFLINE is set" if os.environ.get("HF_HUB_OFFLINE") else f"{host} cannot be reached"
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return refuse(
        f"{repository} is not on this machine, and it cannot be downloaded: {offline} ({reason}).",
        where=where,
        hint="Start again when there is a network (what was downloaded stays), or name a folder or a file.",
    )


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
