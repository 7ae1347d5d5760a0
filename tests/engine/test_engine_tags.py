"""Tags of collections, through boto3."""

import pytest

from facesearch.engine.tags import MAX_TAGS


@pytest.fixture
def arn(client):
    client.create_collection(CollectionId="staff", Tags={"team": "ops", "stage": ""})
    return client.describe_collection(CollectionId="staff")["CollectionARN"]


def tags(client, arn):
    return client.list_tags_for_resource(ResourceArn=arn)["Tags"]


def test_a_collection_keeps_the_tags_it_was_made_with(client, arn):
    assert tags(client, arn) == {"team": "ops", "stage": ""}
    client.create_collection(CollectionId="guests")
    assert tags(client, client.describe_collection(CollectionId="guests")["CollectionARN"]) == {}


def test_tags_are_set_over_what_is_there_and_removed(client, arn):
    answer = client.tag_resource(ResourceArn=arn, Tags={"team": "dev", "владелец": "я"})
    assert answer.keys() == {"ResponseMetadata"}
    assert tags(client, arn) == {"team": "dev", "stage": "", "владелец": "я"}
    client.untag_resource(ResourceArn=arn, TagKeys=["stage", "no such key"])
    assert tags(client, arn) == {"team": "dev", "владелец": "я"}


def test_a_collection_has_fifty_tags_at_most_and_a_call_over_that_changes_nothing(client, arn):
    most = {f"k{number}": "v" for number in range(MAX_TAGS - 2)}
    client.tag_resource(ResourceArn=arn, Tags=most)
    with pytest.raises(client.exceptions.ServiceQuotaExceededException, match="more than 50 tags"):
        client.tag_resource(ResourceArn=arn, Tags={"team": "new", "one more": ""})
    assert tags(client, arn) == {"team": "ops", "stage": "", **most}
    client.tag_resource(ResourceArn=arn, Tags={"team": "new"})
    with pytest.raises(client.exceptions.ServiceQuotaExceededException):
        client.create_collection(CollectionId="b", Tags={f"k{number}": "" for number in range(MAX_TAGS + 1)})


@pytest.mark.parametrize(
    "change",
    [
        lambda arn: arn.replace("staff", "nowhere"),
        lambda arn: arn.replace("collection/", "streamprocessor/"),
        lambda arn: arn.replace("us-east-1", "eu-west-1"),
        lambda arn: arn.removeprefix("arn:"),
        lambda arn: "x" * 20,
    ],
)
def test_an_arn_that_names_no_collection_of_this_engine_is_not_found(client, arn, change):
    wrong = change(arn)
    for operation, more in (
        ("list_tags_for_resource", {}),
        ("tag_resource", {"Tags": {"a": "b"}}),
        ("untag_resource", {"TagKeys": ["a"]}),
    ):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            getattr(client, operation)(ResourceArn=wrong, **more)


def test_keys_of_aws_s_own_are_refused(client, arn):
    with pytest.raises(client.exceptions.ClientError, match="ValidationException"):
        client.tag_resource(ResourceArn=arn, Tags={"aws:mine": "x"})
