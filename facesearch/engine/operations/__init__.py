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
from facesearch.engine.operations.labels import detect_labels
from facesearch.engine.operations.searching import search_faces, search_faces_by_image
from facesearch.engine.operations.tagging import list_tags_for_resource, tag_resource, untag_resource
from facesearch.engine.operations.user_search import search_users, search_users_by_image
from facesearch.engine.operations.users import (
    associate_faces,
    create_user,
    delete_user,
    disassociate_faces,
    list_users,
)

OPERATIONS: Mapping[str, Callable[[Context, dict[str, Any]], dict[str, Any]]] = MappingProxyType(
    {
        "AssociateFaces": associate_faces,
        "CompareFaces": compare_faces,
        "CreateCollection": create_collection,
        "CreateUser": create_user,
        "DeleteCollection": delete_collection,
        "DeleteFaces": delete_faces,
        "DeleteUser": delete_user,
        "DescribeCollection": describe_collection,
        "DetectFaces": detect_faces,
        "DetectLabels": detect_labels,
        "DisassociateFaces": disassociate_faces,
        "IndexFaces": index_faces,
        "ListCollections": list_collections,
        "ListFaces": list_faces,
        "ListTagsForResource": list_tags_for_resource,
        "ListUsers": list_users,
        "SearchFaces": search_faces,
        "SearchFacesByImage": search_faces_by_image,
        "SearchUsers": search_users,
        "SearchUsersByImage": search_users_by_image,
        "TagResource": tag_resource,
        "UntagResource": untag_resource,
    }
)
