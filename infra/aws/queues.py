"""The queues, and where what nobody could deliver ends up."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.aws.accepted import accept
from infra.aws.config import Config

ATTEMPTS_BEYOND = 5
"""How often SQS delivers a message beyond its function's own limit, at which it goes to the suite's dead letters."""
UNDELIVERED = "undelivered"


class Queues(Construct):
    """For each queue one in SQS and its dead letters. `undelivered` takes what Lambda could not be handed."""

    def __init__(
        self, scope: Construct, config: Config, key: kms.IKey, functions: Sequence[Mapping[str, Any]]
    ) -> None:
        super().__init__(scope, "Queues")
        self._config = config
        self._key = key
        self.undelivered = self._dead(UNDELIVERED, "Undelivered")
        self.by_name: dict[str, sqs.Queue] = {}
        self.dead: list[sqs.Queue] = [self.undelivered]
        for function in functions:
            if function["trigger"]["kind"] == "queue":
                self._add(function)

    def _add(self, function: Mapping[str, Any]) -> None:
        trigger = function["trigger"]
        name = trigger["queue"]
        dead = self._dead(f"{name}-dead", f"{name.title()}Dead")
        self.dead.append(dead)
        self.by_name[name] = sqs.Queue(
            self,
            name.title(),
            queue_name=f"{self._config.name}-{name}",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self._key,
            enforce_ssl=True,
            # AWS's advice: six times as long as the function may take
            visibility_timeout=Duration.seconds(6 * function["timeout_seconds"]),
            retention_period=Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=dead, max_receive_count=trigger["max_attempts"] + ATTEMPTS_BEYOND
            ),
            removal_policy=RemovalPolicy.RETAIN if self._config.keep else RemovalPolicy.DESTROY,
        )

    def _dead(self, name: str, construct: str) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            construct,
            queue_name=f"{self._config.name}-{name}",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self._key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=RemovalPolicy.RETAIN if self._config.keep else RemovalPolicy.DESTROY,
        )
        accept(queue, "It is where dead letters go.", "SQS3")
        return queue
