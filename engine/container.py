"""The bytes of a .safetensors file, the same for the same content. The library writes its metadata in random order."""

import hashlib
import json
from collections.abc import Mapping

from safetensors.torch import save
from torch import Tensor


def pack(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """A whole .safetensors file: header with sorted metadata in front, then the tensors as the library lays them out."""
    header, body = _split(save(dict(tensors)))
    entries = dict(sorted(header.items(), key=lambda entry: (entry[1]["data_offsets"], entry[0])))
    text = json.dumps(
        {"__metadata__": dict(sorted(metadata.items())), **entries}, separators=(",", ":")
    ).encode()
    text += b" " * (-len(text) % 8)  # the tensors begin at a multiple of 8, as the format wants it
    return b"".join((len(text).to_bytes(8, "little"), text, body))


def body_digest(tensors: Mapping[str, Tensor]) -> str:
    """sha256 in hex over everything behind the header: what sd-scripts and the web interfaces know a file by."""
    return hashlib.sha256(_split(save(dict(tensors)))[1]).hexdigest()


def legacy_digest(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """The old short hash: 64 kB from the first MB on, of the file with the `ss_` part of its metadata only."""
    training = {key: value for key, value in metadata.items() if key.startswith("ss_")}
    return hashlib.sha256(pack(tensors, training)[0x100000:0x110000]).hexdigest()[:8]


def _split(data: bytes) -> tuple[dict, memoryview]:
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), memoryview(data)[end:]
