"""The one way a file comes into being: written aside, synced, renamed. A reader sees the old file or the new one."""

import contextlib
import os
import stat
from pathlib import Path


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data`; on any error (no space, no permission) the old file is untouched and no rest stays.

    A file that is replaced keeps who may read and write it. Raises OSError as the system gave it; callers say which file
    and what to do.
    """
    replace_bytes(path, data)
    sync_folder(path.parent)


def replace_bytes(path: Path, data: bytes) -> None:
    """`write_bytes` for one of many files: after a power cut it may be the old one, until `sync_folder` was called."""
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


def append_line(path: Path, line: bytes) -> None:
    """Append one line with a single write on an append descriptor. For journals, which are never replaced."""
    close_torn_line(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, line + b"\n")
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
