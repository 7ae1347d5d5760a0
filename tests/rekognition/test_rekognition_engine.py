"""The gateway against the embedded engine, with real faces."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from facesearch import errors
from facesearch.photos import prepare
from facesearch.rekognition import Rekognition

from .conftest import ID, client

PORTRAITS = Path(__file__).parent.parent / "engine" / "vision" / "data"


@pytest.fixture(scope="module")
def seeing(vision_cache: Path) -> Iterator[Rekognition]:
    """A gateway to an embedded engine with real eyes and nothing in its store."""
    from facesearch.engine.service import Engine
    from facesearch.engine.transports import attach
    from facesearch.engine.vision.recognizer import DlibRecognizer

    engine = Engine(None, lambda: DlibRecognizer.load(cache=vision_cache))
    yield Rekognition(attach(client(endpoint_url="http://embedded.invalid"), engine))
    engine.close()


@pytest.fixture(scope="module")
def faces() -> dict[str, bytes]:
    """One photo each of two people, and one of nobody."""
    empty = BytesIO()
    Image.new("RGB", (200, 200), (90, 120, 150)).save(empty, "JPEG")
    people = {name: prepare(PORTRAITS / f"{name}.png").data for name in ("hopper", "collins")}
    return {**people, "nobody": empty.getvalue()}


def test_a_face_goes_through_its_whole_life_on_the_engine(
    seeing: Rekognition, faces: dict[str, bytes]
) -> None:
    seeing.create_collection("life")
    with pytest.raises(errors.CollectionExistsError, match="'life' already"):
        seeing.create_collection("life")
    (record,) = seeing.index_faces("life", faces["hopper"], "grace:1", max_faces=1).records
    assert record.face.external_image_id == "grace:1"
    assert record.detail.pose is not None
    assert record.detail.quality is not None
    assert seeing.index_faces("life", faces["nobody"], "no:1", max_faces=1).records == ()
    collection = seeing.describe_collection("life")
    assert (collection.face_count, "life" in seeing.list_collections()) == (1, True)
    assert collection.arn.startswith("arn:aws:rekognition:us-east-1:")
    assert [[face.face_id for face in page] for page in seeing.pages_of_faces("life")] == [
        [record.face.face_id]
    ]
    (match,) = seeing.search_faces_by_image("life", faces["hopper"], threshold=80).matches
    assert match.face == record.face
    assert match.similarity > 99
    assert seeing.search_faces_by_image("life", faces["collins"], threshold=80).matches == ()
    deletion = seeing.delete_faces("life", [record.face.face_id, ID.format(7)])
    assert deletion.deleted == (record.face.face_id,)
    assert deletion.refused == {ID.format(7): ("FACE_NOT_FOUND",)}
    seeing.delete_collection("life")
    with pytest.raises(errors.CollectionNotFoundError, match="'life'"):
        seeing.describe_collection("life")


def test_the_engine_tells_no_face_from_a_bad_request(seeing: Rekognition, faces: dict[str, bytes]) -> None:
    seeing.create_collection("refusals")
    with pytest.raises(errors.NoFaceError):
        seeing.search_faces_by_image("refusals", faces["nobody"], threshold=80)
    with pytest.raises(errors.InvalidRequestError, match="cannot read the image"):
        seeing.search_faces_by_image("refusals", b"no photo", threshold=80)
    with pytest.raises(errors.InvalidRequestError):
        seeing.search_faces_by_image("refusals", faces["hopper"], threshold=101)
    with pytest.raises(errors.InvalidRequestError):
        seeing.index_faces("refusals", faces["hopper"], "no spaces, please", max_faces=1)
    assert seeing.detect_faces(faces["nobody"]) == ()


def test_the_engine_compares_and_the_gateway_names_the_photo_without_a_face(
    seeing: Rekognition, faces: dict[str, bytes]
) -> None:
    same = seeing.compare_faces(faces["hopper"], faces["hopper"], threshold=80)
    assert [round(face.similarity or 0) for face in same.matches] == [100]
    other = seeing.compare_faces(faces["hopper"], faces["collins"], threshold=80)
    assert (len(other.matches), len(other.unmatched)) == (0, 1)
    for source, target, named in (("nobody", "hopper", "source"), ("hopper", "nobody", "target")):
        with pytest.raises(errors.NoFaceError) as caught:
            seeing.compare_faces(faces[source], faces[target], threshold=80)
        assert caught.value.photo == named
