"""The same content is the same bytes, and the hashes are those that other tools compute."""

import hashlib
import json
from io import BytesIO

import torch
from safetensors.torch import load, save

from engine.container import body_digest, legacy_digest, pack

TENSORS = {
    "b.lora_up.weight": torch.arange(600_000, dtype=torch.float32).reshape(2, -1),
    "a.alpha": torch.tensor(4.0),
    "a.lora_down.weight": torch.ones(3, 5, dtype=torch.float16),
}
METADATA = {f"ss_{number}": f"value \u00e9 {number}" for number in range(40)} | {"other": "x"}


def test_bytes_do_not_depend_on_chance_or_order() -> None:
    turned = dict(reversed(METADATA.items()))
    assert pack(TENSORS, METADATA) == pack(dict(reversed(TENSORS.items())), turned)
    written = json.loads(pack(TENSORS, METADATA)[8:].split(b"}}", 1)[0] + b"}}")
    assert list(written["__metadata__"]) == sorted(METADATA)


def test_the_library_reads_what_was_packed() -> None:
    data = pack(TENSORS, METADATA)
    found = load(data)
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[key], TENSORS[key]) for key in TENSORS)
    assert int.from_bytes(data[:8], "little") % 8 == 0


def test_hashes_are_those_of_sd_scripts() -> None:
    """Computed here as it computes them: over the file that the library writes, header skipped, and the old short one."""
    plain = save(TENSORS)
    assert (
        body_digest(TENSORS) == hashlib.sha256(plain[8 + int.from_bytes(plain[:8], "little") :]).hexdigest()
    )
    training = {key: value for key, value in METADATA.items() if key.startswith("ss_")}
    stream = BytesIO(pack(TENSORS, training))
    stream.seek(0x100000)
    assert legacy_digest(TENSORS, METADATA) == hashlib.sha256(stream.read(0x10000)).hexdigest()[:8]
