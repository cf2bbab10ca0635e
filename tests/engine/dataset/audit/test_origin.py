"""What files declare of their origin is read and shown as declared."""

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.dataset.audit.declared import ORIGIN as MEASURED
from engine.dataset.audit.origin import ORIGIN
from tests.engine.dataset.audit.given import collection, drawn, looked, picture

ELEMENTS = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description>
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© Jane &amp; Co</rdf:li></rdf:Alt></dc:rights>
<dc:creator><rdf:Seq><rdf:li>Jane</rdf:li></rdf:Seq></dc:creator>
<cc:license rdf:resource="https://creativecommons.org/licenses/by/4.0/"/>
<plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING</plus:DataMining>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
ATTRIBUTES = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description
Iptc4xmpExt:DigitalSourceType='http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia'
tdm:reservation="1"/></rdf:RDF></x:xmpmeta>"""


def test_xmp_is_read_in_both_its_forms(tmp_path):
    one = looked(tmp_path / "a.jpg", drawn(1), MEASURED, xmp=ELEMENTS.encode())
    assert one.values["origin"] == {
        "rights": "© Jane & Co", "creator": "Jane", "licence": "https://creativecommons.org/licenses/by/4.0/",
        "mining": "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING",
    }  # fmt: skip
    forbidden, owner = ORIGIN.judge(collection(one))
    assert "a.jpg forbids training" in forbidden.value and "DMI-PROHIBITED-AIMLTRAINING" in forbidden.value
    assert "Jane · © Jane & Co" in owner.value
    assert {found.severity for found in (forbidden, owner)} == {"note"} and owner.confidence == "declared"
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", ATTRIBUTES, zip=True)
    two = looked(tmp_path / "b.png", drawn(1), MEASURED, pnginfo=info)
    forbidden, made = ORIGIN.judge(collection(two))
    assert "TDM" in forbidden.value and "a program made it (a trained model)" in made.value


@pytest.mark.parametrize(
    ("chunk", "text", "program"),
    [
        ("parameters", "a cat\nSteps: 20, Sampler: Euler a", "Stable Diffusion web UI"),
        ("workflow", "{}", "ComfyUI"), ("Software", "NovelAI", "NovelAI"), ("Software", "GIMP 2.10", ""),
    ],
)  # fmt: skip
def test_programs_that_make_pictures_are_named(tmp_path, chunk, text, program):
    info = PngInfo()
    info.add_text(chunk, text)
    one = looked(tmp_path / "a.png", drawn(1), MEASURED, pnginfo=info)
    found = list(ORIGIN.judge(collection(one)))
    assert (one.value("origin", "generator") or "") == program and len(found) == bool(program)


def test_exif_is_read_and_pictures_of_one_owner_are_one_finding(tmp_path):
    exif = Image.Exif()
    exif[0x013B], exif[0x8298] = "Jane", "all rights reserved"
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + "Steps: 20, Sampler: Euler".encode("utf-16-le")
    given = [looked(tmp_path / f"{n}.jpg", drawn(n), MEASURED, exif=exif.tobytes()) for n in (1, 2)]
    made, owner = ORIGIN.judge(collection(*given))
    assert made.value.startswith("2 pictures say that a program made them (Stable") and owner.pictures == (
        "1.jpg",
        "2.jpg",
    )


def test_files_that_declare_nothing_or_nonsense_have_no_finding(tmp_path):
    plain = looked(tmp_path / "a.jpg", drawn(1), MEASURED)
    broken = looked(tmp_path / "b.jpg", drawn(1), MEASURED, xmp=b"<x:xmpmeta <dc:rights" + b"<" * 60000)
    assert plain.values["origin"] == {} and not list(
        ORIGIN.judge(collection(plain, broken, picture("c.png")))
    )


def test_a_signed_history_is_noticed(tmp_path):
    drawn(1).save(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes((tmp_path / "a.jpg").read_bytes() + b"....jumb....c2pa....")
    from engine.dataset.audit.look import Look

    assert MEASURED.take(Look(tmp_path / "b.jpg")) == {"c2pa": True}
