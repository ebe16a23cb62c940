"""`serverless.yml`: the same stack for the Serverless Framework, packaged by the real program without a network."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.aws.for_serverless import logical_id, translated
from infra.manifest import PATH
from tests.infra.conftest import Assembly, make_packages, make_page

pytestmark = [pytest.mark.xdist_group("aws_stack"), pytest.mark.timeout(600)]

ROOT = PATH.parents[1]
OSLS = ROOT / "infra" / "aws" / "serverless" / "node_modules" / ".bin" / "osls"
FUNCTIONS = {one["name"]: one for one in json.loads(PATH.read_bytes())["functions"]}
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def parts(assembly: Assembly) -> dict[str, Any]:
    return translated(assembly.template(), assembly.folder.parent / "packages")


def referred(value: Any) -> Iterator[str]:
    """The logical ids that a template's part refers to."""
    if isinstance(value, dict):
        if isinstance(value.get("Ref"), str):
            yield value["Ref"]
        if isinstance(value.get("Fn::GetAtt"), list):
            yield value["Fn::GetAtt"][0]
        for depends in (value.get("DependsOn", ()), value.get("dependsOn", ())):
            yield from [depends] if isinstance(depends, str) else list(depends)
        for inner in value.values():
            yield from referred(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from referred(inner)


def test_every_function_of_the_manifest_is_one_of_the_frameworks(parts: dict[str, Any]) -> None:
    assert set(parts["functions"]) == set(FUNCTIONS)
    for name, function in parts["functions"].items():
        assert function["memorySize"] == FUNCTIONS[name]["memory_mb"]
        assert function["timeout"] == FUNCTIONS[name]["timeout_seconds"]
        assert Path(function["package"]["artifact"]).is_file()


def test_nothing_refers_to_what_the_template_does_not_hold(parts: dict[str, Any]) -> None:
    held = set(parts["resources"]) | {logical_id(name) for name in parts["functions"]}
    assert {name for name in referred(parts) if not name.startswith("AWS::")} <= held


def test_what_the_cdk_brings_along_for_itself_is_left_out(parts: dict[str, Any]) -> None:
    assert not any(one["Type"].startswith(("Custom::", "AWS::CDK")) for one in parts["resources"].values())
    assert "cdk-hnb659fds" not in json.dumps(parts)


def test_logical_ids_are_the_frameworks_own() -> None:
    assert logical_id("plan_fan_out") == "PlanUnderscorefanUnderscoreoutLambdaFunction"


def osls(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the framework where it can reach nothing."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SLS_"))}
    environ = {**kept, "PYTHON": sys.executable, "HTTPS_PROXY": NOWHERE, "HTTP_PROXY": NOWHERE}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    return subprocess.run([str(OSLS), *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def needed() -> None:
    if not OSLS.is_file():
        pytest.skip("osls is not installed; tests/tools installs it with npm")


def test_osls_packages_the_stack_without_a_network(tmp_path: Path) -> None:
    needed()
    out, page = tmp_path / "out", make_page(tmp_path / "page")
    packages = make_packages(tmp_path / "packages")

    ran = osls("package", "--package", str(out), f"--param=packages={packages}", f"--param=page={page}")

    assert ran.returncode == 0, ran.stderr + ran.stdout
    template = json.loads((out / "cloudformation-template-update-stack.json").read_bytes())
    made = {name: one for name, one in template["Resources"].items() if one["Type"] == "AWS::Lambda::Function"}
    assert set(made) == {logical_id(name) for name in FUNCTIONS}
    for name, function in FUNCTIONS.items():
        variables = made[logical_id(name)]["Properties"]["Environment"]["Variables"]
        assert variables["GRANDSTAND_FUNCTION"] == name
        assert made[logical_id(name)]["Properties"]["Timeout"] == function["timeout_seconds"]
    tables = [one for one in template["Resources"].values() if one["Type"] == "AWS::DynamoDB::Table"]
    assert len(tables) == len(json.loads(PATH.read_bytes())["tables"])


def test_osls_tells_how_to_make_packages_that_are_not_there(tmp_path: Path) -> None:
    needed()
    ran = osls("package", "--package", str(tmp_path / "out"), f"--param=packages={tmp_path}/none")
    assert ran.returncode != 0
    assert "grandstand package --cloud aws --out DIR" in ran.stderr + ran.stdout


def test_the_file_says_that_it_is_for_aws_only() -> None:
    assert re.search(r"^# .*AWS only", (ROOT / "serverless.yml").read_text(), re.MULTILINE)


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((OSLS.parents[2] / "package-lock.json").read_bytes())
    assert not any("resolved" in package for package in lock["packages"].values())
