"""Adding a model: what is refused at the door, and what is kept as it was."""

import hashlib
import os
import random
import stat

import numpy as np
import onnx
import pytest

from facesearch.engine.errors import ModelError, ModelMissingError
from facesearch.engine.models import inspection, library
from facesearch.engine.vision import networks as dlib_networks
from facesearch.engine.vision import recognizer as recognizer_module
from facesearch.engine.vision import streams, weights
from facesearch.engine.vision.recognizer import DlibRecognizer


@pytest.fixture
def files(tmp_path):
    return tmp_path / "files"


def kept(folder):
    return sorted(path.name for path in (folder / "models").glob("*"))


def test_a_model_is_kept_under_what_it_is_and_needs_its_files_no_more(
    networks, add, library, files, tmp_path
):
    data = networks.network()
    path = networks.defined(files, data)
    added = add(path)
    for file in files.iterdir():
        file.unlink()
    assert kept(tmp_path) == [f"{added.version}.json", f"{hashlib.sha256(data).hexdigest()}.onnx"]
    assert library.all() == [added]
    assert library.of_version(added.version) == added
    assert library.network(added) == data
    assert added.dimensions == 96
    if os.name == "posix":
        assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "models").iterdir()} == {0o600}


def test_adding_a_model_again_changes_nothing(networks, add, library, files, tmp_path):
    path = networks.defined(files, networks.network())
    assert add(path) == add(path)
    assert len(kept(tmp_path)) == 2


def test_two_definitions_of_one_network_are_two_models(networks, add, library, files, tmp_path):
    data = networks.network()
    one, other = (
        add(networks.defined(files, data, "one")),
        add(networks.defined(files, data, "other", flip=False)),
    )
    assert one.version != other.version
    assert [model.name for model in library.all()] == ["one", "other"]
    assert len(kept(tmp_path)) == 3


def test_a_name_is_of_one_model(networks, add, files):
    add(networks.defined(files, networks.network()))
    with pytest.raises(ModelError, match="another model is called random already"):
        add(networks.defined(files, networks.network(seed=1)))


def test_a_network_of_arcfaces_kind_needs_no_words(networks, add, files):
    files.mkdir()
    (files / "My Net (v2).onnx").write_bytes(networks.network())
    added = add(files / "My Net (v2).onnx")
    assert (added.name, added.dimensions, added.licence) == ("my-net-v2", 96, "not stated")
    assert (added.mean, added.std, added.similarity) == ((127.5,) * 3, (127.5,) * 3, None)


def test_one_that_scales_its_pixels_itself_gets_them_as_they_are(networks, add, files):
    files.mkdir()
    (files / "itself.onnx").write_bytes(networks.scaling_itself())
    added = add(files / "itself.onnx")
    assert (added.mean, added.std) == ((0.0,) * 3, (1.0,) * 3)


def test_a_network_with_a_toml_file_beside_it_is_added_by_that(networks, add, files):
    path = networks.defined(files, networks.network())
    with pytest.raises(ModelError, match=r"random\.toml lies beside it"):
        add(path.with_suffix(".onnx"))


def test_a_network_of_another_kind_needs_words(networks, add, files):
    files.mkdir()
    (files / "large.onnx").write_bytes(networks.network(size=160))
    with pytest.raises(ModelError, match="not a network of ArcFace's kind"):
        add(files / "large.onnx")


@pytest.mark.parametrize(
    ("keys", "network"),
    [
        ({"layout": "NHWC"}, {"layout": "NHWC"}),
        ({"size": [160, 160]}, {"size": 160}),
        ({"mean": 0, "std": 1}, {"kind": onnx.TensorProto.UINT8}),
        ({"dimensions": 512}, {"dimensions": 512}),
        ({"template": {"left_eye": [38, 52], "right_eye": [74, 52]}}, {}),
        ({"template": "dlib", "flip": False, "colour": "BGR"}, {}),
        ({}, {"batch": "many"}),
    ],
)
def test_networks_of_many_kinds_describe_faces(keys, network, networks, add, models, files, eileen):
    added = add(networks.defined(files, networks.network(**network), **keys))
    recognizer = models.load(added.version)
    vectors = recognizer.embed(eileen, recognizer.detect(eileen))
    assert vectors.shape == (1, recognizer.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-6)


REFUSED = {
    "with_operator:com.example:Strange": r"its operator com\.example\.Strange is none of ONNX's",
    "with_weights_elsewhere": "its weights lie in another file",
    "with_hidden_weights_elsewhere": "its weights lie in another file",
    "constant": "gave the same vector for two people",
    "two_inputs": "one input and one output, and this network has 2 and 1",
    "image_out": "it gives 1 x 3 x 112 x 112 for one face",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_face_model_is_refused_and_not_kept(kind, networks, add, files, tmp_path):
    function, *arguments = kind.split(":")
    path = networks.defined(files, getattr(networks, function)(*arguments))
    with pytest.raises(ModelError, match=REFUSED[kind]) as refused:
        add(path)
    assert str(refused.value).startswith(str(path))
    assert kept(tmp_path) == []


@pytest.mark.parametrize("tail", [["Log"], ["Sqrt", "Neg", "Sqrt"]])
def test_numbers_that_are_none_are_refused(tail, networks, add, files, tmp_path):
    with pytest.raises(ModelError, match="no direction"):
        add(networks.defined(files, networks.network(tail=["Abs", "Neg", *tail])))
    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"sha256": "0" * 64}, r"sha256 is not that of random\.onnx, whose SHA-256 is [0-9a-f]{64}"),
        ({"dimensions": 64}, "dimensions is 64, and the network gives 96"),
        ({"layout": "NHWC"}, "ask for an input of 1 x 112 x 112 x 3, and the network's is 1 x 3 x 112 x 112"),
        ({"size": [160, 160]}, "ask for an input of 1 x 3 x 160 x 160"),
        ({"file": "none.onnx"}, r"none\.onnx is not there"),
    ],
)
def test_words_that_do_not_fit_the_network_are_refused(keys, text, networks, add, files, tmp_path):
    with pytest.raises(ModelError, match=text):
        add(networks.defined(files, networks.network(), **keys))
    assert kept(tmp_path) == []


def test_a_network_of_whole_numbers_gets_no_fractions(networks, add, files):
    with pytest.raises(ModelError, match="mean must be 0 and std 1"):
        add(networks.defined(files, networks.network(kind=onnx.TensorProto.UINT8)))


def test_a_network_of_other_numbers_is_refused(networks, add, files):
    with pytest.raises(ModelError, match=r"takes float32 or uint8 .* takes tensor\(double\)"):
        model = onnx.load_model_from_string(networks.network())
        model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
        model.graph.node.insert(
            0, onnx.helper.make_node("Cast", ["face"], ["cast"], to=onnx.TensorProto.FLOAT)
        )
        model.graph.node[1].input[0] = "cast"
        add(networks.defined(files, model.SerializeToString()))


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999])
def test_a_file_that_was_cut_short_is_refused(share, networks, add, files):
    whole = networks.network()
    with pytest.raises(ModelError, match=r"random\.(toml: |onnx has no bytes)"):
        add(networks.defined(files, whole[: int(len(whole) * share)]))


@pytest.mark.parametrize(
    "data",
    [b"PK\3\4 no network", b"\x08\x08", random.Random(7).randbytes(2000)],
    ids=["archive", "few", "noise"],
)
def test_a_file_of_something_else_is_refused(data, networks, add, files):
    with pytest.raises(ModelError, match=r"random\.toml: "):
        add(networks.defined(files, data))


@pytest.mark.parametrize("text", [b"name = ", b"\xff\xfe", b"[" * 5000, b"x" * 70_000])
def test_a_toml_file_that_is_none_is_refused(text, add, tmp_path):
    path = tmp_path / "broken.toml"
    path.write_bytes(text)
    with pytest.raises(ModelError, match=r"broken\.toml"):
        add(path)


def test_a_file_that_is_not_there_or_no_file_is_named(add, tmp_path):
    with pytest.raises(ModelError, match=r"none\.toml is not there"):
        add(tmp_path / "none.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ModelError, match=r"cannot read .*folder\.toml"):
        add(tmp_path / "folder.toml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in files on this system")
def test_a_pipe_is_not_waited_for(add, tmp_path):
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(ModelError, match="is not a file"):
        add(tmp_path / "pipe.onnx")


def test_a_network_that_is_too_large_is_refused_before_it_is_read_whole(networks, add, files, monkeypatch):
    monkeypatch.setattr(library, "_LARGEST_NETWORK", 1000)
    with pytest.raises(ModelError, match="more than 1,000 bytes"):
        add(networks.defined(files, networks.network()))


def test_a_kept_network_that_was_changed_is_not_used(random, library, models, tmp_path):
    (path,) = (tmp_path / "models").glob("*.onnx")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"\.onnx was changed"):
        library.network(random)
    with pytest.raises(ModelError, match="damaged: see `facesearch engine models verify`"):
        models.load(random.version)


def test_adding_a_model_again_heals_its_file(networks, random, add, library, files, tmp_path):
    (path,) = (tmp_path / "models").glob("*.onnx")
    path.write_bytes(b"damaged")
    assert add(files / "random.toml") == random
    assert library.network(random) == networks.network()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:40],
        lambda text: text.replace("127.5", "127.0"),
        lambda text: "[]",
        lambda text: "1",
    ],
)
def test_a_kept_definition_that_was_changed_is_not_used(damage, random, library, models, tmp_path):
    (path,) = (tmp_path / "models").glob("*.json")
    path.write_text(damage(path.read_text()))
    for ask in (library.all, lambda: library.of_version(random.version)):
        with pytest.raises(ModelError, match=r"\.json was changed"):
            ask()
    with pytest.raises(ModelError, match="damaged"):
        models.load(random.version)


@pytest.mark.parametrize("version", ["0.123", "", "../../etc/passwd", "2.0"])
def test_a_version_that_nobody_added_is_missing(version, library, models):
    for ask in (library.of_version, models.load):
        with pytest.raises(ModelMissingError, match="facesearch engine models add FILE"):
            ask(version)


def test_models_share_one_detector_and_are_loaded_once(random, models):
    loaded = [models.load(version) for version in ("1.0", "1.1", random.version, "1.0", random.version)]
    assert loaded[0] is loaded[3] is models.default()
    assert loaded[2] is loaded[4]
    assert len({id(one._finder) for one in loaded}) == 1


def test_dlibs_own_network_as_an_added_one_gives_the_engines_vectors(
    networks, add, models, files, both, monkeypatch, vision_cache
):
    data = dlib_networks.descriptor(streams.layers(weights.read(weights.DESCRIPTOR)), int8=False)
    keys = {"size": [150, 150], "layout": "NHWC", "mean": 0, "std": 1, "template": "dlib", "dimensions": 128}
    added = add(networks.defined(files, data, "exact", **keys))
    monkeypatch.setattr(recognizer_module, "int8_is_fast", lambda: False)
    own = DlibRecognizer.load(vision_cache)
    faces = own.detect(both)
    assert len(faces) == 2
    assert np.abs(models.load(added.version).embed(both, faces) - own.embed(both, faces)).max() < 1e-4


def test_a_trial_tells_what_a_model_says_of_the_sample_faces(random, models):
    trial = inspection.tried(models.load(random.version))
    assert trial.dimensions == 96
    assert trial.same > 90 > 50 > trial.other
    assert trial.same_distance < trial.other_distance
    assert trial.seconds > 0


def test_the_engines_own_models_tell_the_sample_faces_apart(models):
    for version in ("1.0", "1.1"):
        trial = inspection.tried(models.load(version))
        assert trial.same > 99.9
        assert trial.other < 20
