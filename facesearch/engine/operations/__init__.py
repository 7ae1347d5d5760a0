"""Rekognition's operations: one function each, from parameters to a result, both shaped by the service model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from facesearch.engine.operations.collections import (
    create_collection,
    delete_collection,
    describe_collection,
    list_collections,
)
from facesearch.engine.operations.context import Context
from facesearch.engine.operations.detection import compare_faces, detect_faces
from facesearch.engine.operations.faces import delete_faces, index_faces, list_faces
from facesearch.engine.operations.searching import search_faces, search_faces_by_image

OPERATIONS: Mapping[str, Callable[[Context, dict[str, Any]], dict[str, Any]]] = MappingProxyType(
    {
        "CompareFaces": compare_faces,
        "CreateCollection": create_collection,
        "DeleteCollection": delete_collection,
        "DeleteFaces": delete_faces,
        "DescribeCollection": describe_collection,
        "DetectFaces": detect_faces,
        "IndexFaces": index_faces,
        "ListCollections": list_collections,
        "ListFaces": list_faces,
        "SearchFaces": search_faces,
        "SearchFacesByImage": search_faces_by_image,
    }
)
