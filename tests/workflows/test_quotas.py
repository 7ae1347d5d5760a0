from datetime import date

from facesearch.workflows import quotas


def test_every_region_has_a_quota_and_the_large_ones_more():
    assert quotas.index_faces("us-east-1") == 50
    assert quotas.index_faces("ap-southeast-1") == quotas.index_faces("mars-north-1") == 5


def test_the_table_says_when_it_was_true_and_who_says_so():
    table = quotas._table()
    assert isinstance(table["as_of"], date)
    assert table["source"].startswith("https://docs.aws.amazon.com/")
