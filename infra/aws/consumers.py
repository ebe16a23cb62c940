"""What hands records and messages to the functions, and what becomes of those that Lambda gives up."""

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.aws.config import Config
from infra.aws.functions import Function, Parts
from infra.aws.policies import FAILED_PREFIX

MAX_ATTEMPTS = 100
"""Of a batch, as the local provider has it."""
PUT_AWAY_SECONDS = 3_600
"""How long before the stream forgets a record Lambda gives it up: it reads it again to put it away."""
QUEUE_BATCH = 1
"""A message has all of its function's time: of several, the first may use it up, and all would have been tried."""
QUEUE_AT_ONCE = 2
"""The fewest that Lambda can be told: a rebuild reads much history, and nobody waits for it."""
BURY_RETRIES = 2
BURY_SECONDS = 6 * 3_600


class FromStream(Construct):
    """A stream's batches for one function: in halves when they fail, then put into a bucket, then buried."""

    def __init__(self, function: Function, config: Config, parts: Parts) -> None:
        super().__init__(function, "FromStream")
        self._function = function
        self._parts = parts
        self.mapping = self._mapping(config)
        self._bury()
        self._retry_burying()

    def _mapping(self, config: Config) -> lambda_.CfnEventSourceMapping:
        trigger, consumer = self._function.manifest["trigger"], self._function.consumer
        stream = self._parts.streams.by_name[trigger["stream"]]
        return lambda_.CfnEventSourceMapping(
            self,
            "Mapping",
            function_name=self._function.target.function_arn,
            event_source_arn=consumer.attr_consumer_arn if consumer else stream.stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=trigger["batch_records"],
            maximum_batching_window_in_seconds=trigger["window_ms"] // 1_000,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            maximum_record_age_in_seconds=config.horizon_seconds - PUT_AWAY_SECONDS,
            maximum_retry_attempts=MAX_ATTEMPTS,
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(
                    destination=self._parts.storage.failed.bucket_arn
                )
            ),
        )

    def _bury(self) -> None:
        """What Lambda gave up and put into the bucket comes back to the function, which buries it.

        EventBridge rather than the bucket's own notification, since bucket and function would wait for each other.
        It is put into the words of an S3 notification, which is what the function reads.
        """
        target = self._function.target.function_arn
        undelivered = self._parts.queues.undelivered
        rule = events.CfnRule(
            self,
            "GivenUp",
            description=f"Batches that Lambda could not hand to {self._function.name}",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [self._parts.storage.failed.bucket_name]},
                    "object": {"key": [{"prefix": f"{FAILED_PREFIX}{self.mapping.ref}/"}]},
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="bury",
                    arn=target,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={"bucket": "$.detail.bucket.name", "key": "$.detail.object.key"},
                        input_template='{"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", '
                        '"s3": {"bucket": {"name": "<bucket>"}, "object": {"key": "<key>"}}}]}',
                    ),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "MayBury",
            action="lambda:InvokeFunction",
            principal="events.amazonaws.com",
            function_name=target,
            source_arn=rule.attr_arn,
        )
        undelivered.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[undelivered.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
            )
        )

    def _retry_burying(self) -> None:
        undelivered = self._parts.queues.undelivered.queue_arn
        on_failure = lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=undelivered)
        config = lambda_.CfnEventInvokeConfig(
            self,
            "Asynchronously",
            function_name=self._function.function.function_name,
            qualifier=self._function.qualifier,
            maximum_retry_attempts=BURY_RETRIES,
            maximum_event_age_in_seconds=BURY_SECONDS,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(on_failure=on_failure),
        )
        config.node.add_dependency(self._function.target)


class FromQueue(Construct):
    """A queue's messages for one function."""

    def __init__(self, function: Function, parts: Parts) -> None:
        super().__init__(function, "FromQueue")
        queue = parts.queues.by_name[function.manifest["trigger"]["queue"]]
        self.mapping = lambda_.CfnEventSourceMapping(
            self,
            "Mapping",
            function_name=function.target.function_arn,
            event_source_arn=queue.queue_arn,
            batch_size=QUEUE_BATCH,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=QUEUE_AT_ONCE),
        )
