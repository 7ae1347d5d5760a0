"""An AWS account around Rekognition: its buckets, rights and quotas. The only callers of their boto3 clients."""
