"""A run as later jobs find it: it belongs to the project it lies in, wherever that was when it was trained."""

import shutil
from pathlib import Path

from projects.job import JobDir
from projects.project import write_job
from projects.spec import RunSpec, TrainJob
from tui.jobs import open_run


def test_the_run_of_a_project_that_was_moved_belongs_to_where_it_lies_now(tmp_path: Path) -> None:
    old = JobDir(tmp_path / "old" / "runs" / "r1")
    old.path.mkdir(parents=True)
    write_job(old, TrainJob(project=str(tmp_path / "old"), spec=RunSpec(trigger="zork")))
    assert open_run(old).project == tmp_path / "old"
    shutil.move(tmp_path / "old", tmp_path / "new")
    moved = open_run(JobDir(tmp_path / "new" / "runs" / "r1"))
    assert moved.project == tmp_path / "new" and moved.spec.spec.trigger == "zork"
