"""What the last audit measured, read for the checks of captions."""

from contextlib import closing

from engine.dataset.audit.people import FACES
from engine.dataset.audit.store import Store, Taken
from engine.dataset.captioning.known import measured


def test_the_distances_of_the_last_audit_are_known(tmp_path):
    pictures = {tmp_path / f"{number}.jpg": f"{number}.jpg" for number in range(5)}
    heights = {"0.jpg": 0.5, "1.jpg": 0.2, "2.jpg": 0.05, "3.jpg": None}
    assert measured(tmp_path, pictures) == {}
    with closing(Store(tmp_path / "cache" / "audit.sqlite")) as store:
        for path, name in pictures.items():
            path.write_bytes(name.encode())
            if name in heights:
                height = heights[name]
                faces = [] if height is None else [[0.1, 0.1, 0.3, 0.1 + height, 0.9]]
                stat = path.stat()
                store.keep(
                    [
                        Taken(
                            path=path, content=name, stat=(stat.st_size, stat.st_mtime_ns),
                            values={"faces": (FACES.version, {"faces": faces})},
                        )
                    ]
                )  # fmt: skip
    assert measured(tmp_path, pictures) == {
        "distance": {"0.jpg": "close-up", "1.jpg": "medium", "2.jpg": "full body"}
    }
    (tmp_path / "0.jpg").write_bytes(b"another picture")
    assert "0.jpg" not in measured(tmp_path, pictures)["distance"]
    (tmp_path / "cache" / "audit.sqlite").write_bytes(b"no store")
    assert measured(tmp_path, pictures) == {}
