"""The whole suite in one CloudFormation stack."""

import json
from typing import Any

from aws_cdk import Aws, CfnOutput, Stack
from constructs import Construct

from infra.aws.api import Api
from infra.aws.config import Config
from infra.aws.consumers import FromQueue, FromStream
from infra.aws.edge import Edge
from infra.aws.encryption import Encryption
from infra.aws.functions import Function, Parts
from infra.aws.observability import Observability
from infra.aws.packages import read_packages
from infra.aws.publishing import Publishing
from infra.aws.queues import Queues
from infra.aws.reading import check_paths
from infra.aws.schedules import Schedules
from infra.aws.secrets import Secrets
from infra.aws.storage import Storage
from infra.aws.stream import Streams
from infra.aws.tables import Tables
from infra.manifest import PATH
from shared.errors import Misconfigured


class GrandstandStack(Stack):  # type: ignore[misc]  # the CDK's stubs are left out
    """Everything that `infra/manifest.json` names, and what leads to it. Raises Misconfigured."""

    def __init__(self, scope: Construct, config: Config, **options: Any) -> None:
        super().__init__(scope, config.name, description="Grandstand: what a live audience does", **options)
        manifest = json.loads(PATH.read_bytes())
        declared = manifest["functions"]
        self._check(config, declared)
        key = Encryption(self, config).key
        storage = Storage(self, config, key)
        tables = Tables(self, config, key, manifest["tables"])
        streams = Streams(self, config, key, manifest["streams"])
        queues = Queues(self, config, key, declared)
        secrets = Secrets(self, config, key, manifest["secrets"])
        parts = Parts(key, storage, streams, queues, secrets)
        packages = read_packages(config.packages, [one["name"] for one in declared])
        functions = [Function(self, config, parts, one, packages[one["name"]]) for one in declared]
        served = [one for one in functions if one.kind == "http"]
        for function in functions:
            if function.kind == "stream":
                FromStream(function, config, parts)
            elif function.kind == "queue":
                FromQueue(function, parts)
        Schedules(self, config, [one for one in functions if one.kind == "schedule"])
        api = Api(self, config, key, served)
        edge = Edge(self, config, storage, api, declared)
        Publishing(self, config, key, storage.page)
        Observability(
            self,
            config,
            key,
            functions=functions,
            streams=list(streams.by_name.values()),
            tables=list(tables.by_name.values()),
            queues=queues,
            api=api,
        )
        self._tell(config, storage, api, edge)

    def _check(self, config: Config, declared: list[dict[str, Any]]) -> None:
        check_paths([one for one in declared if one["trigger"]["kind"] == "http"])
        known = {one["name"] for one in declared}
        for choice, named in (("snap_start", config.snap_start or ()), ("reserved", config.reserved)):
            unknown = sorted(set(named) - known)
            if unknown:
                raise Misconfigured(
                    f"{choice} names {', '.join(unknown)}; the functions are {', '.join(sorted(known))}"
                )

    def _tell(self, config: Config, storage: Storage, api: Api, edge: Edge) -> None:
        live = config.domain or edge.distribution.distribution_domain_name
        CfnOutput(self, "LivePage", value=f"https://{live}/", description="The live page; the API is below /v1")
        CfnOutput(self, "ApiAddress", value=api.api.attr_api_endpoint, description="The API without CloudFront")
        CfnOutput(self, "Bucket", value=storage.data.bucket_name, description="GRANDSTAND_BUCKET")
        CfnOutput(self, "PageBucket", value=storage.page.bucket_name, description="Where the live page's files lie")
        CfnOutput(self, "Region", value=Aws.REGION, description="AWS_REGION")
