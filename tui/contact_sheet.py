"""A contact sheet of a project's pictures for a browser: read-only, on the loopback interface, behind a token.

What is served is this page, its pictures decoded anew, and nothing else: a picture is asked for by number, never by path.
"""

import hashlib
import html
import io
import re
import secrets
import threading
from base64 import b64encode
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from engine.dataset.findings import MARKS, Box, Finding
from engine.dataset.pictures import open_data, picture_bytes
from projects.problems import Refused
from tui.printable import printable

SIDE: Final = 320
"""Long side of a thumbnail in pixels."""
PAGE: Final = 200
"""Pictures on a page."""
KEPT: Final = 32 << 20
"""Bytes of thumbnails that are kept in memory."""
AT_ONCE: Final = 2
"""Pictures that are decoded at the same time: a browser asks for many, and each takes its size in memory."""
HOSTS: Final = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?")
"""What a browser may call this server. Another name is another page's, pointed here to read what is served."""

_STYLE: Final = """
body{background:#181818;color:#ddd;font:14px/1.4 sans-serif;margin:1em}a{color:#9cf}
main{display:flex;flex-wrap:wrap;gap:12px}figure{margin:0;width:320px}figcaption{overflow-wrap:anywhere}
.frame{position:relative;display:inline-block;max-width:100%}img{display:block;max-width:100%;min-height:20px}
svg{position:absolute;inset:0;width:100%;height:100%}
rect{fill:none;stroke:#fd0;stroke-width:2;vector-effect:non-scaling-stroke}
ul{margin:.2em 0;padding:0;list-style:none}.blocker{color:#f87}.warning{color:#fd6}.note{color:#aaa}
"""
_POLICY: Final = (
    "default-src 'none'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'"
)


@dataclass(frozen=True)
class Shown:
    """One picture of the sheet."""

    name: str
    path: Path


class Sheet(ThreadingHTTPServer):
    """The server; `serve_forever` it, then `server_close` it."""

    daemon_threads = True

    def __init__(
        self,
        title: str,
        pictures: Sequence[Shown],
        findings: Sequence[Finding],
        background: str,
        *,
        port: int = 0,
    ) -> None:
        """port: 0 takes a free one. Raises OSError where the port is taken."""
        self.title = title
        self.pictures = pictures
        self.findings = findings
        self.about: dict[str, list[Finding]] = defaultdict(list)
        """Picture -> what was found in it."""
        for finding in findings:
            for name in finding.pictures:
                self.about[name].append(finding)
        self.token = secrets.token_urlsafe(24)
        self._background = background
        self._thumbnails: OrderedDict[int, bytes] = OrderedDict()
        self._size = 0
        self._keeping = threading.Lock()
        self._decoding = threading.Semaphore(AT_ONCE)
        super().__init__(("127.0.0.1", port), _Asked)

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.server_port}/{self.token}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that leaves in the middle of an answer is no news."""

    def thumbnail(self, index: int) -> bytes:
        """JPEG, long side at most SIDE. Raises Refused."""
        with self._keeping:
            if (kept := self._thumbnails.get(index)) is not None:
                self._thumbnails.move_to_end(index)
                return kept
        made = self.drawn(index, SIDE)
        with self._keeping:
            if index not in self._thumbnails:
                self._size += len(made)
            self._thumbnails[index] = made
            while self._size > KEPT:
                self._size -= len(self._thumbnails.popitem(last=False)[1])
        return made

    def drawn(self, index: int, side: int = 0) -> bytes:
        """JPEG of the picture, upright, in sRGB; side: at most so long, 0 as it is. Raises Refused."""
        path = self.pictures[index].path
        with self._decoding:
            data = picture_bytes(path)
            picture, _ = open_data(path, data, self._background, at_least=side or 1 << 30)
            if side:
                picture.thumbnail((side, side))
            written = io.BytesIO()
            picture.save(written, "JPEG", quality=80 if side else 95, subsampling=2 if side else 0)
        return written.getvalue()


class _Asked(BaseHTTPRequestHandler):
    """One request. Everything that is not exactly an address of the sheet is not found."""

    server: Sheet
    timeout = 30
    _ADDRESS: Final = re.compile(r"/([\w-]{1,64})/(?:|(page|picture|small|whole)/([0-9]{1,9}))")

    def do_GET(self) -> None:
        """Answer."""
        if not HOSTS.fullmatch(self.headers.get("Host") or ""):
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        found = self._ADDRESS.fullmatch(self.path)
        if found is None or not secrets.compare_digest(found[1].encode(), self.server.token.encode()):
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        what, number = found[2] or "page", int(found[3] or 0)
        if number >= (len(self.server.pictures) if what != "page" else max(1, _pages(self.server))):
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        try:
            match what:
                case "page":
                    self._answer(_page(self.server, number).encode(), "text/html; charset=utf-8")
                case "picture":
                    self._answer(_picture(self.server, number).encode(), "text/html; charset=utf-8")
                case "small":
                    self._answer(self.server.thumbnail(number), "image/jpeg")
                case _:
                    self._answer(self.server.drawn(number), "image/jpeg")
        except (Refused, OSError, MemoryError):
            self._refuse(HTTPStatus.NOT_FOUND)

    do_HEAD = do_GET

    def _refuse(self, status: HTTPStatus) -> None:
        self._answer(status.phrase.encode(), "text/plain; charset=utf-8", status)

    def _answer(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind), ("Content-Length", str(len(body))), ("Content-Security-Policy", _POLICY),
            ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ):  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        """Nothing of this machine's versions."""
        return "safelight"

    def log_message(self, format: str, *arguments: object) -> None:
        """The terminal has the address; who looks at it needs no log."""


def _pages(sheet: Sheet) -> int:
    return -(-len(sheet.pictures) // PAGE)


def _page(sheet: Sheet, number: int) -> str:
    first = number * PAGE
    shown = sheet.pictures[first : first + PAGE]
    figures = "".join(_figure(sheet, first + index, one) for index, one in enumerate(shown))
    others = " ".join(f'<a href="/{sheet.token}/page/{n}">{n + 1}</a>' for n in range(_pages(sheet)))
    pages = f"<p>{others}</p>" if _pages(sheet) > 1 else ""
    about = _list([each for each in sheet.findings if not each.pictures], remedies=True)
    title = _text(sheet.title)
    head = f"<h1>{title}</h1><p>{len(sheet.pictures)} pictures</p>{about}"
    return _document(title, f"{head}{pages}<main>{figures}</main>{pages}")


def _figure(sheet: Sheet, index: int, one: Shown) -> str:
    link = f'href="/{sheet.token}/picture/{index}"'
    image = f'<img loading="lazy" alt="cannot be shown" src="/{sheet.token}/small/{index}">'
    found, boxes = _about(sheet, one.name)
    return (
        f'<figure><a class="frame" {link}>{image}{_drawing(boxes)}</a>'
        f"<figcaption>{_text(one.name)}{found}</figcaption></figure>"
    )


def _picture(sheet: Sheet, index: int) -> str:
    one = sheet.pictures[index]
    found, boxes = _about(sheet, one.name, remedies=True)
    ways = [("all pictures", f"page/{index // PAGE}")]
    ways += [("previous", f"picture/{index - 1}")] if index else []
    ways += [("next", f"picture/{index + 1}")] if index + 1 < len(sheet.pictures) else []
    back = "<p>" + " ".join(f'<a href="/{sheet.token}/{where}">{words}</a>' for words, where in ways) + "</p>"
    image = f'<img alt="cannot be shown" src="/{sheet.token}/whole/{index}">'
    name = _text(one.name)
    return _document(name, f'{back}<h1>{name}</h1>{found}<div class="frame">{image}{_drawing(boxes)}</div>')


def _about(sheet: Sheet, name: str, *, remedies: bool = False) -> tuple[str, list[Box]]:
    found = sheet.about.get(name, [])
    return _list(found, remedies=remedies), [box for each in found for box in each.boxes.get(name, ())]


def _list(found: Sequence[Finding], *, remedies: bool = False) -> str:
    return f"<ul>{''.join(_line(each, remedies=remedies) for each in found)}</ul>" if found else ""


def _line(finding: Finding, *, remedies: bool) -> str:
    ignored = f" (ignored: {finding.ignored})" if finding.ignored else ""
    words = _text(f"{MARKS[finding.severity]} {finding.value}{ignored}")
    remedy = f'<br><span class="note">{_text(finding.remedy)}</span>' if remedies else ""
    return f'<li class="{_text(finding.severity)}" title="{_text(finding.remedy)}">{words}{remedy}</li>'


def _drawing(boxes: Sequence[Box]) -> str:
    """The boxes over a picture of any size: the drawing has the picture's sides as 1000 each."""
    if not boxes:
        return ""
    rects = "".join(
        f'<rect x="{1000 * box.left:.1f}" y="{1000 * box.top:.1f}" width="{1000 * (box.right - box.left):.1f}" '
        f'height="{1000 * (box.bottom - box.top):.1f}"><title>{_text(box.label)}</title></rect>'
        for box in boxes
    )
    return f'<svg viewBox="0 0 1000 1000" preserveAspectRatio="none">{rects}</svg>'


def _document(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'


def _text(text: str) -> str:
    return html.escape(printable(text))
