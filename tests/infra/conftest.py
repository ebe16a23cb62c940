"""The AWS stack, synthesised once for all the tests that look at it: starting the CDK takes seconds."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.manifest import PATH

PLAIN, CHOSEN, CARELESS = "grandstand", "chosen", "careless"
CHOICES = {
    "name": CHOSEN,
    "shards": "2",
    "keep": "false",
    "domain": "live.example.com",
    "certificate": "arn:aws:acm:us-east-1:123456789012:certificate/6f9b5a2e-0000-4000-8000-000000000000",
    "web_acl": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/grandstand/6f9b5a2e-0000-4000-8000-000000000000",
    "alarm_email": "ops@example.com",
    "mail_from": "match@example.com",
    "reserved": {"ingest": 100},
    "settings": {"GRANDSTAND_HORIZON_SECONDS": "43200", "GRANDSTAND_DEAD_LETTER_DAYS": "7"},
}
"""Every choice made otherwise than by default."""


def pytest_configure(config: pytest.Config) -> None:
    """The contract suite's own mark, for its helpers serve here too."""
    config.addinivalue_line("markers", "framed: only where records travel in an envelope of ours")


@dataclass(frozen=True)
class Assembly:
    """What the CDK wrote, and what cdk-nag said of it."""

    folder: Path

    def template_path(self, stack: str = PLAIN) -> Path:
        return self.folder / f"{stack}.template.json"

    def template(self, stack: str = PLAIN) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.template_path(stack).read_bytes())
        return read

    def of_type(self, kind: str, stack: str = PLAIN) -> dict[str, dict[str, Any]]:
        """Resources of a type by their logical ids, each with its properties."""
        resources = self.template(stack)["Resources"]
        return {name: one.get("Properties", {}) for name, one in resources.items() if one["Type"] == kind}

    def findings(self) -> list[dict[str, Any]]:
        """What cdk-nag found: each with the rule and the constructs' paths."""
        report = json.loads((self.folder / "validation-report.json").read_bytes())
        return [violation for plugin in report["pluginReports"] for violation in plugin["violations"]]

    def warnings(self) -> list[str]:
        """What the CDK itself warned of."""
        found = []
        for stack in (PLAIN, CHOSEN):
            metadata = json.loads((self.folder / f"{stack}.metadata.json").read_bytes())
            found += [f"{path}: {one['data']}" for path, told in metadata.items() for one in told if _warns(one)]
        return found


def make_packages(folder: Path, runtime: str = "python3.12") -> Path:
    """A package folder as `grandstand package` makes it, with next to nothing in its archives."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for function in json.loads(PATH.read_bytes())["functions"]:
        archive = f"{function['name']}.zip"
        with zipfile.ZipFile(folder / archive, "w") as file:
            file.writestr("main.py", f"# {function['name']}\n")
        listed.append(
            {
                "name": function["name"],
                "archive": archive,
                "handler": "adapters.aws.main.handler",
                "runtime": runtime,
                "architecture": "arm64",
            }
        )
    (folder / "package.json").write_text(json.dumps({"functions": listed}))
    return folder


def make_page(folder: Path) -> Path:
    """A live page of two files."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Live</title>")
    (folder / "beacon.d.ts").write_text("export {}")
    (folder / "assets" / "index-1.js").write_text("0")
    return folder


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The stack by default, one with every choice made, and a careless one that cdk-nag must find fault with."""
    from infra.aws.app import FLAGS, use_packaged_node

    use_packaged_node()
    import aws_cdk
    from aws_cdk import aws_s3
    from cdk_nag import AwsSolutionsChecks

    from infra.aws.config import read_config
    from infra.aws.stack import GrandstandStack

    folder = tmp_path_factory.mktemp("stack")
    page = str(make_page(folder / "page"))
    plain = {"packages": str(make_packages(folder / "packages")), "page": page}
    chosen = {"packages": str(make_packages(folder / "older", "python3.11")), "page": page, **CHOICES}
    app = aws_cdk.App(outdir=str(folder / "cdk.out"), context=dict(FLAGS), analytics_reporting=False)
    GrandstandStack(app, read_config(plain.get))
    GrandstandStack(app, read_config(chosen.get))
    aws_s3.Bucket(aws_cdk.Stack(app, CARELESS), "Bucket")
    aws_cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()  # by the careless stack
    return Assembly(folder / "cdk.out")


def _warns(entry: dict[str, Any]) -> bool:
    return entry["type"] in ("aws:cdk:warning", "aws:cdk:error")
