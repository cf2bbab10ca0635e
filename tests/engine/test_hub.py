"""Downloads from a little hub on 127.0.0.1: only what is needed, with size and progress, each failure a sentence."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

import pytest

COMMIT = "c0ffee" + "0" * 34
ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "README.md": b"# a model",
    "model_index.json": b'{"_class_name": "StableDiffusionXLPipeline"}',
    "scheduler/scheduler_config.json": b"{}",
    "tokenizer/vocab.json": b"{}",
    "unet/config.json": b"{}",
    "unet/diffusion_pytorch_model.safetensors": b"u" * 300_000,
    "unet/diffusion_pytorch_model.fp16.safetensors": b"h" * 150_000,
    "unet/diffusion_pytorch_model.bin": b"p" * 300_000,
    "vae/diffusion_pytorch_model.safetensors": b"v" * 100_000,
}
NEEDED = {name for name in FILES if name != "README.md" and ".fp16" not in name and not name.endswith(".bin")}

CHILD = """
import json, shutil, sys
from collections import namedtuple
from pathlib import Path
from engine.families import hub
from projects.problems import Refused, refuse
from projects.bases import hub_snapshot

repository, revision, free, accept = sys.argv[1:]
if free:
    usage = namedtuple("usage", "total used free")
    hub.shutil.disk_usage = lambda path: usage(0, 0, int(free))
seen = []
def check(folder):
    seen.append(sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()))
    if not accept:
        raise refuse("another family.")
progress = []
complete = lambda folder: (folder / "vae" / "diffusion_pytorch_model.safetensors").is_file()
try:
    folder = hub.snapshot(repository, revision, complete=complete, check=check,
                          on_progress=lambda done, total: progress.append((done, total)))
    files = {str(f.relative_to(folder)): f.stat().st_size for f in folder.rglob("*") if f.is_file()}
    told = {"files": files, "known": str(hub_snapshot(repository, revision)) == str(folder)}
except Refused as refused:
    told = {"refused": str(refused)}
print(json.dumps({**told, "progress": progress, "checked": seen}))
"""


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a download asks for."""

    asked: ClassVar[list[str]] = []

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        path = unquote(self.path.partition("?")[0])
        self.asked.append(f"{self.command} {path}")
        if path in ("/api/models/someone/tiny", "/api/models/someone/tiny/revision/main"):
            files = [{"rfilename": name, "size": len(data)} for name, data in FILES.items()]
            self._send(
                200, json.dumps({"id": "someone/tiny", "sha": COMMIT, "siblings": files}).encode(), body
            )
            return
        start, _, rest = path.partition("/resolve/")
        name = rest.partition("/")[2]
        if start == "/someone/tiny" and name in FILES:
            self._send(200, FILES[name], body)
        elif start.startswith("/api/models/someone/tiny/revision/"):
            self._send(404, b"", body, {"X-Error-Code": "RevisionNotFound"})
        else:
            self._send(404, b"", body, {"X-Error-Code": "RepoNotFound"})

    def _send(self, status: int, data: bytes, body: bool, extra: dict[str, str] | None = None) -> None:
        self.send_response(status)
        headers = {"Content-Length": str(len(data)), "ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
        for name, value in {**headers, "X-Repo-Commit": COMMIT, **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)


@pytest.fixture
def endpoint() -> Iterator[str]:
    Hub.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def download(
    endpoint: str,
    home: Path,
    repository: str = "someone/tiny",
    revision: str = "",
    free: str = "",
    accept: str = "yes",
) -> dict[str, Any]:
    """What a process of its own, in which HF_ENDPOINT is the little hub, says of the download."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "*",
    }
    child = subprocess.run(
        [sys.executable, "-c", CHILD, repository, revision, free, accept],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    return dict(json.loads(child.stdout.splitlines()[-1]))


def test_what_is_needed_is_downloaded_with_size_and_progress(endpoint: str, tmp_path: Path) -> None:
    told = download(endpoint, tmp_path)
    assert told["files"] == {name: len(FILES[name]) for name in NEEDED}
    assert told["known"]
    total = sum(len(FILES[name]) for name in NEEDED)
    done = [one for one, of in told["progress"] if of == total]
    assert len(done) == len(told["progress"]) and done[0] == 0 and done[-1] == total and done == sorted(done)
    fetched = {
        line.partition(f"/resolve/{COMMIT}/")[2] for line in Hub.asked if line.startswith("GET /someone")
    }
    assert fetched - {""} <= NEEDED
    assert all(not name.endswith(".safetensors") for name in told["checked"][0])


def test_what_was_downloaded_is_used_without_the_network(endpoint: str, tmp_path: Path) -> None:
    first = download(endpoint, tmp_path)
    Hub.asked.clear()
    again = download("http://127.0.0.1:9", tmp_path)
    assert again["files"] == first["files"] and again["progress"] == [] and Hub.asked == []


def test_a_base_that_its_configs_rule_out_is_not_downloaded(endpoint: str, tmp_path: Path) -> None:
    told = download(endpoint, tmp_path, accept="")
    assert told["refused"] == "another family."
    assert not any(".safetensors" in line for line in Hub.asked)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"repository": "someone/else"}, "knows no model someone/else"),
        ({"revision": "v9"}, "someone/tiny has no revision v9"),
        ({"free": "1000"}, "The download takes 0.4 MB, the disk has 0.0 MB left. Free some space"),
    ],
)
def test_what_the_hub_and_the_disk_cannot_do_is_a_sentence(
    settings: dict[str, str], expected: str, endpoint: str, tmp_path: Path
) -> None:
    told = download(endpoint, tmp_path, **settings)
    assert expected in told["refused"]
    assert not any(".safetensors" in line for line in Hub.asked)


def test_no_network_is_a_sentence(tmp_path: Path) -> None:
    told = download("http://127.0.0.1:9", tmp_path)
    assert "someone/tiny is not on this machine, and it cannot be downloaded" in told["refused"]


FILL = """
import json, sys
from pathlib import Path
from engine.desk import Desk
from engine.fill import model
from projects.events import read
from projects.job import JobDir
from projects.problems import Refused
from projects.spec import FillJob, RunSpec

job = JobDir(Path(sys.argv[1]))
job.path.mkdir(parents=True, exist_ok=True)
try:
    with Desk.open(job) as desk:
        facts = model.find(desk, FillJob(project=sys.argv[1], model="someone/tiny", prompt=sys.argv[2], spec=RunSpec()))
    files = {f.name: f.stat().st_size for f in facts.path.iterdir()}
    told = {"files": files, "method": facts.method}
except Refused as refused:
    told = {"refused": str(refused)}
said = [event for event in read(job.events)[0] if event["kind"] in ("phase", "progress")]
print(json.dumps({**told, "said": said}))
"""
MODEL = {
    "README.md": b"# a model",
    "config.json": b'{"model_type": "llava"}',
    "tokenizer.json": b"{}",
    "model.safetensors": b"m" * 3_000_000,
    "pytorch_model.bin": b"p" * 300_000,
}


def found(endpoint: str, folder: Path, prompt: str = "") -> dict[str, Any]:
    """What a process of its own says of a model that drafts captions."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "home"), "NO_PROXY": "*"}
    child = subprocess.run(
        [sys.executable, "-c", FILL, str(folder / "job"), prompt], cwd=ROOT, env=environment, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert child.returncode == 0, child.stderr
    return dict(json.loads(child.stdout.splitlines()[-1]))


def test_a_model_that_drafts_captions_comes_with_its_size_said_and_without_pickles(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "FILES", MODEL)
    told = found(endpoint, tmp_path)
    wanted = ("config.json", "tokenizer.json", "model.safetensors")
    assert told["files"] == {name: len(MODEL[name]) for name in wanted}
    assert told["method"] == "image-text-to-text"
    progress = [event for event in told["said"] if event["kind"] == "progress"]
    assert progress[0]["what"] == "downloading someone/tiny, megabytes"
    assert (progress[0]["done"], progress[0]["total"], progress[-1]["done"]) == (0, 4, 4)
    Hub.asked.clear()
    again = found("http://127.0.0.1:9", tmp_path)
    assert again["files"] == told["files"] and Hub.asked == []


def test_a_model_that_its_small_files_rule_out_is_not_downloaded(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tagger = {"config.json": b"{}", "selected_tags.csv": b"name,category", "model.onnx": b"o" * 1000}
    monkeypatch.setattr(sys.modules[__name__], "FILES", tagger)
    told = found(endpoint, tmp_path, "What is it?")
    assert "A WD Tagger reads no prompt" in told["refused"]
    assert not any("model.onnx" in line for line in Hub.asked if line.startswith("GET"))
