"""Is a picture file whole? Decoders forgive a missing end, so it is looked for in the bytes."""

import re
import struct
import zlib

_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
"""A marker that ends entropy-coded data: not a stuffed zero, not a restart mark."""
_ALONE = frozenset(range(0xD0, 0xD9)) | {0x01}
"""JPEG markers without a length behind them."""
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def missing_end(data: bytes, kind: str) -> str:
    """Why the file of that kind (Pillow's name for it) is not whole, as a clause; empty when it is.

    JPEG, MPO, PNG and WEBP are looked at, other kinds are left to the full decode. Bytes behind the end are
    allowed: phones append films and depth maps.
    """
    if kind in ("JPEG", "MPO"):
        return _jpeg(data)
    if kind == "PNG":
        return _png(data)
    if kind == "WEBP" and len(data) < int.from_bytes(data[4:8], "little") + 8:
        return "its header announces more bytes than there are"
    return ""


def _jpeg(data: bytes) -> str:
    """Walk the segments, so that the end mark of a thumbnail inside one is not taken for the picture's."""
    at = 2
    while found := _JPEG_MARKER.search(data, at):
        marker, at = found[1][0], found.end()
        if marker == 0xD9:
            return ""
        if marker not in _ALONE:
            if at + 2 > len(data):
                break
            at += int.from_bytes(data[at : at + 2], "big")
    return "it has no end mark"


def _png(data: bytes) -> str:
    at = len(_PNG_SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        end = at + 12 + length
        if end > len(data):
            break
        # A lower-case first letter marks a chunk that no decoder needs: damage there is harmless.
        said = int.from_bytes(data[end - 4 : end], "big")
        if kind[:1].isupper() and zlib.crc32(data[at + 4 : end - 4]) != said:
            return f"its {kind.decode('latin-1')} chunk is damaged"
        if kind == b"IEND":
            return ""
        at = end
    return "it has no end mark"
