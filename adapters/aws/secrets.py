"""Secrets in AWS Secrets Manager, kept for a minute so that a rotation needs no restart."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Final

from adapters.aws.errors import about
from shared.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

KEPT_SECONDS: Final = 60.0
TRY_AGAIN_SECONDS: Final = 5.0
"""How long an old value serves before the next look, while there is no answer."""


class AwsSecrets:
    """`shared.ports.Secrets`. While Secrets Manager cannot answer, what was read last serves on."""

    def __init__(
        self, client: Callable[[], SecretsManagerClient], prefix: str, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._now = now
        self._lock = Lock()
        self._known: dict[str, tuple[bytes, float]] = {}

    def get(self, name: str) -> bytes:
        known = self._known.get(name)
        if known is not None and self._now() < known[1]:
            return known[0]
        if not self._lock.acquire(blocking=known is None) and known is not None:
            return known[0]  # another thread asks already
        try:
            known = self._known.get(name)
            if known is None or self._now() >= known[1]:
                known = self._known[name] = self._renewed(name, known)
        finally:
            self._lock.release()
        return known[0]

    def _renewed(self, name: str, known: tuple[bytes, float] | None) -> tuple[bytes, float]:
        try:
            return self._read(name), self._now() + KEPT_SECONDS
        except Unavailable:
            if known is None:
                raise
            return known[0], self._now() + TRY_AGAIN_SECONDS

    def _read(self, name: str) -> bytes:
        from botocore.exceptions import ClientError

        whole = f"{self._prefix}/{name}"
        with about(f"the secret {whole}"):
            try:
                answer = self._client().get_secret_value(SecretId=whole)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if code in (
                    "ResourceNotFoundException",
                    "InvalidRequestException",
                ):  # or it is being deleted
                    raise Misconfigured(
                        f"There is no secret {whole!r}. Make it: "
                        f"aws secretsmanager create-secret --name {whole} --secret-string …"
                    ) from None
                raise
        text = answer.get("SecretString")
        return text.encode() if text is not None else bytes(answer["SecretBinary"])
