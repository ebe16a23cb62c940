"""The buckets: what the suite keeps, what Lambda gave up, the live page, and who read them."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.aws.accepted import accept
from infra.aws.config import Config

UNFINISHED_DAYS = 3
ACCESS_LOG_DAYS = 30


class Storage(Construct):
    """Private buckets, over TLS only.

    None keeps versions: Delta Lake has its own, every other object is written once, and what a viewer has the right
    to have deleted must be gone when it is deleted.
    """

    def __init__(self, scope: Construct, config: Config, key: kms.IKey) -> None:
        super().__init__(scope, "Storage")
        self._keep = RemovalPolicy.RETAIN if config.keep else RemovalPolicy.DESTROY
        self.access_logs = self._access_logs()
        self.data = self._bucket(
            "Data",
            key,
            s3.LifecycleRule(id="unfinished", abort_incomplete_multipart_upload_after=Duration.days(UNFINISHED_DAYS)),
            s3.LifecycleRule(
                id="dead-letters",
                prefix="objects/dead-letters/",
                # the suite sweeps them itself; this is for the day on which it does not
                expiration=Duration.days(2 * config.dead_letter_days + 10),
            ),
        )
        # a bucket of its own: Lambda chooses the names in it, and only what is put here is told to EventBridge
        self.failed = self._bucket(
            "Failed",
            key,
            s3.LifecycleRule(id="failed", expiration=Duration.days(config.dead_letter_days)),
            event_bridge_enabled=True,
        )
        self.page = self._bucket("Page", key, removal_policy=RemovalPolicy.DESTROY)

    def _bucket(
        self,
        name: str,
        key: kms.IKey,
        *rules: s3.LifecycleRule,
        removal_policy: RemovalPolicy | None = None,
        event_bridge_enabled: bool = False,
    ) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=list(rules),
            server_access_logs_bucket=self.access_logs,
            server_access_logs_prefix=f"{name.lower()}/",
            removal_policy=removal_policy or self._keep,
        )
        if event_bridge_enabled:
            # the bucket's own setting, where the L2 property would bring a function along to make it
            resource = bucket.node.default_child
            resource.add_property_override(
                "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True
            )
        return bucket

    def _access_logs(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,  # S3 delivers its logs to no bucket with a customer's key
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=[s3.LifecycleRule(id="old", expiration=Duration.days(ACCESS_LOG_DAYS))],
            removal_policy=self._keep,
        )
        accept(bucket, "It holds the other buckets' logs; its own would be logged in it for ever.", "S1")
        return bucket
