"""What tells an operator that something is wrong, and where to look."""

from collections.abc import Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.aws.api import Api
from infra.aws.config import Config
from infra.aws.functions import Function
from infra.aws.queues import Queues

MINUTE = Duration.minutes(1)
FIVE_MINUTES = Duration.minutes(5)
LATE_MS = 30_000
"""Of what makes events visible; what keeps them may take a little longer."""
LATE_TO_KEEP_MS = 5 * 60_000
FAILING_SHARE = 1
"""Per cent of requests that were answered with 5xx."""
WIDTH = 24


class Observability(Construct):
    """Alarms, which say so to one topic, and a dashboard of at most 50 metrics: more would cost."""

    def __init__(
        self,
        scope: Construct,
        config: Config,
        key: kms.IKey,
        *,
        functions: Sequence[Function],
        streams: Sequence[kinesis.Stream],
        tables: Sequence[dynamodb.Table],
        queues: Queues,
        api: Api,
    ) -> None:
        super().__init__(scope, "Observability")
        self._config = config
        self.topic = sns.Topic(self, "Alarms", topic_name=f"{config.name}-alarms", master_key=key, enforce_ssl=True)
        self._let_alarms_publish()
        if config.alarm_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(config.alarm_email))
        for function in functions:
            self._watch(function)
        for queue in queues.dead:
            self._alarm(
                f"{queue.node.id}Depth",
                queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum"),
                "Something that nobody could handle waits here: docs/deploy-aws.md says what to do with it.",
            )
        for stream in streams:
            self._alarm(
                f"{stream.node.id}Full",
                stream.metric("WriteProvisionedThroughputExceeded", period=MINUTE, statistic="Sum"),
                "The stream refuses records; senders are asked to come again. Give it more shards.",
                times=3,
            )
        self._alarm(
            "ApiFailing", _failing(api), "More than one request in a hundred is answered with 5xx.", FAILING_SHARE, 5
        )
        self._dashboard(functions, streams, tables, queues, api)

    def _let_alarms_publish(self) -> None:
        """A policy of one's own takes the place of the one by which the account may publish."""
        alarms = f"arn:{Aws.PARTITION}:cloudwatch:{Aws.REGION}:{Aws.ACCOUNT_ID}:alarm:{self._config.name}-*"
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"ArnLike": {"aws:SourceArn": alarms}},
            )
        )

    def _watch(self, function: Function) -> None:
        name, made = function.node.id, function.function
        errors = made.metric_errors(period=FIVE_MINUTES, statistic="Sum")
        throttles = made.metric_throttles(period=FIVE_MINUTES, statistic="Sum")
        self._alarm(f"{name}Errors", errors, f"{function.name} fails again and again.", times=3)
        self._alarm(f"{name}Throttles", throttles, f"{function.name} is not let run often enough.", times=2)
        if function.kind == "stream":
            late = LATE_MS if function.consumer else LATE_TO_KEEP_MS
            age = _age(function)
            self._alarm(f"{name}Late", age, f"{function.name} falls behind the stream.", late, 3)

    def _alarm(
        self, name: str, metric: cloudwatch.IMetric, told: str, threshold: float = 0, times: int = 1
    ) -> cloudwatch.Alarm:
        """Alarms when `metric` was above `threshold` so many times in a row."""
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._config.name}-{name}",
            alarm_description=told,
            metric=metric,
            threshold=threshold,
            evaluation_periods=times,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        return alarm

    def _dashboard(
        self,
        functions: Sequence[Function],
        streams: Sequence[kinesis.Stream],
        tables: Sequence[dynamodb.Table],
        queues: Queues,
        api: Api,
    ) -> None:
        consumers = [one for one in functions if one.kind == "stream"]
        refused = [stream.metric("WriteProvisionedThroughputExceeded", statistic="Sum") for stream in streams]
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self._config.name)
        dashboard.add_widgets(
            _graph("Requests", [_of_api(api, metric, "Sum") for metric in ("Count", "4xx", "5xx")]),
            _graph("Answer time, p99 (ms)", [_of_api(api, "Latency", "p99")]),
            _graph("How far behind the stream (ms)", [_age(one) for one in consumers]),
        )
        dashboard.add_widgets(
            _graph("Records in", [stream.metric("IncomingRecords", statistic="Sum") for stream in streams] + refused),
            _graph("Errors", [one.function.metric_errors(label=one.name) for one in functions]),
            _graph("Duration, p99 (ms)", [_duration(one) for one in functions if one.kind in ("http", "stream")]),
        )
        dashboard.add_widgets(
            _graph("Table writes", [_written(table) for table in tables]),
            _graph("Not handled", [queue.metric_approximate_number_of_messages_visible() for queue in queues.dead]),
        )


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=WIDTH // 3, period=MINUTE)


def _of_api(api: Api, metric: str, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/ApiGateway",
        metric_name=metric,
        dimensions_map={"ApiId": api.api.ref},
        statistic=statistic,
        period=MINUTE,
        label=metric,
    )


def _failing(api: Api) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression="100 * failed / asked",
        using_metrics={"failed": _of_api(api, "5xx", "Sum"), "asked": _of_api(api, "Count", "Sum")},
        period=MINUTE,
        label="5xx, per cent",
    )


def _age(function: Function) -> cloudwatch.Metric:
    return function.function.metric("IteratorAge", statistic="Maximum", period=MINUTE, label=function.name)


def _duration(function: Function) -> cloudwatch.Metric:
    return function.function.metric_duration(statistic="p99", label=function.name)


def _written(table: dynamodb.Table) -> cloudwatch.Metric:
    return table.metric("ConsumedWriteCapacityUnits", statistic="Sum", label=table.node.id)
