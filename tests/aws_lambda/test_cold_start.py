"""What a function loads: nothing of the embedded engine, the command line or the records, before it needs them."""

import json
import subprocess
import sys

HEAVY = [
    "numpy", "onnx", "onnxruntime", "PIL", "click", "rich", "sqlalchemy", "alembic", "boto3",
    "facesearch.cli", "facesearch.engine", "facesearch.records",
]  # fmt: skip

IMPORT = "import facesearch.aws_lambda"

TAG = """
import datetime, os
os.environ.update(FACESEARCH_ENGINE="aws", AWS_REGION="us-east-1")
os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x")
from botocore.stub import Stubber
from facesearch import aws_lambda

app = aws_lambda._app()
s3, rekognition = Stubber(app._objects._client), Stubber(app._gateway._client)
photo = {"ETag": '"e"', "ContentLength": 1, "LastModified": datetime.datetime(2026, 1, 1)}
s3.add_client_error("get_object", "NoSuchKey", http_status_code=404)
s3.add_response("head_object", photo)
rekognition.add_response("detect_labels", {"Labels": [{"Name": "Cat", "Confidence": 99.0}]})
s3.add_response("head_object", photo)
s3.add_response("put_object", {})
place = {"bucket": {"name": "bucket"}, "object": {"key": "uploads/a.jpg"}}
record = {"eventName": "ObjectCreated:Put", "s3": place}
with s3, rekognition:
    answer = aws_lambda.tag_handler({"Records": [record]})
assert answer["objects"][0]["outcome"] == "tagged", answer
"""


def loaded_by(code):
    code += f"\nimport json, sys; print(json.dumps(sorted(set({HEAVY!r}) & set(sys.modules))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_importing_the_handlers_loads_nothing_heavy():
    assert loaded_by(IMPORT) == []


def test_tagging_loads_nothing_heavy_either():
    assert loaded_by(TAG) == []
