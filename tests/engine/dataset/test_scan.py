"""From folders to items: what lies there is trained, and everything that stands against it is said at once."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from engine.dataset.folders import find_pictures, first_pictures
from engine.dataset.scan import scan
from projects.problems import Refused
from projects.spec import Captions, Data, DataSet, RunSpec, Train

SPEC = RunSpec(
    trigger="xk3r",
    class_word="mug",
    data=Data(images="images"),
    train=Train(resolution=(64,)),
)


@pytest.fixture
def project(tmp_path):
    add(tmp_path, "images/a.png", "xk3r, a mug")
    return tmp_path


def add(project: Path, name: str, caption: str | None = None, size: tuple[int, int] = (100, 80)) -> Path:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (len(name), hash_of(name), 90)).save(path)
    if caption is not None:
        path.with_suffix(".txt").write_text(caption + "\n", encoding="utf-8")
    return path


def hash_of(name: str) -> int:
    return hashlib.sha256(name.encode()).digest()[0]


def scanned(project: Path, spec: RunSpec = SPEC, **options):
    return scan(project, spec, bucket_step=16, **options)


def refused(project: Path, spec: RunSpec = SPEC, **options) -> str:
    with pytest.raises(Refused) as caught:
        scanned(project, spec, **options)
    return "\n".join(map(str, caught.value.problems))


def with_data(**changes) -> RunSpec:
    return replace(SPEC, data=replace(SPEC.data, **changes))


def notes(project: Path, spec: RunSpec = SPEC) -> str:
    return "\n".join(map(str, scanned(project, spec).notes))


def test_an_item_holds_everything_that_decides_what_is_trained(project):
    (project / "images/a.2.txt").write_text("xk3r, seen from above")
    spec = replace(with_data(crop={"a.png": (1.0, 0.5)}), train=Train(resolution=(64, 96)))
    (item,) = scanned(project, spec).items
    assert item.picture == "a.png" and item.path == project / "images/a.png"
    assert item.sha256 == hashlib.sha256(item.path.read_bytes()).hexdigest()
    assert (item.role, item.set, item.weight, item.repeats, item.planned) == ("subject", "images", 1.0, 1, 0)
    assert item.original == (100, 80)
    assert item.captions == ("xk3r, a mug", "xk3r, seen from above")
    assert [placed.resolution for placed in item.placements] == [64, 96]
    assert item.placements[0].crop_left_top == (
        item.placements[0].scaled[0] - item.placements[0].bucket[0],
        0,
    )


def test_pictures_are_named_as_people_name_them_and_subfolders_are_read(project):
    add(project, "images/light/b.jpg", "xk3r by a window")
    add(project, "reg/c.png", "a mug")
    add(project, "held/d.png", "xk3r on a shelf")
    items = scanned(project, with_data(regularization="reg", holdout="held")).items
    assert [(item.picture, item.role) for item in items] == [
        ("a.png", "subject"),
        ("light/b.jpg", "subject"),
        ("reg/c.png", "regularization"),
        ("held/d.png", "holdout"),
    ]
    assert find_pictures(project, with_data(regularization="reg", holdout="held").data).counts() == {
        "subject": 2,
        "regularization": 1,
        "holdout": 1,
    }


def test_pictures_come_in_the_order_of_their_paths_and_the_first_can_be_asked_for_alone(project):
    (project / "images/a.txt").unlink()
    for name in ("a/z.png", "a.b/a.png", "b.png", "B.png", "a/c/d.png"):
        add(project, f"images/{name}", f"xk3r, {name}")
    found = find_pictures(project, SPEC.data).pictures
    assert [each.name for each in found] == ["B.png", "a/c/d.png", "a/z.png", "a.b/a.png", "a.png", "b.png"]
    captions = {each.name: [str(file.relative_to(project)) for file in each.captions] for each in found}
    assert captions["a.png"] == [] and captions["a.b/a.png"] == ["images/a.b/a.txt"]
    for count in (1, 3, 6, 9):
        assert first_pictures(project, SPEC.data, count) == list(found[:count])


def test_the_long_form_carries_repeats_weight_and_its_own_trigger(project):
    sets = (
        DataSet(path="images", repeats=3, weight=0.5),
        DataSet(path="more", trigger="zorb", class_word="cup"),
    )
    add(project, "more/b.png")
    items = scanned(project, with_data(images="", sets=sets), missing="trigger").items
    assert (items[0].repeats, items[0].weight) == (3, 0.5)
    assert items[1].picture == "more/b.png" and items[1].captions == ("zorb, a cup",)


def test_missing_captions_are_all_listed_or_stood_in_for(project):
    add(project, "images/b.png")
    add(project, "images/c.png")
    add(project, "reg/d.png")
    spec = with_data(regularization="reg")
    said = refused(project, spec)
    assert "2 pictures have no caption: b.png, c.png." in said and "--missing trigger" in said
    assert "1 picture has no caption: reg/d.png." in said
    texts = [item.captions for item in scanned(project, spec, missing="trigger").items]
    assert texts == [("xk3r, a mug",), ("xk3r, a mug",), ("xk3r, a mug",), ("a mug",)]


def test_a_variant_without_a_first_caption_is_missing_one(project):
    add(project, "images/b.png")
    (project / "images/b.2.txt").write_text("xk3r")
    assert "no caption: b.png" in refused(project)
    assert "no caption: b.png" in refused(project, missing="trigger")


def test_all_problems_come_at_once(project):
    (project / "images/b.png").write_bytes(b"")
    (project / "images/b.txt").write_bytes(b"caf\xe9")
    add(project, "images/c.png")
    add(project, "images/d.jpg", "xk3r")
    add(project, "images/d.png")
    add(project, "images/tower.png", "xk3r", size=(10, 400))
    (project / "empty").mkdir()
    spec = with_data(
        holdout="empty", regularization="none", excluded={"e.png": "blurred"}, crop={"A.png": (0, 0)}
    )
    said = refused(project, spec)
    for part in (
        "b.png: is empty (0 bytes)",
        "b.txt: is not UTF-8: byte 3",
        "1 picture has no caption: c.png",
        "d.jpg, d.png share one caption",
        "is 10 x 400 pixels",
        "empty: holds no pictures",
        "none: is not there or is no folder",
        'data.excluded: No picture is called "e.png"',
        'data.crop: No picture is called "A.png". Did you mean a.png?',
    ):
        assert part in said, part


def test_excluded_pictures_are_out_with_everything_that_is_wrong_with_them(project):
    (project / "images/b.png").write_bytes(b"")
    add(project, "images/a.jpg")
    spec = with_data(excluded={"b.png": "broken", "a.jpg": "same stem"})
    result = scanned(project, spec)
    assert [item.picture for item in result.items] == ["a.png"] and result.notes == []
    only = with_data(excluded={"a.png": "no", "b.png": "no", "a.jpg": "no"})
    assert "Every picture of the set is left out" in refused(project, only)


def test_an_excluded_name_without_its_folder_is_guessed(project):
    add(project, "images/light/b.png", "xk3r")
    assert "Did you mean light/b.png?" in refused(project, with_data(excluded={"b.png": "blurred"}))


def test_leftovers_are_noted_and_hidden_files_are_not_there(project):
    for name in ("images/.b.png", "images/.hidden/c.png", "images/Thumbs.db"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_bytes(b"no picture")
    assert notes(project) == ""
    (project / "images/lost.txt").write_text("xk3r")
    (project / "images/A.TXT").write_text("xk3r")
    (project / "images/film\x1b[31m.mp4").write_bytes(b"film")
    said = notes(project)
    assert "Captions without a picture: A.TXT, lost.txt." in said
    assert r"Not pictures, left aside: film\x1b[31m.mp4." in said


def test_regularization_captions_must_not_hold_a_trigger(project):
    add(project, "reg/b.png", "a mug in XK3R style")
    add(project, "reg/c.png", "a mug, xk3r2")
    said = refused(project, with_data(regularization="reg"))
    assert "Captions of regularization pictures hold the trigger: reg/b.png." in said


def test_subject_captions_without_the_trigger_are_notes(project):
    add(project, "images/b.png", "a red mug")
    assert "Captions of subject pictures without the trigger: b.png." in notes(project)


def test_many_pictures_are_named_by_the_first_and_counted_and_scripts_get_all(project):
    names = [f"{number:02d}.png" for number in range(12)]
    for name in names:
        add(project, f"images/{name}", "a red mug")
    (note,) = scanned(project).notes
    assert "without the trigger: 00.png, 01.png, 02.png, 03.png, 04.png and 7 more." in note.error
    assert note.table()["files"] == names


def test_enlarged_pictures_mislabelled_pictures_and_byte_order_marks_are_notes(project):
    add(project, "images/small.png", "xk3r", size=(32, 32))
    Image.new("RGB", (90, 90)).save(project / "images/b.jpg", "PNG")
    (project / "images/b.txt").write_bytes(b"\xef\xbb\xbfxk3r")
    said = notes(project)
    assert "enlarged: small.png (x 2.00)." in said
    assert "b.jpg is a PNG whatever its name says" in said
    assert "byte order mark, which is not trained: b.txt" in said


def test_a_held_out_picture_that_is_trained_too_is_noted(project):
    (project / "held").mkdir()
    (project / "held/x.png").write_bytes((project / "images/a.png").read_bytes())
    (project / "held/x.txt").write_text("xk3r")
    assert "trained too: held/x.png = a.png" in notes(project, with_data(holdout="held"))


def test_one_file_in_two_sets_is_refused(project):
    add(project, "images/held/b.png", "xk3r")
    said = refused(project, with_data(holdout="images/held"))
    assert "The same files belong to the sets images and images/held: held/b.png." in said


def test_two_pictures_of_one_name_are_refused(project):
    add(project, "images/reg/b.png", "xk3r")
    add(project, "reg/b.png", "a mug")
    assert "Two pictures are called reg/b.png" in refused(project, with_data(regularization="reg"))


def test_names_that_steer_a_terminal_are_refused(project):
    add(project, "images/b\x1b[2J.png", "xk3r")
    assert r"file name b\x1b[2J.png" in refused(project)


def test_made_pictures_are_never_data(project):
    add(project, "runs/1/previews/p.png", "xk3r")
    (project / "images/a.png").rename(project / "a.png")
    (project / "images/a.txt").rename(project / "a.txt")
    assert [item.picture for item in scanned(project, with_data(images=".")).items] == ["a.png"]


def test_a_link_back_to_a_folder_above_is_walked_once(project):
    (project / "images/again").symlink_to(project / "images")
    assert [item.picture for item in scanned(project).items] == ["a.png"]


def test_shuffled_captions_are_spelled_out_for_good(project):
    add(project, "images/b.png", "xk3r, red, round, on a table")
    spec = replace(SPEC, captions=Captions(shuffle=True, keep_first=1))
    item = scanned(project, spec).items[1]
    assert item.captions[0] == "xk3r, red, round, on a table" and len(item.captions) > 3
    assert all(text.startswith("xk3r, ") for text in item.captions)


def test_a_project_without_subject_pictures_is_refused(project):
    assert "No set of subject pictures" in refused(project, with_data(images="", holdout="images"))


def test_progress_is_told_picture_by_picture(project):
    add(project, "images/b.png", "xk3r")
    told = []
    scanned(project, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
