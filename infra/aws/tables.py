"""The tables, paid by request: an audience comes and goes."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.aws.config import Config


class Tables(Construct):
    """One DynamoDB table each, with the keys and the expiry that adapters/aws/table.py writes."""

    def __init__(self, scope: Construct, config: Config, key: kms.IKey, names: Sequence[str]) -> None:
        super().__init__(scope, "Tables")
        self.by_name = {name: self._table(config, key, name) for name in names}

    def _table(self, config: Config, key: kms.IKey, name: str) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            "".join(part.title() for part in name.split("-")),
            table_name=f"{config.name}-{name}",
            partition_key=dynamodb.Attribute(name="p", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="s", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="ttl",
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=config.keep,
            removal_policy=RemovalPolicy.RETAIN if config.keep else RemovalPolicy.DESTROY,
        )
