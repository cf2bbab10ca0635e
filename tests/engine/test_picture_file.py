"""What a made picture says of itself: to A1111, to Safelight, and to whoever asks if it is a photograph."""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.picture_file import (
    Settings,
    UsedAdapter,
    encode_png,
    parameters,
    read_settings,
    tensors_hash,
    write_picture,
)
from projects import atomic
from projects.problems import Refused

SETTINGS = Settings(
    prompt="aur3lia_portrait, a woman in a café",
    negative="blurry, watermark",
    seed=1,
    guidance=3.0,
    steps=25,
    sampler="dpm++ 2m karras",
    size=(64, 48),
    base="demo",
    base_fingerprint="0123456789abcdef",
    adapters=(UsedAdapter(name="aurelia", weight=0.7, hash="aabbccddeeff"),),
    run="2026-11-24-1530-r32",
    step=500,
)
PICTURE = Image.new("RGB", (64, 48), (200, 120, 40))
_PAIR = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')


def as_a1111_reads(text: str) -> dict[str, str]:
    """The reading rules of A1111's parameters text: prompt lines, negative lines, one last line of pairs."""
    *lines, last = text.strip().split("\n")
    found = {"prompt": "", "negative": ""}
    part = "prompt"
    for line in map(str.strip, lines):
        if line.startswith("Negative prompt:"):
            part, line = "negative", line[16:].strip()
        found[part] += ("\n" if found[part] else "") + line
    pairs = {key: json.loads(value) if value.startswith('"') else value for key, value in _PAIR.findall(last)}
    return found | pairs


def chunks_of(path: Path) -> dict[str, str]:
    with Image.open(path) as picture:
        picture.load()
        return {str(key): value for key, value in picture.info.items() if isinstance(value, str)}


def test_parameters_are_what_a1111_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    write_picture(path, PICTURE, SETTINGS)
    text = chunks_of(path)["parameters"]
    assert text.startswith(
        "aur3lia_portrait, a woman in a café <lora:aurelia:0.7>\n"
        "Negative prompt: blurry, watermark\n"
        "Steps: 25, Sampler: DPM++ 2M Karras, CFG scale: 3, Seed: 1, Size: 64x48, "
        'Model hash: 0123456789, Model: demo, Lora hashes: "aurelia: aabbccddeeff"'
    )
    read = as_a1111_reads(text)
    assert read["negative"] == "blurry, watermark"
    assert read["Lora hashes"] == "aurelia: aabbccddeeff"


def test_values_that_would_break_the_line_of_pairs_are_quoted() -> None:
    odd = replace(SETTINGS, base='a, "b": c\nd', adapters=(UsedAdapter(name="x>,:y", weight=1.0, hash="ff"),))
    read = as_a1111_reads(parameters(odd))
    assert read["Model"] == 'a, "b": c\nd'
    assert read["Seed"] == "1"
    assert read["prompt"].endswith("<lora:x___y:1>")


def test_distilled_guidance_stands_where_forge_reads_it() -> None:
    read = as_a1111_reads(parameters(replace(SETTINGS, guidance=3.5, true_guidance=1.0)))
    assert (read["CFG scale"], read["Distilled CFG Scale"]) == ("1", "3.5")
    assert "Distilled" not in parameters(SETTINGS)


def test_an_empty_negative_prompt_and_no_adapter_leave_no_trace() -> None:
    text = parameters(replace(SETTINGS, negative="", adapters=()))
    assert "Negative prompt" not in text and "lora" not in text.lower()


@given(prompt=st.text(st.characters(), max_size=60), negative=st.text(max_size=30))
def test_any_text_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, prompt: str, negative: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.png"
    settings = replace(SETTINGS, prompt=prompt, negative=negative)
    path.write_bytes(encode_png(PICTURE, asdict(settings), parameters=parameters(settings)))
    read = read_settings(path)
    assert (read["prompt"], read["negative"]) == (prompt, negative)
    assert chunks_of(path)["parameters"].startswith(prompt.encode("utf-8", "replace").decode())


@pytest.mark.parametrize(
    "prompt", ["Grüße, 写真, 🙂", "half \ud83d of a pair", "two\nlines", "nul \x00 inside", "日本"]
)
def test_awkward_prompts_come_back_exactly(tmp_path: Path, prompt: str) -> None:
    path = tmp_path / "one.png"
    write_picture(path, PICTURE, replace(SETTINGS, prompt=prompt))
    assert read_settings(path)["prompt"] == prompt


def test_settings_hold_run_step_weights_and_versions(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    write_picture(path, PICTURE, SETTINGS)
    read = read_settings(path)
    assert read["run"] == "2026-11-24-1530-r32" and read["step"] == 500
    assert read["adapters"] == [{"name": "aurelia", "weight": 0.7, "hash": "aabbccddeeff"}]
    assert read["versions"]["torch"]


def test_the_picture_says_in_xmp_that_it_was_made(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    write_picture(path, PICTURE, SETTINGS)
    packet = ElementTree.fromstring(chunks_of(path)["XML:com.adobe.xmp"])
    values = {key: value for element in packet.iter() for key, value in element.attrib.items()}
    assert values["{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"] == (
        "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    )


def test_pixels_are_untouched(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    write_picture(path, PICTURE, SETTINGS)
    with Image.open(path) as read:
        assert read.tobytes() == PICTURE.tobytes() and read.mode == "RGB"


def test_no_space_leaves_the_old_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "one.png"
    write_picture(path, PICTURE, SETTINGS)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(Refused, match="No space"):
        write_picture(path, PICTURE, replace(SETTINGS, seed=2))
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"not a picture", encode_png(PICTURE, {})[:60]])
def test_a_file_that_is_no_png_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(Refused, match=r"broken\.png"):
        read_settings(path)


def test_a_foreign_picture_is_named(tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "camera.png")
    with pytest.raises(Refused, match="no settings"):
        read_settings(tmp_path / "camera.png")


def test_the_hash_of_an_adapter_ignores_its_metadata(tmp_path: Path) -> None:
    def written(name: str, header: bytes, tensors: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(len(header).to_bytes(8, "little") + header + tensors)
        return path

    first = tensors_hash(written("a", b'{"x": 1}', b"tensors"))
    assert first == tensors_hash(written("b", b'{"other": "metadata"}', b"tensors"))
    assert first != tensors_hash(written("c", b'{"x": 1}', b"other tensors"))
    assert len(first) == 12
