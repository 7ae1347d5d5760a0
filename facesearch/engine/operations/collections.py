"""CreateCollection, DescribeCollection, ListCollections, DeleteCollection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facesearch.engine import errors
from facesearch.engine.operations import paging
from facesearch.engine.tags import MAX_TAGS

if TYPE_CHECKING:
    from facesearch.engine.operations.context import Context


def create_collection(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """Bind a new collection to the face model that the store's new collections are made with, for good."""
    model_version = context.recognizer().model_version
    collection_id, tags = parameters["CollectionId"], parameters.get("Tags", {})
    if len(tags) > MAX_TAGS:
        raise errors.too_many_tags(MAX_TAGS)
    context.store.create_collection(collection_id, model_version, tags)
    return {
        "StatusCode": 200,
        # Rekognition leaves the prefix out here, and here alone.
        "CollectionArn": context.arn(collection_id).removeprefix("arn:"),
        "FaceModelVersion": model_version,
    }


def describe_collection(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """Count what a collection holds, and say since when and for which face model."""
    collection = context.store.collection(parameters["CollectionId"])
    return {
        "FaceCount": collection.face_count,
        "UserCount": collection.user_count,
        "FaceModelVersion": collection.model_version,
        "CollectionARN": context.arn(collection.collection_id),
        "CreationTimestamp": collection.created_at,
    }


def list_collections(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """List the collections, oldest first."""
    scope = "ListCollections"
    after = paging.position(context.store, scope, parameters.get("NextToken"))
    limit = parameters.get("MaxResults") or paging.DEFAULT_PAGE
    found = context.store.collections(after, limit + 1)
    page = found[:limit]
    return {
        "CollectionIds": [collection.collection_id for collection in page],
        "FaceModelVersions": [collection.model_version for collection in page],
        "NextToken": paging.token(context.store, scope, page[-1].number) if len(found) > limit else None,
    }


def delete_collection(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """Delete a collection with all its faces and users."""
    number = context.store.delete_collection(parameters["CollectionId"])
    context.indexes.forget(number)
    context.user_indexes.forget(number)
    return {"StatusCode": 200}
