"""Whether a role's policy allows what its function asks of AWS.

moto does not look at resources, so every request of boto3's is compared here with the deployed statements. What
Libcloud and delta-rs ask of S3 passes by; the folders they may use are compared with the manifest elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from tests.emulators.moto_server import REGION

ACCOUNT: Final = "123456789012"


@dataclass
class Permissions:
    """Which functions were looked at, and what they asked for that their roles would not have allowed."""

    watched: set[str] = field(default_factory=set)
    refused: list[tuple[str, str, str]] = field(default_factory=list)

    def watch(self, function: str, session: Any, statements: Sequence[Mapping[str, Any]]) -> None:
        """Look at each request that a botocore session makes."""

        def look(params: Mapping[str, Any], model: Any, **_: Any) -> None:
            service = model.service_model.service_name
            for resource in _resources(service, params):
                action = f"{service}:{model.name}"
                if not allowed(statements, action, resource):
                    self.refused.append((function, action, resource))

        self.watched.add(function)
        session.register("provide-client-params.*", look)


def allowed(statements: Sequence[Mapping[str, Any]], action: str, resource: str) -> bool:
    """Whether one of the statements allows the action on the resource.

    A secret is asked for by its name, to which AWS adds six characters of its own: then `resource` is the pattern.
    """
    return any(
        action in _list(one["Action"])
        and any(fnmatchcase(resource, each) or fnmatchcase(each, resource) for each in _list(one["Resource"]))
        for one in statements
        if one["Effect"] == "Allow"
    )


def _resources(service: str, params: Mapping[str, Any]) -> list[str]:
    """The resources that a request is for, as ARNs."""
    if service == "s3":
        return ["arn:aws:s3:::" + "/".join(params[part] for part in ("Bucket", "Key") if part in params)]
    account = f"arn:aws:{service}:{REGION}:{ACCOUNT}:"
    if service == "dynamodb":
        tables = [params["TableName"]] if "TableName" in params else list(params["RequestItems"])
        return [f"{account}table/{table}" for table in tables]
    if service == "sqs":
        return [account + str(params.get("QueueUrl") or params["QueueName"]).rpartition("/")[2]]
    if service == "secretsmanager":
        return [f"{account}secret:{params['SecretId']}-??????"]
    return [f"{account}stream/{params['StreamName']}"]


def _list(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [value]
