"""Objects in one S3 bucket by Apache Libcloud, signed with the role's own rotating credential."""

from typing import NamedTuple
from urllib.parse import urlsplit

from libcloud.storage.base import StorageDriver
from libcloud.storage.drivers.s3 import REGION_TO_HOST_MAP, S3StorageDriver

from adapters.aws.clients import Clients
from adapters.aws.errors import about, refused
from adapters.common.libcloud_objects import Answer, Drivers, LibcloudObjects
from shared.errors import GrandstandError


class Credential(NamedTuple):
    """What signs a request."""

    access_key: str
    secret_key: str
    token: str | None


class AwsDriver(S3StorageDriver):
    """Libcloud's S3 driver for any region, at its regional endpoint or another one."""

    def __init__(self, credential: Credential, region: str, endpoint: str | None) -> None:
        address = urlsplit(endpoint or f"https://s3.{region}.{_domain(region)}")
        REGION_TO_HOST_MAP.setdefault(region, str(address.hostname))  # it refuses regions that it has not heard of
        secure = address.scheme == "https"
        super().__init__(  # type: ignore[no-untyped-call]
            credential.access_key,
            credential.secret_key,
            secure=secure,
            host=str(address.hostname),
            port=address.port or (443 if secure else 80),
            region=region,
            token=credential.token,
        )


def drivers(clients: Clients) -> Drivers[Credential]:
    """Libcloud drivers of the process's identity."""

    def identity() -> Credential:
        with about("the credential"):
            frozen = clients.credentials.get_frozen_credentials()
        return Credential(str(frozen.access_key), str(frozen.secret_key), frozen.token)

    def make(credential: Credential) -> StorageDriver:
        return AwsDriver(credential, clients.region, clients.endpoint("s3"))

    return Drivers(identity, make)


def make(drivers: Drivers[Credential], bucket: str, prefix: str, region: str) -> LibcloudObjects:
    """The objects under a prefix of the bucket."""

    def trouble(answer: Answer) -> GrandstandError:
        return refused(answer.code, answer.message, answer.status, f"the bucket {bucket}", region)

    return LibcloudObjects(drivers, bucket, prefix, trouble)


def _domain(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
