"""The streams between ingest and what follows it."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.aws.accepted import accept
from infra.aws.config import Config


class Streams(Construct):
    """One Kinesis stream each. Records stay a day; what cannot be handled by then was put away before."""

    def __init__(self, scope: Construct, config: Config, key: kms.IKey, names: Sequence[str]) -> None:
        super().__init__(scope, "Streams")
        self.by_name = {name: self._stream(config, key, name) for name in names}

    def _stream(self, config: Config, key: kms.IKey, name: str) -> kinesis.Stream:
        on_demand = config.shards is None
        stream = kinesis.Stream(
            self,
            name.title(),
            stream_name=f"{config.name}-{name}",
            stream_mode=kinesis.StreamMode.ON_DEMAND if on_demand else kinesis.StreamMode.PROVISIONED,
            shard_count=config.shards,
            retention_period=Duration.hours(24),
            encryption=kinesis.StreamEncryption.KMS,
            encryption_key=key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        accept(stream, "One key of the operator's own guards all data, so that one deletion ends all access.", "KDS3")
        return stream
