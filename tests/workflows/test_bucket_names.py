"""S3's rules for names, one by one."""

import pytest

from facesearch.errors import UsageError
from facesearch.workflows.bucket_names import check_new, check_there


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ab", "3 to 63"),
        ("a" * 64, "3 to 63"),
        ("", "3 to 63"),
        ("My-Photos", "'M'"),
        ("my_photos", "'_'"),
        ("fotos-ñ", "'ñ'"),
        ("my photos", "' '"),
        ("photos\n", "'\\n'"),
        ("../photos", "'/'"),
        ("arn:aws:s3:::photos", "':'"),
        ("-photos", "begin and end"),
        ("photos.", "begin and end"),
        ("my..photos", "two dots"),
        ("192.168.5.4", "IP address"),
        ("999.999.999.999", "IP address"),
        ("xn--photos", "begin with xn--"),
        ("sthree-photos", "begin with sthree-"),
        ("amzn-s3-demo-photos", "begin with amzn-s3-demo-"),
        ("photos-s3alias", "end with -s3alias"),
        ("photos--ol-s3", "end with --ol-s3"),
        ("photos.mrap", "end with .mrap"),
        ("photos--x-s3", "end with --x-s3"),
        ("photos--table-s3", "end with --table-s3"),
        ("photos-123456789012-eu-west-1-an", "end with -an"),
    ],
)
def test_a_name_against_the_rules_is_refused_with_the_rule(name, why):
    with pytest.raises(UsageError) as refused:
        check_new(name)
    assert str(refused.value).startswith(f"{name!r} cannot be the name of a bucket: ")
    assert why in str(refused.value)


@pytest.mark.parametrize("name", ["abc", "a" * 63, "1.2.3", "a-b.c-d", "0ab", "192.168.5.4.5", "a.-b"])
def test_names_within_the_rules_are_taken(name):
    check_new(name)


@pytest.mark.parametrize(
    "name",
    [
        "arn:aws:s3:eu-west-1:123456789012:accesspoint/x",
        "a/b",
        "photos-s3alias",
        "photos--x-s3",
        "",
        "a b",
        "...",
    ],
)
def test_what_is_no_ordinary_bucket_is_refused(name):
    with pytest.raises(UsageError):
        check_there(name)


@pytest.mark.parametrize("name", ["photos", "Old_Photos.2012", "a" * 255])
def test_buckets_of_the_days_of_looser_rules_can_be_looked_after(name):
    check_there(name)
