"""Which distribution a module of others comes from."""

from collections.abc import Iterable
from typing import Final

from adapters.packaging.target import Cloud
from shared.errors import Misconfigured

DISTRIBUTIONS: Final = {
    "a2wsgi": "a2wsgi",
    "arro3": "arro3-core",
    "aws_lambda_powertools": "aws-lambda-powertools",
    "azure.communication.email": "azure-communication-email",
    "azure.core": "azure-core",
    "azure.data.tables": "azure-data-tables",
    "azure.eventhub": "azure-eventhub",
    "azure.functions": "azure-functions",
    "azure.identity": "azure-identity",
    "azure.keyvault.secrets": "azure-keyvault-secrets",
    "azure.storage.blob": "azure-storage-blob",
    "azure.storage.queue": "azure-storage-queue",
    "boto3": "boto3",
    "botocore": "botocore",
    "cryptography": "cryptography",
    "deltalake": "deltalake",
    "duckdb": "duckdb",
    "flask": "flask",
    "functions_framework": "functions-framework",
    "google.api_core": "google-api-core",
    "google.auth": "google-auth",
    "google.cloud.exceptions": "google-cloud-core",
    "google.cloud.firestore": "google-cloud-firestore",
    "google.cloud.firestore_v1": "google-cloud-firestore",
    "google.cloud.pubsub": "google-cloud-pubsub",
    "google.cloud.pubsub_v1": "google-cloud-pubsub",
    "google.cloud.secretmanager": "google-cloud-secret-manager",
    "google.cloud.secretmanager_v1": "google-cloud-secret-manager",
    "google.cloud.storage": "google-cloud-storage",
    "google.cloud.tasks": "google-cloud-tasks",
    "google.cloud.tasks_v2": "google-cloud-tasks",
    "google.iam": "grpc-google-iam-v1",
    "google.oauth2": "google-auth",
    "google.protobuf": "protobuf",
    "google.pubsub_v1": "google-cloud-pubsub",
    "google.rpc": "googleapis-common-protos",
    "grpc": "grpcio",
    "grpc_status": "grpcio-status",
    "httpx": "httpx",
    "jwt": "pyjwt[crypto]",
    "libcloud": "apache-libcloud",
    "mangum": "mangum",
    "msgspec": "msgspec",
    "numpy": "numpy",
    "orjson": "orjson",
    "proto": "proto-plus",
    "pyarrow": "pyarrow",
    "pydantic": "pydantic",
    "pytz": "pytz",
    "requests": "requests",
    "s3transfer": "s3transfer",
    "sqlglot": "sqlglot",
    "starlette": "starlette",
    "typing_extensions": "typing-extensions",
    "urllib3": "urllib3",
    "werkzeug": "werkzeug",
    "zstandard": "zstandard",
}
"""By the longest dotted beginning that names one; several distributions share `azure` and `google`."""

BY_THE_RUNTIME: Final[dict[Cloud, frozenset[str]]] = {
    Cloud.aws: frozenset(),
    Cloud.azure: frozenset(),
    Cloud.gcp: frozenset({"functions-framework"}),
}
"""What stands in the runtime already, with all that it depends on, and so is left out of the archive.

Lambda carries a boto3 of its own, older and without .pyc of our choosing: ours goes along. Google's build installs
functions-framework from the archive's requirements.txt, into a place that comes first on the path.
"""

NEVER_IMPORTED: Final = frozenset(
    {
        "aiohttp",  # azure-core and msal name it for their asynchronous clients only
        "pycparser",  # cffi reads C declarations with it, at build time
    }
)
"""Dependencies that no function ever reaches: the check of each package imports everything it may."""


def distribution(module: str) -> str | None:
    """The distribution that a module comes from, with the extras it needs; None when nobody said."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        found = DISTRIBUTIONS.get(".".join(parts[:length]))
        if found is not None:
            return found
    return None


def distributions(modules: Iterable[str]) -> dict[str, list[str]]:
    """Each distribution with the modules of it that are imported. Raises Misconfigured for one that nobody knows."""
    found: dict[str, list[str]] = {}
    for module in sorted(modules):
        name = distribution(module)
        if name is None:
            raise Misconfigured(
                f"Nothing says which distribution has the module {module}. "
                "Add it to DISTRIBUTIONS in adapters/packaging/libraries.py."
            )
        found.setdefault(name, []).append(module)
    return found
