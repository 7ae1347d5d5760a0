"""The recognizer as the engine uses it: faces in order, descriptors of unit length, several threads at once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from facesearch.engine.vision import recognizer as module
from facesearch.engine.vision import runtime
from facesearch.engine.vision.built_in import DLIB
from facesearch.engine.vision.recognizer import DlibRecognizer


@pytest.fixture(scope="session")
def both(collins, hopper):
    """One photo of two people."""
    photo = Image.new("RGB", (collins.width + hopper.width, max(collins.height, hopper.height)), "grey")
    photo.paste(collins, (0, 0))
    photo.paste(hopper, (collins.width, 0))
    return photo


def nearness(one, other):
    return float(DLIB.scale.similarity(np.linalg.norm(one - other)))


def test_the_largest_face_comes_first(both, recognizer):
    first, second = recognizer.detect(both)
    assert first.area > second.area
    assert first.left > 320 > second.left


def test_everything_said_of_a_face_is_on_its_scale(both, recognizer):
    for face in recognizer.detect(both):
        assert face.score > 0
        for figure in (face.confidence, face.brightness, face.sharpness):
            assert 0 <= figure <= 100
        assert face.points.shape == (5, 2)
        assert face.points.dtype == np.float32
        left, top = face.points.min(axis=0)
        right, bottom = face.points.max(axis=0)
        assert face.left < left < right < face.left + face.width
        assert face.top < top < bottom < face.top + face.height


def test_descriptors_are_of_unit_length_and_in_the_order_of_the_faces(both, recognizer):
    faces = recognizer.detect(both)
    vectors = recognizer.embed(both, faces)
    assert vectors.shape == (2, recognizer.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)
    assert np.allclose(recognizer.embed(both, faces[::-1])[::-1], vectors, atol=1e-6)


def test_a_person_resembles_themself_in_another_size_and_nobody_else(both, collins, hopper, recognizer):
    people = recognizer.embed(both, recognizer.detect(both))
    (grace,) = recognizer.embed(hopper, recognizer.detect(hopper))
    smaller = collins.resize((240, 210), Image.Resampling.LANCZOS)
    (eileen,) = recognizer.embed(smaller, recognizer.detect(smaller))
    assert nearness(grace, people[0]) > 99
    assert nearness(eileen, people[1]) > 99
    assert nearness(grace, people[1]) < 50
    assert nearness(eileen, people[0]) < 50


def test_a_mirrored_face_has_nearly_the_same_descriptor(hopper, recognizer):
    mirrored = hopper.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    (one,) = recognizer.embed(hopper, recognizer.detect(hopper))
    (other,) = recognizer.embed(mirrored, recognizer.detect(mirrored))
    assert np.linalg.norm(one - other) < 0.15


def test_a_crowd_is_found_and_described_whole(collins, recognizer):
    face = collins.crop((80, 50, 200, 180)).resize((90, 98))
    crowd = Image.new("RGB", (90 * 8, 98 * 5), "grey")
    for index in range(40):
        crowd.paste(face, (index % 8 * 90, index // 8 * 98))
    faces = recognizer.detect(crowd)
    assert len(faces) == 40
    vectors = recognizer.embed(crowd, faces)
    assert vectors.shape == (40, 128)
    assert np.linalg.norm(vectors - vectors.mean(axis=0), axis=1).max() < 0.3


def test_threads_see_what_one_thread_sees(collins, hopper, both, recognizer):
    photos = [collins, hopper, both] * 4

    def described(photo):
        return recognizer.embed(photo, recognizer.detect(photo))

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(described, photos))
    for photo, vectors in zip(photos[:3], together[:3], strict=True):
        assert np.array_equal(vectors, described(photo))
    for index, vectors in enumerate(together):
        assert np.array_equal(vectors, together[index % 3])


def test_eight_bits_and_float32_describe_a_face_alike(both, recognizer, monkeypatch):
    def loaded(int8):
        monkeypatch.setattr(module, "int8_is_fast", lambda: int8)
        return DlibRecognizer.load(None)

    exact, rounded = loaded(False), loaded(True)
    seen, seen_rounded = exact.detect(both), rounded.detect(both)
    assert len(seen) == len(seen_rounded) == 2
    for one, other in zip(seen, seen_rounded, strict=True):
        assert other.score == pytest.approx(one.score, abs=0.1)
        assert other.left == pytest.approx(one.left, abs=0.05 * one.width)
        assert other.width == pytest.approx(one.width, rel=0.05)
    apart = np.linalg.norm(exact.embed(both, seen) - rounded.embed(both, seen), axis=1)
    assert apart.max() < 0.05


@pytest.mark.parametrize(
    ("flags", "fast"),
    [("avx2 avx512_vnni", True), ("fma avx_vnni", True), ("sse4_2 avx2", True), ("sse4_2 avx", False)],
)
def test_eight_bits_are_used_where_the_processor_has_instructions_for_them(tmp_path, flags, fast):
    processor = tmp_path / "cpuinfo"
    processor.write_text(f"processor : 0\nflags\t\t: fpu {flags}\n")
    assert runtime.int8_is_fast(processor) is fast
    assert runtime.int8_is_fast(tmp_path / "missing") is False


def test_a_warm_start_does_without_the_library_that_builds_networks(recognizer, vision_cache):
    code = (
        "import sys; from pathlib import Path\n"
        "from facesearch.engine.vision.recognizer import DlibRecognizer\n"
        f"DlibRecognizer.load(Path({str(vision_cache)!r}))\n"
        "print('onnx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("False", "")


def test_the_version_of_the_model_is_digits_and_dots(recognizer):
    assert set(recognizer.model_version) <= set("0123456789.")
