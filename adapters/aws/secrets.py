"""Secrets in AWS Secrets Manager. adapters/common/kept_secrets.py keeps them for a minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from adapters.aws.errors import about
from adapters.common.kept_secrets import KeptSecrets
from shared.errors import Misconfigured

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

_MISSING: Final = ("ResourceNotFoundException", "InvalidRequestException")
"""There is none, or it is being deleted."""


def secrets(
    client: Callable[[], SecretsManagerClient], prefix: str, *, now: Callable[[], float] = time.monotonic
) -> KeptSecrets:
    """The secrets whose names begin with `prefix/`."""

    def read(name: str) -> bytes:
        from botocore.exceptions import ClientError

        whole = f"{prefix}/{name}"
        with about(f"the secret {whole}"):
            try:
                answer = client().get_secret_value(SecretId=whole)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in _MISSING:
                    raise Misconfigured(
                        f"There is no secret {whole!r}, or no value in it. `grandstand init --cloud aws` makes those "
                        "that the suite cannot run without; any other: aws secretsmanager put-secret-value "
                        f"--secret-id {whole} --secret-string …, or create-secret --name {whole}"
                    ) from None
                raise
        text = answer.get("SecretString")
        return text.encode() if text is not None else bytes(answer["SecretBinary"])

    return KeptSecrets(read, now=now)
