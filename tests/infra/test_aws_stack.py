"""The AWS stack as CloudFormation gets it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.aws.config import WEB
from infra.manifest import PATH
from tests.infra.conftest import CARELESS, CHOSEN, PLAIN, Assembly

pytestmark = [pytest.mark.xdist_group("aws_stack"), pytest.mark.timeout(600)]

ACKNOWLEDGED = "aws:cdk:acknowledged-rules"
MANIFEST = json.loads(PATH.read_bytes())
FUNCTIONS = {one["name"]: one for one in MANIFEST["functions"]}


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [one for one in FUNCTIONS.values() if one["trigger"]["kind"] == kind]


def functions(assembly: Assembly, stack: str = PLAIN) -> dict[str, dict[str, Any]]:
    """The manifest's functions by name, as the template has them."""
    made = assembly.of_type("AWS::Lambda::Function", stack).values()
    ours = [one for one in made if "GRANDSTAND_FUNCTION" in one.get("Environment", {}).get("Variables", {})]
    return {one["Environment"]["Variables"]["GRANDSTAND_FUNCTION"]: one for one in ours}


def mappings(assembly: Assembly) -> dict[str, dict[str, Any]]:
    """Event source mappings by the name of their function."""
    ids = {name: one["Environment"]["Variables"]["GRANDSTAND_FUNCTION"] for name, one in _ours(assembly).items()}
    found = assembly.of_type("AWS::Lambda::EventSourceMapping").values()
    return {ids[one["FunctionName"]["Fn::GetAtt"][0]]: one for one in found}


def _ours(assembly: Assembly) -> dict[str, dict[str, Any]]:
    made = assembly.of_type("AWS::Lambda::Function")
    return {name: one for name, one in made.items() if "GRANDSTAND_FUNCTION" in str(one.get("Environment"))}


def text(value: Any) -> str:
    """A property with what it refers to left as it is written."""
    return json.dumps(value)


class TestWhatOthersSayOfIt:
    def test_cdk_nag_finds_fault_with_the_careless_stack_alone(self, assembly: Assembly) -> None:
        found = assembly.findings()
        paths = {construct["constructPath"] for one in found for construct in one["violatingConstructs"]}
        assert paths
        assert {path.partition("/")[0] for path in paths} == {CARELESS}, text(found)

    def test_every_accepted_finding_has_a_reason(self, assembly: Assembly) -> None:
        metadata = json.loads((assembly.folder / f"{PLAIN}.metadata.json").read_bytes())
        entries = [one["data"] for told in metadata.values() for one in told if one["type"] == ACKNOWLEDGED]
        accepted = {rule: reason for entry in entries for rule, reason in entry.items() if "AwsSolutions-" in rule}
        assert accepted
        assert all(len(reason.split()) > 5 for reason in accepted.values())

    def test_the_cdk_warns_of_nothing(self, assembly: Assembly) -> None:
        assert assembly.warnings() == []

    def test_cfn_lint_passes(self, assembly: Assembly) -> None:
        # W3005: the CDK writes down dependencies that a reference states already
        command = [str(Path(sys.executable).with_name("cfn-lint")), str(assembly.template_path())]
        linted = subprocess.run([*command, "--ignore-checks", "W3005"], capture_output=True, text=True, check=False)
        assert linted.returncode == 0, linted.stdout

    def test_nothing_names_an_account_a_region_or_a_secret(self, assembly: Assembly) -> None:
        template = assembly.template_path().read_text()
        assert "SecretString" not in template
        assert "us-east-1" not in template


class TestWhatIsKept:
    def test_every_table_expires_items_and_can_be_restored(self, assembly: Assembly) -> None:
        tables = {one["TableName"]: one for one in assembly.of_type("AWS::DynamoDB::Table").values()}
        assert set(tables) == {f"grandstand-{table}" for table in MANIFEST["tables"]}
        for table in tables.values():
            assert table["BillingMode"] == "PAY_PER_REQUEST"
            assert [key["AttributeName"] for key in table["KeySchema"]] == ["p", "s"]
            assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
            assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
            assert table["SSESpecification"]["SSEType"] == "KMS"

    def test_every_bucket_is_private_and_speaks_tls_only(self, assembly: Assembly) -> None:
        buckets = assembly.of_type("AWS::S3::Bucket")
        policies = {one["Bucket"]["Ref"]: text(one) for one in assembly.of_type("AWS::S3::BucketPolicy").values()}
        assert set(policies) == set(buckets)
        for name, bucket in buckets.items():
            assert all(bucket["PublicAccessBlockConfiguration"].values())
            assert "aws:SecureTransport" in policies[name]
            assert "BucketEncryption" in bucket

    def test_data_outlives_the_stack_unless_it_is_chosen_otherwise(self, assembly: Assembly) -> None:
        kinds = ("AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SecretsManager::Secret", "AWS::SQS::Queue")
        for stack, policy in ((PLAIN, "Retain"), (CHOSEN, "Delete")):
            resources = assembly.template(stack)["Resources"].values()
            assert {one["DeletionPolicy"] for one in resources if one["Type"] in kinds} == {policy}

    def test_every_queue_has_dead_letters_and_waits_six_times_as_long_as_its_function(
        self, assembly: Assembly
    ) -> None:
        queues = {one["QueueName"]: one for one in assembly.of_type("AWS::SQS::Queue").values()}
        for function in of_kind("queue"):
            queue = queues[f"grandstand-{function['trigger']['queue']}"]
            assert queue["VisibilityTimeout"] == 6 * function["timeout_seconds"]
            assert queue["RedrivePolicy"]["maxReceiveCount"] > function["trigger"]["max_attempts"]
            assert f"grandstand-{function['trigger']['queue']}-dead" in queues

    def test_secrets_have_places_but_no_values(self, assembly: Assembly) -> None:
        secrets = list(assembly.of_type("AWS::SecretsManager::Secret").values())
        assert {one["Name"] for one in secrets} == {f"grandstand/{secret}" for secret in MANIFEST["secrets"]}
        assert not any({"SecretString", "GenerateSecretString"} & set(one) for one in secrets)

    def test_the_stream_is_on_demand_or_has_the_shards_that_were_chosen(self, assembly: Assembly) -> None:
        (plain,) = assembly.of_type("AWS::Kinesis::Stream").values()
        (chosen,) = assembly.of_type("AWS::Kinesis::Stream", CHOSEN).values()
        assert plain["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
        assert plain["StreamEncryption"]["EncryptionType"] == "KMS"
        assert chosen["ShardCount"] == 2


class TestWhatRuns:
    def test_each_function_is_the_manifests_with_a_role_and_a_log_of_its_own(self, assembly: Assembly) -> None:
        made = functions(assembly)
        assert set(made) == set(FUNCTIONS)
        for name, function in made.items():
            assert function["MemorySize"] == FUNCTIONS[name]["memory_mb"]
            assert function["Timeout"] == FUNCTIONS[name]["timeout_seconds"]
            assert function["Architectures"] == ["arm64"]
            assert function["KmsKeyArn"]
        assert len({text(one["Role"]) for one in made.values()}) == len(made)
        assert len({text(one["LoggingConfig"]["LogGroup"]) for one in made.values()}) == len(made)

    def test_every_log_ends_some_day_and_is_encrypted(self, assembly: Assembly) -> None:
        groups = assembly.of_type("AWS::Logs::LogGroup").values()
        assert all(group["RetentionInDays"] == 30 and group["KmsKeyId"] for group in groups)

    def test_choices_reach_the_functions(self, assembly: Assembly) -> None:
        ingest = functions(assembly, CHOSEN)["ingest"]
        variables = ingest["Environment"]["Variables"]
        assert variables["GRANDSTAND_NAME"] == CHOSEN
        assert variables["GRANDSTAND_HORIZON_SECONDS"] == "43200"
        assert variables["GRANDSTAND_MAIL_FROM"] == "match@example.com"
        assert ingest["ReservedConcurrentExecutions"] == 100

    def test_what_players_and_pages_wait_for_starts_from_a_snapshot_where_python_can(
        self, assembly: Assembly
    ) -> None:
        snapped = {name for name, one in functions(assembly).items() if "SnapStart" in one}
        assert snapped == {"audience", "ingest"}
        assert not any("SnapStart" in one for one in functions(assembly, CHOSEN).values())  # packaged for 3.11

    def test_what_starts_from_a_snapshot_is_called_by_the_version_that_has_one(self, assembly: Assembly) -> None:
        aliases = assembly.of_type("AWS::Lambda::Alias")
        called = {text(one["IntegrationUri"]) for one in assembly.of_type("AWS::ApiGatewayV2::Integration").values()}
        assert len(aliases) == 2
        assert all(any(alias in uri for uri in called) for alias in aliases)

    def test_no_function_may_use_a_resource_that_is_not_named(self, assembly: Assembly) -> None:
        for role in assembly.of_type("AWS::IAM::Role").values():
            for policy in role.get("Policies", ()):
                for statement in policy["PolicyDocument"]["Statement"]:
                    resources = statement["Resource"]
                    assert "*" not in (resources if isinstance(resources, list) else [resources])

    def test_schedules_fire_each_minute_at_most(self, assembly: Assembly) -> None:
        schedules = {one["Name"]: one for one in assembly.of_type("AWS::Scheduler::Schedule").values()}
        assert set(schedules) == {f"grandstand-{one['name']}" for one in of_kind("schedule")}
        assert schedules["grandstand-roll"]["ScheduleExpression"] == "rate(1 minute)"


class TestWhatFollowsTheStream:
    def test_a_failed_batch_is_halved_retried_and_put_away_before_the_stream_forgets_it(
        self, assembly: Assembly
    ) -> None:
        (stream,) = assembly.of_type("AWS::Kinesis::Stream").values()
        for function in of_kind("stream"):
            mapping = mappings(assembly)[function["name"]]
            assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
            assert mapping["BisectBatchOnFunctionError"]
            assert mapping["MaximumRetryAttempts"] == 100
            assert 0 < mapping["MaximumRecordAgeInSeconds"] < stream["RetentionPeriodHours"] * 3_600
            assert "StorageFailed" in text(mapping["DestinationConfig"])
            assert mapping["StartingPosition"] == "TRIM_HORIZON"
            assert mapping["BatchSize"] == function["trigger"]["batch_records"]

    def test_aggregate_has_a_pipe_of_its_own_and_waits_for_nothing(self, assembly: Assembly) -> None:
        aggregate = mappings(assembly)["aggregate"]
        assert aggregate["MaximumBatchingWindowInSeconds"] == 0
        assert aggregate["EventSourceArn"]["Fn::GetAtt"][1] == "ConsumerARN"
        assert mappings(assembly)["archive"]["EventSourceArn"]["Fn::GetAtt"][1] == "Arn"

    def test_what_was_put_away_comes_back_to_its_own_function(self, assembly: Assembly) -> None:
        rules = list(assembly.of_type("AWS::Events::Rule").values())
        assert len(rules) == len(of_kind("stream"))
        for rule in rules:
            (key,) = rule["EventPattern"]["detail"]["object"]["key"]
            mapping = key["prefix"]["Fn::Join"][1][1]["Ref"]
            (target,) = rule["Targets"]
            assert assembly.of_type("AWS::Lambda::EventSourceMapping")[mapping]["FunctionName"] == target["Arn"]
            assert "Records" in target["InputTransformer"]["InputTemplate"]
            assert "Undelivered" in text(target["DeadLetterConfig"])

    def test_the_failed_bucket_tells_what_is_put_into_it(self, assembly: Assembly) -> None:
        buckets = assembly.of_type("AWS::S3::Bucket")
        (failed,) = [one for name, one in buckets.items() if name.startswith("StorageFailed")]
        assert failed["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}

    def test_a_queues_messages_are_settled_one_by_one(self, assembly: Assembly) -> None:
        rebuild = mappings(assembly)["rebuild"]
        assert rebuild["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert rebuild["BatchSize"] == 1  # else one long rebuild uses up the attempts of those behind it
        assert rebuild["ScalingConfig"] == {"MaximumConcurrency": 2}


class TestWhatIsServed:
    def test_every_route_leads_to_its_function(self, assembly: Assembly) -> None:
        routes = {one["RouteKey"] for one in assembly.of_type("AWS::ApiGatewayV2::Route").values()}
        paths = {route["path"] for function in of_kind("http") for route in function["trigger"]["routes"]}
        assert routes == {f"ANY {path}" for path in paths | {"/docs", "/healthz"}}

    def test_the_access_log_says_nothing_of_who_asked(self, assembly: Assembly) -> None:
        (stage,) = assembly.of_type("AWS::ApiGatewayV2::Stage").values()
        assert not {"identity", "path"} & set(stage["AccessLogSettings"]["Format"].replace(".", " ").split())

    def test_only_public_reads_are_kept(self, assembly: Assembly) -> None:
        (distribution,) = assembly.of_type("AWS::CloudFront::Distribution").values()
        behaviors = distribution["DistributionConfig"]["CacheBehaviors"]
        (policy,) = assembly.of_type("AWS::CloudFront::CachePolicy")
        kept = [one["PathPattern"] for one in behaviors if one["CachePolicyId"] == {"Ref": policy}]
        assert kept == [
            "/v1/contents/top",
            "/v1/overview",
            "/v1/contents/*/audience/now",
            "/v1/contents/*/audience/recent",
            "/v1/contents/*/marks",
        ]
        patterns = [one["PathPattern"] for one in behaviors]
        assert patterns.index("/v1/contents/*/audience/now") < patterns.index("/v1/contents/*")
        assert patterns.index("/v1/contents/*") < patterns.index("/v1/*")

    def test_what_is_kept_is_kept_for_each_credential_as_long_as_the_answer_says(self, assembly: Assembly) -> None:
        (policy,) = assembly.of_type("AWS::CloudFront::CachePolicy").values()
        config = policy["CachePolicyConfig"]
        assert (config["MinTTL"], config["DefaultTTL"]) == (0, 0)
        told = config["ParametersInCacheKeyAndForwardedToOrigin"]
        assert told["HeadersConfig"]["Headers"] == ["Authorization"]
        assert told["QueryStringsConfig"] == {"QueryStringBehavior": "all"}

    def test_ids_with_odd_characters_are_encoded_once_more_for_api_gateway(self, assembly: Assembly) -> None:
        (distribution,) = assembly.of_type("AWS::CloudFront::Distribution").values()
        behaviors = {one["PathPattern"]: one for one in distribution["DistributionConfig"]["CacheBehaviors"]}
        assert behaviors["/v1/contents/*"]["FunctionAssociations"]
        assert behaviors["/v1/viewers/*"]["FunctionAssociations"]
        assert behaviors["/v1/contents/*/audience/now"]["FunctionAssociations"]
        assert "FunctionAssociations" not in behaviors["/v1/*"]

    def test_the_page_has_the_headers_of_the_web_folder(self, assembly: Assembly) -> None:
        rules = json.loads((WEB / "security-headers.json").read_bytes())
        policies = assembly.of_type("AWS::CloudFront::ResponseHeadersPolicy").values()
        told = {one["ResponseHeadersPolicyConfig"]["Name"]: one["ResponseHeadersPolicyConfig"] for one in policies}
        page = told["grandstand-page"]
        csp = page["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]
        assert csp == rules["/*"]["Content-Security-Policy"]
        custom = {one["Header"]: one["Value"] for one in page["CustomHeadersConfig"]["Items"]}
        assert custom["Cross-Origin-Resource-Policy"] == "same-origin"
        beacon = told["grandstand-beacon-js"]
        assert {"Header": "Cross-Origin-Resource-Policy", "Value": "cross-origin", "Override": True} in (
            beacon["CustomHeadersConfig"]["Items"]
        )
        assert beacon["CorsConfig"]["AccessControlAllowOrigins"] == {"Items": ["*"]}
        for policy in told.values():
            assert "StrictTransportSecurity" in policy["SecurityHeadersConfig"]

    def test_the_page_comes_with_the_whole_api_document(self, assembly: Assembly) -> None:
        documents = [json.loads(path.read_bytes()) for path in assembly.folder.glob("asset.*/openapi.json")]
        assert documents
        assert {"/v1/events", "/v1/overview", "/healthz"} <= set(documents[0]["paths"])
        assert not list(assembly.folder.glob("asset.*/*.d.ts"))

    def test_a_domain_of_ones_own_demands_new_tls(self, assembly: Assembly) -> None:
        (distribution,) = assembly.of_type("AWS::CloudFront::Distribution", CHOSEN).values()
        config = distribution["DistributionConfig"]
        assert config["Aliases"] == ["live.example.com"]
        assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
        assert config["WebACLId"].startswith("arn:aws:wafv2:")


class TestWhatTells:
    def test_there_is_an_alarm_for_each_thing_that_can_go_wrong(self, assembly: Assembly) -> None:
        alarms = {one["AlarmName"].removeprefix("grandstand-") for one in _alarms(assembly)}
        wanted = {f"{name}{what}" for name in map(_title, FUNCTIONS) for what in ("Errors", "Throttles")}
        wanted |= {f"{_title(one['name'])}Late" for one in of_kind("stream")}
        assert alarms == wanted | {"RebuildDeadDepth", "UndeliveredDepth", "EventsFull", "ApiFailing"}

    def test_every_alarm_says_so_to_one_topic_and_says_what_is_wrong(self, assembly: Assembly) -> None:
        (topic,) = assembly.of_type("AWS::SNS::Topic")
        for alarm in _alarms(assembly):
            assert alarm["AlarmActions"] == [{"Ref": topic}]
            assert alarm["AlarmDescription"]
            assert alarm["TreatMissingData"] == "notBreaching"

    def test_alarms_may_publish_to_the_topic(self, assembly: Assembly) -> None:
        (policy,) = assembly.of_type("AWS::SNS::TopicPolicy").values()
        allowed = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
        assert [(one["Action"], one["Principal"]) for one in allowed] == [
            ("sns:Publish", {"Service": "cloudwatch.amazonaws.com"})
        ]

    def test_an_address_for_alarms_is_subscribed(self, assembly: Assembly) -> None:
        assert not assembly.of_type("AWS::SNS::Subscription")
        (subscription,) = assembly.of_type("AWS::SNS::Subscription", CHOSEN).values()
        assert subscription["Endpoint"] == "ops@example.com"

    def test_the_dashboard_shows_each_function_and_costs_nothing(self, assembly: Assembly) -> None:
        (dashboard,) = assembly.of_type("AWS::CloudWatch::Dashboard").values()
        assert all(name in text(dashboard) for name in FUNCTIONS)
        body = "".join(str(part) for part in dashboard["DashboardBody"]["Fn::Join"][1])
        assert 20 < body.count('["AWS/') <= 50

    def test_the_addresses_are_told_when_it_is_deployed(self, assembly: Assembly) -> None:
        assert set(assembly.template()["Outputs"]) == {"ApiAddress", "Bucket", "LivePage", "PageBucket", "Region"}


def _alarms(assembly: Assembly) -> list[dict[str, Any]]:
    return list(assembly.of_type("AWS::CloudWatch::Alarm").values())


def _title(name: str) -> str:
    return "".join(part.title() for part in name.split("_"))
