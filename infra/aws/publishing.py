"""Brings the live page's files, and the API's whole document, to where CloudFront reads them."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from constructs import Construct

from infra.aws.accepted import accept, as_told
from infra.aws.config import Config
from infra.aws.page import check_built, openapi_document

DECLARATIONS = ["*.d.ts", "*.d.mts"]
ASSETS = "assets"
COPIER = "Custom::CDKBucketDeployment"
COPIER_ACTIONS = (
    "kms:GenerateDataKey",
    "kms:ReEncrypt",
    "s3:Abort",
    "s3:DeleteObject",
    "s3:GetBucket",
    "s3:GetObject",
    "s3:List",
)


class Publishing(Construct):
    """Files with a hash in their name may be kept for good, and stay for pages that are open; others are asked for.

    Raises Misconfigured where the page has not been built.
    """

    def __init__(self, scope: Construct, config: Config, key: kms.IKey, bucket: s3.IBucket) -> None:
        super().__init__(scope, "Publishing")
        check_built(config.page)
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{config.name}-publishing",
            encryption_key=key,
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        deployment.BucketDeployment(
            self,
            "Page",
            destination_bucket=bucket,
            sources=[
                deployment.Source.asset(str(config.page), exclude=[*DECLARATIONS, ASSETS]),
                deployment.Source.data("openapi.json", openapi_document()),
            ],
            cache_control=[deployment.CacheControl.from_string("no-cache")],
            prune=False,
            retain_on_delete=False,
            log_group=log_group,
        )
        if (config.page / ASSETS).is_dir():
            deployment.BucketDeployment(
                self,
                "Assets",
                destination_bucket=bucket,
                destination_key_prefix=ASSETS,
                sources=[deployment.Source.asset(str(config.page / ASSETS))],
                cache_control=[deployment.CacheControl.from_string("public, max-age=31536000, immutable")],
                prune=False,
                retain_on_delete=False,
                log_group=log_group,
            )
        self._accept(bucket)

    def _accept(self, bucket: s3.IBucket) -> None:
        """What the CDK's own function brings along, which runs during a deployment only."""
        (function,) = [one for one in Stack.of(self).node.children if one.node.id.startswith(COPIER)]
        reason = "The CDK's function that copies files into the page's bucket; it runs while the stack is deployed."
        policies = "Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        assets = "arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/*"
        accept(function, reason, "L1", f"IAM4[{policies}]", f"IAM5[Resource::{assets}]")
        accept(function, reason, *(f"IAM5[Action::{action}*]" for action in COPIER_ACTIONS))
        accept(function, reason, f"IAM5[Resource::{as_told(self, bucket.bucket_arn)}/*]")
