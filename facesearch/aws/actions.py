"""Which IAM action a call needs. Mostly both have the same name; these are the calls for which they differ."""

from __future__ import annotations

from collections.abc import Mapping

_OTHERWISE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("s3", "CopyObject"): ("s3:GetObject", "s3:PutObject"),
    ("s3", "DeleteObjects"): ("s3:DeleteObject", "s3:DeleteObjectVersion"),
    ("s3", "GetBucketEncryption"): ("s3:GetEncryptionConfiguration",),
    ("s3", "GetPublicAccessBlock"): ("s3:GetBucketPublicAccessBlock",),
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "HeadObject"): ("s3:GetObject",),
    ("s3", "ListBuckets"): ("s3:ListAllMyBuckets",),
    ("s3", "ListObjectVersions"): ("s3:ListBucketVersions",),
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
    ("s3", "PutBucketEncryption"): ("s3:PutEncryptionConfiguration",),
    ("s3", "PutPublicAccessBlock"): ("s3:PutBucketPublicAccessBlock",),
    ("service-quotas", "ListServiceQuotas"): ("servicequotas:ListServiceQuotas",),
}


def needed(service: str, operation: str) -> tuple[str, ...]:
    """The IAM actions for an operation, both as botocore names them: ("s3", "HeadObject") -> ("s3:GetObject",)."""
    return _OTHERWISE.get((service, operation), (f"{service}:{operation}",))
