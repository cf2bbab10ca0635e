"""Every picture gets a bucket, and its crop lies inside it."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.buckets import buckets, nearest, placement
from projects.problems import Refused

sides = st.integers(1, 9000)
shares = st.floats(0, 1)
grids = st.sampled_from([(64, 16), (64, 8), (512, 64), (1024, 64), (768, 32), (100, 64), (1024, 8), (96, 96)])


def test_the_demo_has_three_buckets_of_its_area():
    assert buckets(64, 16) == ((48, 80), (64, 64), (80, 48))


def test_sdxl_has_the_sizes_it_was_made_for():
    assert {(1024, 1024), (1152, 896), (896, 1152), (1216, 832), (1344, 768)} <= set(buckets(1024, 64))


@given(grids)
def test_buckets_keep_area_step_and_ratio(grid):
    resolution, step = grid
    found = buckets(resolution, step)
    assert any(width == height for width, height in found)
    for width, height in found:
        assert width % step == height % step == 0
        assert max(width, height) <= 2 * min(width, height)
        assert width * height <= resolution**2
        assert width == height or width * height >= 0.8 * resolution**2
        assert (height, width) in found


@given(sides, sides, grids, shares, shares)
def test_every_picture_is_covered_and_cropped_inside(width, height, grid, x, y):
    resolution, step = grid
    placed = placement((width, height), resolution, step, (x, y))
    assert placed.bucket in buckets(resolution, step)
    for axis in (0, 1):
        assert 0 <= placed.crop_left_top[axis] <= placed.scaled[axis] - placed.bucket[axis]
    assert placed.bucket[0] == placed.scaled[0] or placed.bucket[1] == placed.scaled[1]
    exact = max(placed.bucket[0] / width, placed.bucket[1] / height)
    assert abs(placed.scaled[0] - width * exact) <= 0.51 or placed.scaled[0] == placed.bucket[0]
    assert abs(placed.scaled[1] - height * exact) <= 0.51 or placed.scaled[1] == placed.bucket[1]


@given(sides, sides, grids)
def test_the_nearest_bucket_by_log_ratio_is_taken(width, height, grid):
    def distance(bucket):
        return abs(log(width / height) - log(bucket[0] / bucket[1]))

    assert distance(nearest((width, height), *grid)) <= min(map(distance, buckets(*grid))) + 1e-9


@given(sides, sides, grids, shares, shares)
def test_the_focal_point_stays_in_the_crop(width, height, grid, x, y):
    placed = placement((width, height), *grid, (x, y))
    for axis, focal in enumerate((x, y)):
        inside = focal * placed.scaled[axis] - placed.crop_left_top[axis]
        assert -0.51 <= inside <= placed.bucket[axis] + 0.51


def test_the_focal_point_moves_the_crop_and_the_default_is_the_middle():
    tall = [
        placement((100, 300), 64, 16, focal).crop_left_top[1]
        for focal in ((0.5, 0.0), (0.5, 0.5), (0.5, 1.0))
    ]
    assert tall == [0, 32, 64]


def test_a_resolution_below_the_step_is_refused():
    with pytest.raises(Refused, match="smaller than this base's bucket step"):
        buckets(48, 64)
