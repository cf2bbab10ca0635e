"""The job directory: every path in it has one name here."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class JobDir:
    """A training, sampling, review, export or other job: a folder whose files are the whole state (docs/files.md)."""

    path: Path

    @property
    def spec(self) -> Path:
        """Resolved values, written once before the start, never edited."""
        return self.path / "spec.toml"

    @property
    def facts(self) -> Path:
        """Versions, device, threads and the base's fingerprint, one entry an attempt."""
        return self.path / "facts.json"

    @property
    def items(self) -> Path:
        """What is trained: picture, sha256, crop, bucket, captions, role, planned how often. Written once."""
        return self.path / "items.jsonl"

    @property
    def start_adapter(self) -> Path:
        """The adapter that `train --from` continues from: a copy, since its own run may let it go any time."""
        return self.path / "start.safetensors"

    @property
    def events(self) -> Path:
        """Append-only, numbered, one writer."""
        return self.path / "events.jsonl"

    @property
    def status(self) -> Path:
        """A small snapshot, replaced atomically."""
        return self.path / "status.json"

    @property
    def curve(self) -> Path:
        """Fixed-width steps for drawing; can be rebuilt from the events."""
        return self.path / "curve.bin"

    @property
    def log(self) -> Path:
        """stdout and stderr of the worker, tracebacks included."""
        return self.path / "out.log"

    @property
    def lock(self) -> Path:
        """Held by the worker as long as it lives."""
        return self.path / "lock"

    @property
    def requests(self) -> Path:
        """Files named stop, checkpoint, preview; moved to done/ when fulfilled, or dropped as too old or unknown."""
        return self.path / "requests"

    @property
    def requests_done(self) -> Path:
        """Requests that were fulfilled or dropped."""
        return self.requests / "done"

    @property
    def coverage(self) -> Path:
        """Which picture, crop and caption was trained at which step and attempt."""
        return self.path / "coverage.jsonl"

    @property
    def checkpoints(self) -> Path:
        """One folder a checkpoint."""
        return self.path / "checkpoints"

    def checkpoint(self, step: int) -> Path:
        """The folder of the checkpoint at `step`."""
        return self.checkpoints / f"step-{step:06d}"

    def steps_saved(self) -> list[int]:
        """Steps of the complete checkpoints, oldest first. A folder without a manifest is not one."""
        names = (
            path.parent.name.removeprefix("step-") for path in self.checkpoints.glob("step-*/manifest.json")
        )
        return sorted(int(name) for name in names if name.isdecimal())

    @property
    def previews(self) -> Path:
        """Pictures made while training."""
        return self.path / "previews"

    @property
    def pictures(self) -> Path:
        """Pictures of a sample job."""
        return self.path / "pictures"

    @property
    def to_draft(self) -> Path:
        """Which captions a fill job drafts, and what stood there when it began. Written once."""
        return self.path / "to_draft.json"

    @property
    def drafts(self) -> Path:
        """What the model said of each picture; only grows."""
        return self.path / "drafts.jsonl"

    @property
    def jobs(self) -> Path:
        """Later jobs on this run."""
        return self.path / "jobs"

    @property
    def review(self) -> Path:
        """Sheets, report, single pictures and review.json; people's own verdicts beside them. It only grows."""
        return self.path / "review"

    @property
    def duels(self) -> Path:
        """Which of two pictures a person took, duel by duel; only grows."""
        return self.review / "duels.jsonl"

    @property
    def blind(self) -> Path:
        """The sealed blind round: order of the opaque ids, sha256 of its key, and the first impression."""
        return self.review / "blind.json"

    @property
    def blind_key(self) -> Path:
        """Which picture each opaque id stands for. Whoever opens it early has seen what the round hides."""
        return self.review / "blind.key.json"

    @property
    def blind_verdicts(self) -> Path:
        """What a person said of each opaque id; only grows."""
        return self.review / "blind.jsonl"

    @property
    def blind_pictures(self) -> Path:
        """Copies of the round's pictures under their opaque ids."""
        return self.review / "blind"

    @property
    def blind_earlier(self) -> Path:
        """Blind rounds that were opened before the one that stands, one folder each."""
        return self.review / "blind-earlier"

    @property
    def grid(self) -> Path:
        """Of a grid job: its sheets and grid.json. Of a run or project: the single pictures of all its grids."""
        return self.path / "grid"

    @property
    def export(self) -> Path:
        """The files to use elsewhere, and a model card."""
        return self.path / "export"
