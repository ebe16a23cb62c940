"""What runs on a schedule: once a minute at most, repeating inside the minute where the manifest says so."""

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.aws.config import Config
from infra.aws.functions import Function
from infra.aws.reading import SHORTEST_SECONDS, rate


class Schedules(Construct):
    """One EventBridge schedule for each function that has one. The next run makes up for one that failed."""

    def __init__(self, scope: Construct, config: Config, functions: Sequence[Function]) -> None:
        super().__init__(scope, "Schedules")
        group = scheduler.CfnScheduleGroup(self, "Group", name=config.name)
        role = self._role(functions)
        for function in functions:
            self._add(config, function, group, role)

    def _role(self, functions: Sequence[Function]) -> iam.Role:
        targets = [function.target.function_arn for function in functions]
        invoke = iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=targets)
        return iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
            ),
            description="Starts the functions that run on a schedule",
            inline_policies={"invoke": iam.PolicyDocument(statements=[invoke])},
        )

    def _add(
        self, config: Config, function: Function, group: scheduler.CfnScheduleGroup, role: iam.Role
    ) -> scheduler.CfnSchedule:
        asynchronously = lambda_.CfnEventInvokeConfig(
            function,
            "Asynchronously",
            function_name=function.function.function_name,
            qualifier=function.qualifier,
            maximum_retry_attempts=0,
            maximum_event_age_in_seconds=SHORTEST_SECONDS,
        )
        asynchronously.node.add_dependency(function.target)
        retries = scheduler.CfnSchedule.RetryPolicyProperty(
            maximum_retry_attempts=0, maximum_event_age_in_seconds=SHORTEST_SECONDS
        )
        return scheduler.CfnSchedule(
            self,
            function.node.id,
            name=f"{config.name}-{function.name}",
            group_name=group.ref,
            schedule_expression=rate(function.manifest["trigger"]["every_seconds"]),
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function.target.function_arn, role_arn=role.role_arn, retry_policy=retries
            ),
        )
