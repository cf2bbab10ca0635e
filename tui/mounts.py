"""Which file system a path is on, and what becomes of its files when the machine goes."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["memory", "container", "network", "disk", "unknown"]

_MEMORY = ("tmpfs", "ramfs", "devtmpfs")
_CONTAINER = ("overlay", "aufs", "fuse-overlayfs")
_NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "ceph",
    "lustre",
    "beegfs",
    "gluster",
    "fuse",
    "virtiofs",
    "gpfs",
    "afs",
    "weka",
)


@dataclass(frozen=True)
class Mount:
    """One mounted file system."""

    point: str
    type: str
    """Its name in the kernel, e.g. ext4, overlay, nfs4, fuse.sshfs."""

    @property
    def kind(self) -> Kind:
        """The sort of place it is, as far as its type tells."""
        if self.type in _MEMORY:
            return "memory"
        if self.type in _CONTAINER:
            return "container"
        if any(self.type == name or self.type.startswith((name + ".", name)) for name in _NETWORK):
            return "network"
        return "disk" if self.type else "unknown"


WHEN_THE_MACHINE_GOES = {
    "memory": "in memory, lost when the machine restarts",
    "container": "inside the container, lost when the container is removed",
    "network": "on a network or shared file system, which outlives this machine",
    "disk": "on this machine's disk; a rented machine may take it along when it goes",
    "unknown": "of a kind that cannot be told here",
}


def mount_of(path: Path, table: str | None = None) -> Mount:
    """The mount that `path` (or its nearest existing parent) lies on. `table` is the text of /proc/self/mountinfo."""
    if table is None:
        try:
            table = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return Mount("/", "")
    resolved = path.resolve()
    best = Mount("/", "")
    for line in table.splitlines():
        left, separator, right = line.partition(" - ")
        fields = left.split()
        if not separator or len(fields) < 5:
            continue
        point = re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), fields[4])
        # A later line is mounted over an earlier one of the same place.
        if resolved.is_relative_to(point) and len(point) >= len(best.point):
            best = Mount(point, right.split()[0])
    return best
