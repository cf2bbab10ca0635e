"""`safelight look`: who has the address sees the pictures; nobody sees anything else."""

import http.client
import io
import json
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from engine.dataset.findings import Box, Finding
from tests.tui.conftest import ROOT
from tui.contact_sheet import PAGE, SIDE, Sheet, Shown

NAME = '<b onclick="x">&\n\x1b[31m\u202e.png'


@pytest.fixture
def sheet(tmp_path: Path) -> Iterator[Sheet]:
    Image.new("RGB", (900, 600), (200, 10, 10)).save(tmp_path / "0.png")
    (tmp_path / "1.png").write_bytes(b"<script>alert(1)</script>")
    finding = Finding(
        check="watermark", severity="blocker", pictures=(NAME,), value=f"{NAME} has <i>a mark</i>.",
        confidence="measured", method="m", remedy="Crop \"it\".",
        boxes={NAME: (Box(left=0.1, top=0.2, right=0.5, bottom=0.4, label="<u>"),)},
    )  # fmt: skip
    shown = [Shown(NAME, tmp_path / "0.png"), Shown("1.png", tmp_path / "1.png")]
    with Sheet("<cups>", shown, [finding], "#ffffff") as made:
        threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
        yield made
        made.shutdown()


def asked(
    sheet: Sheet, path: str, *, method: str = "GET", host: str | None = None
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", sheet.server_port, timeout=10)
    headers = {} if host is None else {"Host": host}
    connection.request(method, path, headers=headers)
    return connection.getresponse()


def test_the_page_has_every_picture_its_findings_and_their_boxes(sheet: Sheet) -> None:
    with urllib.request.urlopen(sheet.address) as answer:
        page = answer.read().decode()
    assert page.count("<figure>") == 2
    assert '<rect x="100.0" y="200.0" width="400.0" height="200.0">' in page
    assert "has &lt;i&gt;a mark&lt;/i&gt;." in page


def test_a_picture_says_what_to_do_and_leads_to_its_neighbours(sheet: Sheet) -> None:
    with urllib.request.urlopen(sheet.address + "picture/0") as answer:
        page = answer.read().decode()
    assert "Crop &quot;it&quot;.</span>" in page
    assert f'href="/{sheet.token}/picture/1">next' in page and "previous" not in page
    with urllib.request.urlopen(sheet.address + "picture/1") as answer:
        page = answer.read().decode()
    assert f'href="/{sheet.token}/picture/0">previous' in page and ">next" not in page


def test_names_and_findings_are_text_and_the_page_may_do_nothing(sheet: Sheet) -> None:
    for path in ("", "picture/0"):
        with urllib.request.urlopen(sheet.address + path) as answer:
            page = answer.read().decode()
            policy = answer.headers["Content-Security-Policy"]
        assert "<b onclick" not in page
        assert "<u>" not in page
        assert not re.search("[\x1b\u202e]", page)
        assert "script" not in page
        assert policy.startswith("default-src 'none'; img-src 'self'")
        assert "unsafe" not in policy


def test_a_picture_comes_small_and_whole(sheet: Sheet) -> None:
    sizes = {}
    for path in ("small/0", "small/0", "whole/0"):
        with urllib.request.urlopen(sheet.address + path) as answer:
            assert answer.headers["Content-Type"] == "image/jpeg"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            sizes[path] = Image.open(io.BytesIO(answer.read())).size
    assert sizes == {"small/0": (SIDE, SIDE * 2 // 3), "whole/0": (900, 600)}


@pytest.mark.parametrize(
    "path",
    [
        "/", "/favicon.ico", "/wrong/", "/{token}", "/{token}x/", "/{token}/small/2", "/{token}/small/-1",
        "/{token}/page/1",
        "/{token}/small/0.png", "/{token}/../0.png", "/{token}/whole//etc/passwd", "/{token}/whole/..%2f..%2fetc",
        "/{token}/small/\u0660", "/{token}/?x", "/{token}/project.toml", "/{token}/small/99999999999999",
    ],
)  # fmt: skip
def test_anything_else_is_not_found(sheet: Sheet, path: str) -> None:
    assert asked(sheet, urllib.parse.quote(path.format(token=sheet.token), safe="/?%")).status == 404


def test_a_file_that_is_no_picture_is_never_sent(sheet: Sheet) -> None:
    for path in ("small/1", "whole/1"):
        answer = asked(sheet, f"/{sheet.token}/{path}")
        assert answer.status == 404
        assert b"script" not in answer.read()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example:80", "", "localhost"]
)
def test_another_name_for_this_server_is_refused(sheet: Sheet, host: str) -> None:
    expected = 200 if host == "localhost" else 403
    assert asked(sheet, f"/{sheet.token}/", host=host).status == expected


def test_a_tunnel_may_end_at_another_port_and_nothing_can_be_written(sheet: Sheet) -> None:
    assert asked(sheet, f"/{sheet.token}/", host="localhost:9000").status == 200
    assert asked(sheet, f"/{sheet.token}/", method="POST").status == 501
    head = asked(sheet, f"/{sheet.token}/small/0", method="HEAD")
    assert (head.status, head.read()) == (200, b"")


def test_many_pictures_stand_on_several_pages(tmp_path: Path) -> None:
    shown = [Shown(f"{n}.png", tmp_path / f"{n}.png") for n in range(PAGE + 1)]
    with Sheet("many", shown, [], "#ffffff") as sheet:
        threading.Thread(target=sheet.serve_forever, args=(0.02,), daemon=True).start()
        second = asked(sheet, f"/{sheet.token}/page/1").read().decode()
        sheet.shutdown()
    assert second.count("<figure>") == 1
    assert f"small/{PAGE}" in second


def test_the_command_serves_until_it_is_interrupted_on_the_loopback_only(project: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tui.cli", "look", str(project), "--json"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    told = json.loads(process.stdout.readline())
    assert re.fullmatch(rf"http://127\.0\.0\.1:{told['port']}/[\w-]{{32}}/", told["address"])
    assert told["forward"].startswith(f"ssh -L {told['port']}:127.0.0.1:{told['port']} ")
    assert urllib.request.urlopen(told["address"]).read().count(b"<figure>") == 3
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(told["address"])
