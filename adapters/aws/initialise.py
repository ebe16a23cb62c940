"""What `grandstand init --cloud aws` asks of Secrets Manager. It needs more rights than any function has."""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from adapters.aws.clients import Clients
from adapters.aws.errors import about
from adapters.common.environment import needs_extra, suite_name
from adapters.common.fresh_secrets import Put
from shared.errors import Misconfigured

_NONE = "ResourceNotFoundException"
_THERE = "ResourceExistsException"
_DELETED = "InvalidRequestException"


def putter(environ: Mapping[str, str]) -> Put:
    """Puts the secrets of the deployment that GRANDSTAND_NAME names, also where a stack made them without a value.

    The first value's version has an id of its own, which Secrets Manager takes once: of two who put at the same time,
    the second changes nothing.
    """
    with needs_extra("aws"):
        from botocore.exceptions import ClientError

    clients, prefix = Clients(environ), suite_name(environ)

    def asked(call: Any, **arguments: str) -> str:
        """The code that the call was refused with, of those that are part of the answer; empty: it was done."""
        try:
            call(**arguments)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            if code not in (_NONE, _THERE, _DELETED):
                raise
            return code
        return ""

    def put(name: str, value: str) -> bool:
        whole = f"{prefix}/{name}"
        with about(f"the secret {whole}"):
            client = clients.secretsmanager
            refused = asked(client.get_secret_value, SecretId=whole)
            if refused == _DELETED:
                raise Misconfigured(
                    f"The secret {whole} is being deleted. What its keys wrote can be read while it can be "
                    f"had back: aws secretsmanager restore-secret --secret-id {whole}"
                )
            if not refused:
                return False
            version = str(uuid5(NAMESPACE_URL, f"grandstand:{whole}"))
            given = {"SecretString": value, "ClientRequestToken": version}
            refused = asked(client.create_secret, Name=whole, **given)
            if refused == _THERE:
                refused = asked(client.put_secret_value, SecretId=whole, **given)
            return not refused

    return put
