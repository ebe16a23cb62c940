"""The functions: each with a role, a policy and a log group of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import Annotations, Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.aws.accepted import accept, as_told
from infra.aws.config import Config
from infra.aws.packages import Package
from infra.aws.policies import Named, statements
from infra.aws.queues import Queues
from infra.aws.reading import has_fan_out
from infra.aws.secrets import Secrets
from infra.aws.storage import Storage
from infra.aws.stream import Streams
from shared.errors import Misconfigured

SNAP_START_HELPS = frozenset({"audience", "ingest"})
"""Players and pages wait for these, and a spike starts many at once. Consumers and schedules are seldom started anew,
and nobody waits for them; each snapshot costs about two dollars a month (docs/deploy-aws.md)."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the functions stand on."""

    key: kms.IKey
    storage: Storage
    streams: Streams
    queues: Queues
    secrets: Secrets


class Function(Construct):
    """One function of the manifest."""

    def __init__(
        self, scope: Construct, config: Config, parts: Parts, function: Mapping[str, Any], package: Package
    ) -> None:
        self.name: str = function["name"]
        self.kind: str = function["trigger"]["kind"]
        super().__init__(scope, "".join(part.title() for part in self.name.split("_")))
        self._config = config
        self._parts = parts
        self.manifest = function
        self.consumer = self._consumer() if has_fan_out(function) else None
        self.role = self._role()
        self.function = self._function(package)
        alias = self._snapped(package)
        self.target: lambda_.IFunction = alias or self.function
        self.qualifier = "live" if alias else "$LATEST"

    def _role(self) -> iam.Role:
        document = iam.PolicyDocument.from_json({"Version": "2012-10-17", "Statement": self._statements()})
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What {self.name} may do",
            inline_policies={"manifest": document},
        )
        self._accept_wildcards(role)
        return role

    def _statements(self) -> list[dict[str, Any]]:
        named = Named(self._config.name, self._config.mail_from)
        return [self._filled(statement) for statement in statements(self.manifest, named)]

    def _filled(self, value: Any) -> Any:
        """`value` with its `${…}` replaced by what they stand for."""
        if isinstance(value, dict):
            return {key: self._filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner) for inner in value]
        for placeholder, meant in self._meant().items():
            value = value.replace(placeholder, meant)
        return value

    def _meant(self) -> dict[str, str]:
        parts = self._parts
        return {
            "${AWS::Partition}": Aws.PARTITION,
            "${AWS::Region}": Aws.REGION,
            "${AWS::AccountId}": Aws.ACCOUNT_ID,
            "${Bucket}": parts.storage.data.bucket_name,
            "${Failed}": parts.storage.failed.bucket_name,
            "${Key}": parts.key.key_arn,
            "${Undelivered}": parts.queues.undelivered.queue_arn,
            **{f"${{Secret:{name}}}": arn for name, arn in parts.secrets.arns.items()},
            **({f"${{Consumer:{self.name}}}": self.consumer.attr_consumer_arn} if self.consumer else {}),
        }

    def _accept_wildcards(self, role: iam.Role) -> None:
        """The only ones: objects below a folder, and the streams of the function's own log group."""
        for statement in self._statements():
            for resource in statement["Resource"]:
                if resource.endswith("*"):
                    accept(
                        role,
                        "Names below this prefix are made as the function runs; the prefix is its own.",
                        f"IAM5[Resource::{as_told(role, resource)}]",
                    )

    def _function(self, package: Package) -> lambda_.Function:
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{self._config.name}-{self.name}",
            encryption_key=self._parts.key,
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        function = lambda_.Function(
            self,
            "Function",
            function_name=f"{self._config.name}-{self.name}",
            code=lambda_.Code.from_asset(str(package.archive)),
            handler=package.handler,
            runtime=lambda_.Runtime(
                package.runtime, lambda_.RuntimeFamily.PYTHON, supports_snap_start=package.can_snap_start
            ),
            architecture=lambda_.Architecture.custom(package.architecture),
            memory_size=self.manifest["memory_mb"],
            timeout=Duration.seconds(self.manifest["timeout_seconds"]),
            environment=self._environment(),
            role=self.role.without_policy_updates(),
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            # what Lambda says of each call costs more than it tells; failures and time-outs are warnings
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            reserved_concurrent_executions=self._config.reserved.get(self.name),
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if self._snaps(package) else None,
        )
        function.node.default_child.kms_key_arn = self._parts.key.key_arn
        accept(function, "The runtime is the Python that made the package; any that Lambda supports will do.", "L1")
        return function

    def _environment(self) -> dict[str, str]:
        return {
            "GRANDSTAND_NAME": self._config.name,
            "GRANDSTAND_FUNCTION": self.name,
            "GRANDSTAND_BUCKET": self._parts.storage.data.bucket_name,
            **({"GRANDSTAND_MAIL_FROM": self._config.mail_from} if self._config.mail_from else {}),
            **self._config.settings,
        }

    def _snaps(self, package: Package) -> bool:
        chosen = self._config.snap_start
        if chosen is None:
            return package.can_snap_start and self.name in SNAP_START_HELPS
        if self.name not in chosen:
            return False
        if not package.can_snap_start:
            raise Misconfigured(
                f"snap_start names {self.name}, whose package is for {package.runtime}: Lambda takes snapshots of "
                "Python 3.12 and newer. Package with such a Python, or leave snap_start out."
            )
        return True

    def _snapped(self, package: Package) -> lambda_.Alias | None:
        """The published version that a snapshot is taken of, where one is."""
        if not self._snaps(package):
            return None
        Annotations.of(self.function).acknowledge_warning(
            "@aws-cdk/aws-lambda:snapStartRequirePublish", "Everything starts the published version, by its alias."
        )
        return lambda_.Alias(self, "Live", alias_name="live", version=self.function.current_version)

    def _consumer(self) -> kinesis.CfnStreamConsumer:
        return kinesis.CfnStreamConsumer(
            self,
            "Consumer",
            consumer_name=f"{self._config.name}-{self.name}",
            stream_arn=self._parts.streams.by_name[self.manifest["trigger"]["stream"]].stream_arn,
        )
