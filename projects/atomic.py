"""The one way a file comes into being: written aside, synced, renamed. A reader sees the old file or the new one."""

import contextlib
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_AT_ONCE: Final = 8


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data`; on any error (no space, no permission) the old file is untouched and no rest stays.

    A file that is replaced keeps who may read and write it. Raises OSError as the system gave it; callers say which file
    and what to do.
    """
    _replace(path, data)
    sync_folder(path.parent)


def write_many(
    files: Sequence[tuple[Path, bytes]], on_written: Callable[[int], object] = lambda done: None
) -> list[tuple[Path, OSError]]:
    """`write_bytes` of each, with the folders synced once at the end; gives those that could not be written.

    Several at a time: a disk that is asked to sync many files at once does so in a fraction of the time.
    """
    # Whoever writes one file does not wait for this import.
    from concurrent.futures import ThreadPoolExecutor

    failed: list[tuple[Path, OSError]] = []

    def write(file: tuple[Path, bytes]) -> None:
        try:
            _replace(*file)
        except OSError as error:
            failed.append((file[0], error))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done, _ in enumerate(pool.map(write, files), start=1):
            on_written(done)
    written = {path for path, _ in files} - {path for path, _ in failed}
    for folder in {path.parent for path in written}:
        sync_folder(folder)
    return failed


def _replace(path: Path, data: bytes) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(descriptor, stat.S_IMODE(path.stat().st_mode))
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """`write_bytes` in UTF-8, line ends as given."""
    write_bytes(path, text.encode("utf-8"))


def rename_folder(aside: Path, final: Path) -> None:
    """Make a folder that was written aside the real one: every file in it synced first, then one rename.

    `final` must not exist yet: a half-written folder is never merged into a good one.
    """
    for file in aside.rglob("*"):
        if file.is_file():
            _sync_file(file)
    sync_folder(aside)
    if final.exists():
        raise FileExistsError(f"{final} exists already")
    os.rename(aside, final)
    sync_folder(final.parent)


def append_line(path: Path, line: bytes, *, synced: bool = False) -> None:
    """Append one line with a single write on an append descriptor. For journals, which are never replaced.

    synced: it outlives a power cut from then on.
    """
    close_torn_line(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, line + b"\n")
        if synced:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def close_torn_line(path: Path) -> None:
    """End a journal's last line where a writer died or a disk filled in the middle of it, so that it spoils only itself."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    except FileNotFoundError:
        return
    try:
        size = os.fstat(descriptor).st_size
        if size > 0 and os.pread(descriptor, 1, size - 1) != b"\n":
            os.write(descriptor, b"\n")
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
