"""The one key that everything at rest is encrypted with."""

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.aws.config import Config

TO_QUEUES = ("events.amazonaws.com",)
TO_TOPICS = ("cloudwatch.amazonaws.com",)


class Encryption(Construct):
    """A customer key, rotated each year. Functions may use it by their policies, AWS's services as said here."""

    def __init__(self, scope: Construct, config: Config) -> None:
        super().__init__(scope, "Encryption")
        self.key = kms.Key(
            self,
            "Key",
            alias=f"alias/{config.name}",
            description=f"What {config.name} keeps",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN if config.keep else RemovalPolicy.DESTROY,
        )
        self._allow_logs(config)
        for service in (*TO_QUEUES, *TO_TOPICS):
            self.key.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(service)],
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=["*"],
                    # "if exists", since not every service says for whom it asks of the key
                    conditions={"StringEqualsIfExists": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
                )
            )

    def _allow_logs(self, config: Config) -> None:
        groups = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:/aws/*/{config.name}-*"
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncrypt*"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )
