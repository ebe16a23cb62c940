"""The stack in the Serverless Framework's words, for `serverless.yml`: `functions`, `resources` and `outputs`.

The functions become its own, so that its commands know them; all else is the CDK's template as it is. What needs the
CDK's own command line is left out: bringing the page's files there, which docs/deploy-aws.md tells how to do by hand.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from infra.aws.app import synthesise
from infra.aws.packages import read_packages
from infra.manifest import PATH
from shared.errors import Misconfigured

FAILED: Final = 1
FUNCTION: Final = "AWS::Lambda::Function"
OF_THE_CDK: Final = ("CustomCDKBucketDeployment", "Publishing", "CDKMetadata")
"""What the logical ids of the CDK's own helpers begin with."""
CONTEXT: Final = {"snap_start": "none"}
"""The framework publishes versions itself, or none."""


def main(arguments: Sequence[str]) -> int:
    """Print the parts for the choices given as NAME=VALUE. The exit code."""
    context = dict(each.partition("=")[::2] for each in arguments)
    try:
        sys.stdout.write(json.dumps(parts(context)))
    except Misconfigured as error:
        sys.stderr.write(f"grandstand: {error}\n")
        return FAILED
    return 0


def parts(context: Mapping[str, str]) -> dict[str, Any]:
    """The parts, from a fresh synthesis. Raises Misconfigured."""
    read_packages(Path(context["packages"]), [one["name"] for one in json.loads(PATH.read_bytes())["functions"]])
    with TemporaryDirectory() as folder:
        synthesise({**context, **CONTEXT}, folder)
        (path,) = Path(folder).glob("*.template.json")
        template = json.loads(path.read_bytes())
    return translated(template, Path(context["packages"]))


def translated(template: Mapping[str, Any], packages: Path) -> dict[str, Any]:
    """The parts of a CDK template whose functions lie in `packages`."""
    resources = {
        logical: resource for logical, resource in template["Resources"].items() if not logical.startswith(OF_THE_CDK)
    }
    names = {logical: name for logical, one in resources.items() if (name := _function_name(one))}
    renamed = {logical: logical_id(name) for logical, name in names.items()}
    found = read_packages(packages, names.values())
    functions = {
        name: _function(resources, resources[logical]["Properties"], found[name].archive)
        for logical, name in sorted(names.items(), key=lambda pair: pair[1])
    }
    others = {logical: one for logical, one in resources.items() if logical not in names}
    made: dict[str, Any] = _renamed(
        {"functions": functions, "resources": others, "outputs": template["Outputs"]}, renamed
    )
    return made


def logical_id(function: str) -> str:
    """What the framework calls a function in its template."""
    name = function.replace("-", "Dash").replace("_", "Underscore")
    return f"{name[0].upper()}{name[1:]}LambdaFunction"


def _function_name(resource: Mapping[str, Any]) -> str | None:
    if resource["Type"] != FUNCTION:
        return None
    name: str = resource["Properties"]["Environment"]["Variables"]["GRANDSTAND_FUNCTION"]
    return name


def _function(resources: Mapping[str, Any], properties: Mapping[str, Any], archive: Path) -> dict[str, Any]:
    logs = properties["LoggingConfig"]
    log_group = logs["LogGroup"]["Ref"]
    made = {
        "name": properties["FunctionName"],
        "handler": properties["Handler"],
        "runtime": properties["Runtime"],
        "architecture": properties["Architectures"][0],
        "memorySize": properties["MemorySize"],
        "timeout": properties["Timeout"],
        "environment": properties["Environment"]["Variables"],
        "role": properties["Role"],
        "kmsKeyArn": properties["KmsKeyArn"],
        "package": {"artifact": str(archive.resolve())},
        "disableLogs": True,  # the log group is among the resources
        "dependsOn": [log_group],
        "logs": {
            "logFormat": logs["LogFormat"],
            "applicationLogLevel": logs["ApplicationLogLevel"],
            "systemLogLevel": logs["SystemLogLevel"],
            "logGroup": resources[log_group]["Properties"]["LogGroupName"],
        },
    }
    reserved = properties.get("ReservedConcurrentExecutions")
    return made if reserved is None else {**made, "reservedConcurrency": reserved}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """`value` with every reference to a logical id of `names` led to the new one."""
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("Ref"), str):
        return {"Ref": names.get(value["Ref"], value["Ref"])}
    if isinstance(value.get("Fn::GetAtt"), list):
        logical, *attribute = value["Fn::GetAtt"]
        return {"Fn::GetAtt": [names.get(logical, logical), *attribute]}
    return {
        key: [names.get(each, each) for each in inner] if key == "DependsOn" else _renamed(inner, names)
        for key, inner in value.items()
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
