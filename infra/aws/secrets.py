"""The secrets' places. What is in them comes from `grandstand init --cloud aws`, and is in no template."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.aws.accepted import accept
from infra.aws.config import Config


class Secrets(Construct):
    """One secret each, without a value."""

    def __init__(self, scope: Construct, config: Config, key: kms.IKey, names: Sequence[str]) -> None:
        super().__init__(scope, "Secrets")
        self.arns: dict[str, str] = {}
        for name in names:
            secret = secretsmanager.CfnSecret(
                self,
                "".join(part.title() for part in name.split("-")),
                name=f"{config.name}/{name}",
                description=f"docs/credentials.md says what {name} is",
                kms_key_id=key.key_arn,
            )
            secret.apply_removal_policy(RemovalPolicy.RETAIN if config.keep else RemovalPolicy.DESTROY)
            accept(
                secret,
                "A new key is added beside the old one, and senders move over before that one is removed: "
                "its owner knows when, a timer does not.",
                "SMG4",
            )
            self.arns[name] = secret.ref
