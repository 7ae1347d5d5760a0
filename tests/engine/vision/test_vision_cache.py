"""What is kept between two runs, and what becomes of it when it is damaged."""

import numpy as np
import pytest

from facesearch.engine.vision import cache
from facesearch.engine.vision.recognizer import DlibRecognizer
from facesearch.engine.vision.runtime import int8_is_fast


class Builder:
    """Makes arrays and counts how often it had to."""

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return {"numbers": np.arange(12, dtype=np.float32).reshape(3, 4), "flag": np.array([7], np.uint8)}


def is_right(arrays):
    wanted = Builder()()
    return set(arrays) == set(wanted) and all(np.array_equal(arrays[name], wanted[name]) for name in wanted)


def test_what_was_built_once_is_read_the_second_time(tmp_path):
    build = Builder()
    assert is_right(cache.kept(tmp_path, "tables", build))
    assert is_right(cache.kept(tmp_path, "tables", build))
    assert build.calls == 1
    assert [path.name for path in tmp_path.iterdir()] == ["tables.cache"]


def test_another_name_is_built_for_itself(tmp_path):
    build = Builder()
    cache.kept(tmp_path, "tables-1", build)
    cache.kept(tmp_path, "tables-2", build)
    assert build.calls == 2


def test_without_a_folder_it_is_built_each_time():
    build = Builder()
    assert is_right(cache.kept(None, "tables", build))
    assert is_right(cache.kept(None, "tables", build))
    assert build.calls == 2


def test_whatever_byte_is_damaged_the_arrays_are_right_and_the_file_heals(tmp_path):
    path = tmp_path / "tables.cache"
    cache.kept(tmp_path, "tables", Builder())
    whole = path.read_bytes()
    for position in range(0, len(whole), 3):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        build = Builder()
        assert is_right(cache.kept(tmp_path, "tables", build)), position
        assert is_right(cache.kept(tmp_path, "tables", build)), position
        assert build.calls <= 1


@pytest.mark.parametrize("left", [0, 1, 100, 400])
def test_a_file_that_was_cut_short_heals(tmp_path, left):
    path = tmp_path / "tables.cache"
    cache.kept(tmp_path, "tables", Builder())
    whole = path.read_bytes()
    path.write_bytes(whole[:left])
    assert is_right(cache.kept(tmp_path, "tables", Builder()))
    assert len(path.read_bytes()) == len(whole)


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path):
    file = tmp_path / "file"
    file.write_text("not a folder")
    build = Builder()
    assert is_right(cache.kept(file / "cache", "tables", build))
    assert is_right(cache.kept(file / "cache", "tables", build))
    assert build.calls == 2


def test_a_place_that_is_taken_by_a_folder_only_costs_time_and_leaves_nothing_behind(tmp_path):
    (tmp_path / "tables.cache").mkdir()
    assert is_right(cache.kept(tmp_path, "tables", Builder()))
    assert [path.name for path in tmp_path.iterdir()] == ["tables.cache"]


def test_a_recognizer_comes_back_out_of_a_damaged_cache_the_same(tmp_path, vision_cache, recognizer, collins):
    loaded = [path for path in vision_cache.iterdir() if ("float32" in path.name) != int8_is_fast()]
    loaded += [
        path for path in vision_cache.iterdir() if path.name.startswith("landmarks") and path not in loaded
    ]
    for path in loaded:
        (tmp_path / path.name).write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    healed = DlibRecognizer.load(tmp_path)
    faces = healed.detect(collins)
    assert np.array_equal(healed.embed(collins, faces), recognizer.embed(collins, recognizer.detect(collins)))
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == {
        path.name: path.stat().st_size for path in loaded
    }
