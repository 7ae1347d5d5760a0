"""A queue for what can never be done, each with the reason why: a person looks at it, or sends it on."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from botocore import exceptions as aws

from facesearch.errors import ConfigurationError
from facesearch.service_errors import translated

if TYPE_CHECKING:
    from botocore.client import BaseClient

MAX_REASON = 4000  # characters
_NOT_IN_SQS = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class DeadLetters:
    """An SQS queue, over one boto3 client, made when it is first needed."""

    def __init__(self, open_client: Callable[[], BaseClient], url: str) -> None:
        self._open_client = open_client
        self._url = url

    @cached_property
    def _client(self) -> BaseClient:
        return self._open_client()

    def send(self, body: str, reason: str) -> None:
        """Put a message in the queue, with its reason as the attribute `reason`.

        Raises ConfigurationError for a queue that is not there or may not be used, and ServiceError.
        """
        text = _NOT_IN_SQS.sub("\ufffd", reason)[:MAX_REASON]
        try:
            self._client.send_message(  # type: ignore[attr-defined]
                QueueUrl=self._url,
                MessageBody=body,
                MessageAttributes={"reason": {"DataType": "String", "StringValue": text}},
            )
        except aws.ClientError as exc:
            code = str(exc.response.get("Error", {}).get("Code", ""))
            if code.endswith(("NonExistentQueue", "QueueDoesNotExist")):
                raise ConfigurationError(
                    f"there is no queue {self._url}: check DEAD_LETTER_QUEUE_URL"
                ) from exc
            if "AccessDenied" in code:
                raise ConfigurationError(
                    f"the credentials may not use {self._url}: their IAM policies must allow sqs:SendMessage"
                ) from exc
            raise translated(exc, "SendMessage") from exc
        except aws.BotoCoreError as exc:
            raise translated(exc, "SendMessage") from exc
