"""Batches that Lambda has given up, after too many attempts or too long a time: to the dead letters, none is lost.

Lambda writes such a batch to S3 as one object, which says why and holds the event as its `payload`. S3 tells us:
1. Read the object. One that is not there was buried before.
2. Put every record of it to the dead letters, each under its own id: doing so again changes nothing.
3. Only when all are safe there, delete the object. A crash before that leaves it, and Lambda calls again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import orjson

from adapters.aws.errors import about
from adapters.aws.triggers import Event, Streamed
from shared.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CONDITIONS: Final = {
    "RetryAttemptsExhausted": "gave up after {attempts} attempts",
    "MaximumRecordAgeExceeded": "gave up for its age, after {attempts} attempts",
}


class Failed:
    """Buries what Lambda gave up of one stream's consumer."""

    def __init__(self, streamed: Streamed, client: Callable[[], S3Client]) -> None:
        self._streamed = streamed
        self._client = client

    def handle(self, event: Event) -> None:
        """Bury the batches that an S3 event names. Raises Unavailable while one is not safe, Misconfigured."""
        from aws_lambda_powertools.utilities.data_classes.s3_event import S3Event

        for record in S3Event(dict(event)).records:
            self._bury(record.s3.bucket.name, record.s3.get_object.key)

    def _bury(self, bucket: str, key: str) -> None:
        told = self._read(bucket, key)
        if told is None:
            return
        batch = _batch(told)
        if batch is None:
            raise Misconfigured(
                f"{bucket}/{key} is no batch that Lambda gave up. It stays there; see who else writes to this bucket."
            )
        if not self._streamed.bury(batch, _given_up(told), _otherwise(told)):
            raise Unavailable(f"{bucket}/{key}: not every record has reached the dead letters; it is tried again.")
        with about(f"the bucket {bucket}"):
            self._client().delete_object(Bucket=bucket, Key=key)

    def _read(self, bucket: str, key: str) -> Any:
        with about(f"the bucket {bucket}"):
            client = self._client()
            try:
                body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
            except client.exceptions.NoSuchKey:
                return None
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            return {}


def _batch(told: Any) -> Event | None:
    """The event that Lambda could not hand over."""
    payload = told.get("payload") if isinstance(told, Mapping) else None
    if isinstance(payload, str):
        try:
            payload = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return None
    return payload if isinstance(payload, Mapping) and "Records" in payload else None


def _given_up(told: Mapping[str, Any]) -> str:
    context = told.get("requestContext") or {}
    condition = str(context.get("condition", ""))
    return CONDITIONS.get(condition, f"gave up ({condition})").format(attempts=context.get("approximateInvokeCount"))


def _otherwise(told: Mapping[str, Any]) -> str:
    failed = (told.get("responseContext") or {}).get("functionError")
    return "its process ended, or failed" if failed else "the function asked for it again"
