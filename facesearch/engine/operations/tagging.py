"""TagResource, UntagResource, ListTagsForResource: collections are what this engine has to tag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facesearch.engine.operations.context import Context


def tag_resource(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """Set tags of a collection; a key that it has gets the new value."""
    context.tags.set_tags(context.collection_id(parameters["ResourceArn"]), parameters["Tags"])
    return {}


def untag_resource(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """Remove tags of a collection; a key that it does not have is no error."""
    context.tags.unset_tags(context.collection_id(parameters["ResourceArn"]), parameters["TagKeys"])
    return {}


def list_tags_for_resource(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """The tags of a collection."""
    return {"Tags": context.tags.tags_of(context.collection_id(parameters["ResourceArn"]))}
