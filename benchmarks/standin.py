"""A stand-in for Rekognition: answers as it does, recognises nothing, and has a latency and a quota of its own.

    python benchmarks/standin.py [--latency 0.2] [--quota 50] [--burst 5]

What is measured against it is the pace of a program and not the speed of a recogniser: every photo has one face,
and two cores answer many times what a quota allows. IndexFaces takes calls out of a bucket that `quota` tokens a
second run into and that holds `burst`; a call that finds none is answered with ThrottlingException, at once. It
prints its port, serves until its input is closed, and answers a GET with what it counted.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import sys
import time
import uuid
from typing import Any

ARN = "arn:aws:rekognition:us-east-1:000000000000:collection/"
MODEL = "7.0"
BOX = {"Left": 0.25, "Top": 0.25, "Width": 0.5, "Height": 0.5}
DETAIL = {
    "BoundingBox": BOX,
    "Confidence": 99.9,
    "Landmarks": [],
    "Pose": {"Roll": 0.0, "Yaw": 0.0, "Pitch": 0.0},
    "Quality": {"Brightness": 80.0, "Sharpness": 80.0},
}

Answer = tuple[int, dict[str, Any]]


class StandIn:
    """Collections and faces in memory."""

    def __init__(self, latency: float, quota: float, burst: float) -> None:
        self._latency = latency
        self._quota = quota
        self._burst = self._tokens = burst
        self._seen = time.monotonic()
        self._collections: dict[str, dict[str, dict[str, Any]]] = {}
        self.answered = self.throttled = 0

    async def answer(self, operation: str, asked: dict[str, Any]) -> Answer:
        """One call, answered when its time has come."""
        name = asked.get("CollectionId", "")
        if operation != "CreateCollection" and name not in self._collections:
            return 400, {"__type": "ResourceNotFoundException", "message": "no such collection"}
        if operation == "IndexFaces" and not self._takes():
            self.throttled += 1
            return 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}
        await asyncio.sleep(self._latency)
        match operation:
            case "CreateCollection":
                self._collections[name] = {}
                return 200, {"StatusCode": 200, "CollectionArn": ARN + name, "FaceModelVersion": MODEL}
            case "DescribeCollection":
                return 200, {
                    "CollectionARN": ARN + name,
                    "FaceModelVersion": MODEL,
                    "CreationTimestamp": 1_700_000_000,
                    "FaceCount": len(self._collections[name]),
                }
            case "IndexFaces":
                self.answered += 1
                face = self._face(self._collections[name], asked)
                record = {"Face": face, "FaceDetail": DETAIL}
                return 200, {"FaceRecords": [record], "UnindexedFaces": [], "FaceModelVersion": MODEL}
        return 400, {"__type": "InvalidParameterException", "message": f"the stand-in knows no {operation}"}

    def _face(self, faces: dict[str, dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
        image = hashlib.sha256(asked["Image"]["Bytes"].encode()).hexdigest()
        external = asked.get("ExternalImageId", image)
        return faces.setdefault(
            f"{external}/{image}",
            {
                "FaceId": str(uuid.uuid4()),
                "ImageId": str(uuid.uuid5(uuid.NAMESPACE_OID, image)),
                "ExternalImageId": external,
                "BoundingBox": BOX,
                "Confidence": 99.9,
                "IndexFacesModelVersion": MODEL,
            },
        )

    def _takes(self) -> bool:
        if self._quota == math.inf:
            return True
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._seen) * self._quota)
        self._seen = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


async def serve(standin: StandIn) -> None:
    """Serve on a free port until the input is closed."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode("latin-1").split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if first.startswith("GET"):
                    status, answer = 200, {"answered": standin.answered, "throttled": standin.throttled}
                else:
                    operation = headers["x-amz-target"].rpartition(".")[2]
                    status, answer = await standin.answer(operation, json.loads(body))
                text = json.dumps(answer).encode()
                writer.write(
                    f"HTTP/1.1 {status} -\r\nContent-Type: application/x-amz-json-1.1\r\n"
                    f"x-amzn-RequestId: {uuid.uuid4()}\r\nContent-Length: {len(text)}\r\n\r\n".encode()
                    + text
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=16 * 1024 * 1024, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latency", type=float, default=0.2, help="seconds that a call takes")
    parser.add_argument("--quota", type=float, default=math.inf, help="IndexFaces calls a second")
    parser.add_argument("--burst", type=float, default=5, help="calls that may come at once")
    asked = parser.parse_args()
    asyncio.run(serve(StandIn(asked.latency, asked.quota, asked.burst)))


if __name__ == "__main__":
    main()
