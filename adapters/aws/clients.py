"""boto3's clients: made once each, when first asked for, and shared by threads.

Never beside `awscrt`: boto3 would import it, which costs 22 ms at every start.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, cast

from adapters.aws.errors import about
from adapters.common.environment import needs_extra
from shared.errors import Misconfigured

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from botocore.session import Session
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kinesis import KinesisClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sesv2 import SESV2Client
    from types_boto3_sqs import SQSClient

CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 8.0
ATTEMPTS: Final = 3
"""In all; botocore waits between them at random, up to 1 s and 2 s."""
CONNECTIONS: Final = 16
ENDPOINT: Final = "AWS_ENDPOINT_URL"
CALLED: Final = {"secretsmanager": "SECRETS_MANAGER"}
"""What boto3's variables call a service, where that is not its name."""
CREDENTIAL: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class Clients:
    """One process's clients. Region, endpoint, credential: boto3's own variables, or a role."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._lock = RLock()
        self._made: dict[str, Any] = {}

    @property
    def kinesis(self) -> KinesisClient:
        return cast("KinesisClient", self._client("kinesis"))

    @property
    def dynamodb(self) -> DynamoDBClient:
        return cast("DynamoDBClient", self._client("dynamodb"))

    @property
    def s3(self) -> S3Client:
        """For the bucket that Lambda itself writes to; the object store is Libcloud's."""
        return cast("S3Client", self._client("s3"))

    @property
    def sqs(self) -> SQSClient:
        return cast("SQSClient", self._client("sqs"))

    @property
    def secretsmanager(self) -> SecretsManagerClient:
        return cast("SecretsManagerClient", self._client("secretsmanager"))

    @property
    def sesv2(self) -> SESV2Client:
        return cast("SESV2Client", self._client("sesv2"))

    @property
    def region(self) -> str:
        """Raises Misconfigured when none is set."""
        with about("the region"):
            region: str | None = self.session.get_config_variable("region")
        if not region:
            raise Misconfigured("AWS_REGION is not set. Set it, for example AWS_REGION=eu-west-1.")
        return region

    def endpoint(self, service: str) -> str | None:
        """Where a service answers other than at AWS: an emulator's address, or a VPC endpoint's.

        Raises Misconfigured when it is no address.
        """
        for name in (f"{ENDPOINT}_{CALLED.get(service, service.upper())}", ENDPOINT):
            url = self._environ.get(name, "").strip()
            if url and not url.startswith(("http://", "https://")):
                raise Misconfigured(
                    f"{name}={url!r} is no address. Set it, for example {name}=http://localhost:5000."
                )
            if url:
                return url
        return None

    @property
    def foreign_credential(self) -> dict[str, str]:
        """The credential of an environment that is not the process's own, where libraries do not look for it."""
        told = {name: self._environ[name] for name in CREDENTIAL if self._environ.get(name)}
        ours = {name: os.environ[name] for name in CREDENTIAL if os.environ.get(name)}
        return told if told != ours else {}

    @property
    def credentials(self) -> Credentials:
        """The identity's, which botocore renews before they expire. Raises Misconfigured when there are none."""
        with self._lock, about("the credential"):
            credentials = self.session.get_credentials()
        if credentials is None:
            raise Misconfigured(
                "There is no AWS credential. Give the function a role, or set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, for example by `aws configure`."
            )
        return credentials

    @cached_property
    def session(self) -> Session:
        """botocore's session: finding the region and the credential."""
        with needs_extra("aws"):
            from botocore.session import get_session

        session = get_session()
        region = self._environ.get("AWS_REGION", "").strip()
        if region:  # botocore itself reads AWS_DEFAULT_REGION only
            session.set_config_variable("region", region)
        told = self.foreign_credential
        if told:
            session.set_credentials(*(told.get(name, "") for name in CREDENTIAL))
        return session

    def _client(self, service: str) -> Any:
        made = self._made.get(service)
        if made is None:
            with self._lock:
                made = self._made.get(service) or self._made.setdefault(service, self._make(service))
        return made

    def _make(self, service: str) -> Any:
        with needs_extra("aws"):
            from botocore.config import Config

        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=CONNECTIONS,
            tcp_keepalive=True,
            s3={"addressing_style": "path"} if self.endpoint("s3") else None,
        )
        with about(service):
            return self._boto3.client(
                service, region_name=self.region, config=config, endpoint_url=self.endpoint(service)
            )

    @cached_property
    def _boto3(self) -> Any:
        """One for all clients: each adds handlers to botocore's session."""
        with needs_extra("aws"):
            from boto3.session import Session as Boto3Session

        return Boto3Session(botocore_session=self.session)
