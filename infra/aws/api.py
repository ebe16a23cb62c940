"""The HTTP API: the manifest's routes, each led to its function."""

import json
from collections.abc import Sequence

from aws_cdk import Aws, Fn, RemovalPolicy
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.aws.accepted import accept
from infra.aws.config import Config
from infra.aws.functions import Function
from infra.aws.reading import paths_of

TOLD = {
    "requestId": "$context.requestId",
    "at": "$context.requestTimeEpoch",
    "route": "$context.routeKey",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency",
    "error": "$context.integrationErrorMessage",
}
"""What the access log says: no address and no path, since both can be personal."""


class Api(Construct):
    """API Gateway checks no credential: the functions do, and tell apart four kinds of them (docs/credentials.md)."""

    def __init__(self, scope: Construct, config: Config, key: kms.IKey, functions: Sequence[Function]) -> None:
        super().__init__(scope, "Api")
        self.api = apigateway.CfnApi(
            self, "Api", name=config.name, protocol_type="HTTP", description="Grandstand's HTTP functions"
        )
        for function in functions:
            self._serve(function)
        self.stage = self._stage(config, key)

    @property
    def domain(self) -> str:
        """Its host name, for what stands in front of it."""
        return str(Fn.select(2, Fn.split("/", self.api.attr_api_endpoint)))

    def _serve(self, function: Function) -> None:
        integration = apigateway.CfnIntegration(
            self,
            f"{function.node.id}Integration",
            api_id=self.api.ref,
            integration_type="AWS_PROXY",
            integration_uri=function.target.function_arn,
            payload_format_version="2.0",
            timeout_in_millis=30_000,
        )
        for path in paths_of(function.manifest):
            route = apigateway.CfnRoute(
                self,
                f"ANY {path}",
                api_id=self.api.ref,
                route_key=f"ANY {path}",
                target=f"integrations/{integration.ref}",
                authorization_type="NONE",
            )
            accept(route, "The function checks who calls, by keys that API Gateway cannot know.", "APIG4")
        lambda_.CfnPermission(
            self,
            f"{function.node.id}Permission",
            action="lambda:InvokeFunction",
            principal="apigateway.amazonaws.com",
            function_name=function.target.function_arn,
            source_arn=f"arn:{Aws.PARTITION}:execute-api:{Aws.REGION}:{Aws.ACCOUNT_ID}:{self.api.ref}/*",
        )

    def _stage(self, config: Config, key: kms.IKey) -> apigateway.CfnStage:
        log_group = logs.LogGroup(
            self,
            "Access",
            log_group_name=f"/aws/apigateway/{config.name}-access",
            encryption_key=key,
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        return apigateway.CfnStage(
            self,
            "Stage",
            api_id=self.api.ref,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=log_group.log_group_arn, format=json.dumps(TOLD)
            ),
        )
