"""The synthesised stack in moto's account, and its functions called as they are configured there.

What moto's CloudFormation does not know (API Gateway, CloudFront, Scheduler, alarms, policies of buckets and queues)
is left out. Secrets, which it leaves out too, are made as the template says, and a reference to something else that
is left out becomes a word of its own.
"""

import json
from ast import literal_eval
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import boto3

from adapters.aws.main import Deployment
from adapters.local.triggers import Delivery, Terms
from lab.memory import MemoryClock, MemorySecrets
from tests.contract.rig import HttpAnswer, Rig
from tests.emulators.event_source_mapping import KinesisShards, QueueMapping, S3Destination, StreamMapping
from tests.emulators.lambda_events import context, http_answer, http_event, schedule_event
from tests.emulators.moto_server import REGION, Moto
from tests.infra.permissions import ACCOUNT, Permissions

ASSETS: Final = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
BOOTSTRAP: Final = "/cdk-bootstrap/hnb659fds/version"
NAME: Final = "grandstand"
STANDS_FOR: Final = {"AWS::Kinesis::StreamConsumer": "StreamARN", "AWS::Lambda::Alias": "FunctionName"}


@dataclass
class Account:
    """moto's account, and clients of whoever deploys."""

    moto: Moto

    def __post_init__(self) -> None:
        self.client = cache(self._client)

    def _client(self, service: Any) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.moto.url,
            aws_access_key_id="AKIADEPLOYER",
            aws_secret_access_key="secret",
        )

    def configured(self, function: str) -> dict[str, Any]:
        """A function's settings."""
        return dict(self.client("lambda").get_function_configuration(FunctionName=f"{NAME}-{function}"))

    def environ(self, function: str) -> dict[str, str]:
        """What Lambda gives a function: what is configured, and a credential."""
        variables = self.configured(function)["Environment"]["Variables"]
        return {**variables, **self.moto.environ(f"AKIA{function.upper()}")}

    def policy(self, function: str) -> list[dict[str, Any]]:
        """The statements of the role that a function has."""
        role = self.configured(function)["Role"].rpartition("/")[2]
        document = self.client("iam").get_role_policy(RoleName=role, PolicyName="manifest")["PolicyDocument"]
        # of what its CloudFormation made, moto tells the policy as Python writes it
        return list((literal_eval(document) if isinstance(document, str) else document)["Statement"])

    def mapping(self, function: str) -> dict[str, Any]:
        """How records or messages come to a function."""
        mappings = self.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        (mapping,) = [one for one in mappings if one["FunctionArn"].endswith(f":{NAME}-{function}")]
        return dict(mapping)


def deploy(template: dict[str, Any], folder: Path, moto: Moto) -> Account:
    """Make the stack of a template whose assets lie in `folder`."""
    account = Account(moto)
    _bootstrap(account)
    kept = _what_moto_knows(template, _secrets(template, account))
    _upload(kept, folder, account)
    cloudformation, s3 = account.client("cloudformation"), account.client("s3")
    s3.put_object(Bucket=ASSETS, Key="template.json", Body=json.dumps(kept).encode())
    cloudformation.create_stack(
        StackName=NAME,
        TemplateURL=f"https://{ASSETS}.s3.amazonaws.com/template.json",
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": "BootstrapVersion", "ParameterValue": BOOTSTRAP}],
    )
    (stack,) = cloudformation.describe_stacks(StackName=NAME)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return account


def _bootstrap(account: Account) -> None:
    account.client("s3").create_bucket(Bucket=ASSETS, CreateBucketConfiguration={"LocationConstraint": REGION})
    account.client("ssm").put_parameter(Name=BOOTSTRAP, Value="29", Type="String")


def _secrets(template: dict[str, Any], account: Account) -> dict[str, Any]:
    """Secrets by their logical ids, with a value each, as `grandstand init` gives them one."""
    made, values = {}, MemorySecrets()
    for logical, resource in template["Resources"].items():
        if resource["Type"] == "AWS::SecretsManager::Secret":
            name = resource["Properties"]["Name"]
            value = values.get(name.rpartition("/")[2]).decode()
            made[logical] = account.client("secretsmanager").create_secret(Name=name, SecretString=value)["ARN"]
    return made


def _what_moto_knows(template: dict[str, Any], stand_ins: dict[str, Any]) -> dict[str, Any]:
    from moto.cloudformation.parsing import get_model_map

    known = get_model_map()
    left_out = {name: one for name, one in template["Resources"].items() if one["Type"] not in known}
    for logical, resource in left_out.items():
        # a consumer stands for its stream and an alias for its function; of anything else only the name is spoken of
        properties = resource.get("Properties", {})
        meant = properties.get(STANDS_FOR.get(resource["Type"], ""))
        stand_ins.setdefault(logical, meant or f"left-out-{logical}")
    resources = {
        name: {key: _without(value, stand_ins) for key, value in one.items() if key != "DependsOn"}
        for name, one in template["Resources"].items()
        if name not in left_out
    }
    return {"Resources": resources, "Parameters": template["Parameters"]}


def _without(value: Any, stand_ins: Mapping[str, Any]) -> Any:
    """`value` with references to what is left out replaced."""
    if isinstance(value, list):
        return [_without(inner, stand_ins) for inner in value]
    if not isinstance(value, dict):
        return value
    attribute = value.get("Fn::GetAtt")
    referred = value.get("Ref") or (attribute[0] if isinstance(attribute, list) else None)
    if isinstance(referred, str) and referred in stand_ins:
        return stand_ins[referred]
    return {key: _without(inner, stand_ins) for key, inner in value.items()}


def _upload(template: dict[str, Any], folder: Path, account: Account) -> None:
    """The archives of the functions, to where the template looks for them."""
    s3, uploaded = account.client("s3"), set()
    for resource in template["Resources"].values():
        key = resource.get("Properties", {}).get("Code", {}).get("S3Key")
        if resource["Type"] == "AWS::Lambda::Function" and key not in uploaded:
            archive = folder / f"asset.{key}"
            # the CDK's own function is a folder, which nobody calls here
            body = archive.read_bytes() if archive.is_file() else b"PK\x05\x06" + bytes(18)
            s3.put_object(Bucket=ASSETS, Key=key, Body=body)
            uploaded.add(key)


@dataclass
class Entry:
    """One function of the deployed stack, called as what starts it would."""

    account: Account
    clock: MemoryClock
    name: str
    permissions: Permissions
    mappings: dict[str, StreamMapping] = field(default_factory=dict)
    pauses: int = 0
    """How often a schedule waited for its next run."""
    _deployment: Deployment = field(init=False)
    _lambdas_clock: MemoryClock = field(default_factory=MemoryClock)

    def __post_init__(self) -> None:
        self._deployment = Deployment(
            self.account.environ(self.name),
            clock=self.clock,
            sleep=self._sleep,
        )
        self.permissions.watch(self.name, self._deployment.suite.clients.session, self.account.policy(self.name))

    def call(self, event: Any) -> Any:
        seconds = self.account.configured(self.name)["Timeout"]
        try:
            return self._deployment.handle(event, context(self._lambdas_clock, seconds), {})
        finally:
            self._deployment.hosted.rest()

    def _sleep(self, seconds: float) -> None:
        """Only Lambda's time passes, so that what is measured does not depend on how often a schedule repeats."""
        self.pauses += 1
        self._lambdas_clock.advance(round(1_000 * seconds))

    def http(
        self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        return HttpAnswer(*http_answer(self.call(http_event(method, target, headers or {}, body))))

    def deliver(self) -> int:
        mapping = self.account.mapping(self.name)
        if self.name not in self.mappings:
            stream = mapping["EventSourceArn"].rpartition("/")[2]
            failed = mapping["DestinationConfig"]["OnFailure"]["Destination"].rpartition(":")[2]
            shards = KinesisShards(self.account.client("kinesis"), stream)
            destination = S3Destination(self.account.client("s3"), failed)
            self.mappings[self.name] = StreamMapping(shards, destination, self.clock)
        terms = Terms(batch_records=mapping["BatchSize"], max_attempts=mapping["MaximumRetryAttempts"])
        return self.mappings[self.name].poll(self.call, terms)

    def work(self) -> int:
        queue = self.account.mapping(self.name)["EventSourceArn"].rpartition(":")[2]
        sqs = self.account.client("sqs")
        return QueueMapping(sqs, sqs.get_queue_url(QueueName=queue)["QueueUrl"]).poll(self.call)

    def tick(self) -> None:
        self.call(schedule_event())


def rig(account: Account, permissions: Permissions) -> Rig:
    """The deployed stack as the contract suite knows a provider."""
    clock, mappings = MemoryClock(), dict[str, StreamMapping]()
    operations = Entry(account, clock, "operations", permissions, mappings)
    secrets = account.client("secretsmanager")

    def entry(name: str) -> Entry:
        return Entry(account, clock, name, permissions, mappings)

    def set_secret(name: str, value: bytes) -> None:
        secrets.put_secret_value(SecretId=f"{NAME}/{name}", SecretString=value.decode())

    def unused(*_: Any) -> Any:
        raise NotImplementedError

    return Rig(
        name="aws, deployed",
        ports=operations._deployment.suite.ports,
        clock=clock,
        deliveries=(Delivery.ORDERED,),
        appended=unused,
        host=unused,
        receiver=unused,
        entry=entry,
        mailbox=unused,
        reopen=unused,
        set_secret=set_secret,
        pass_time=unused,
    )
