"""The Terraform modules: valid by their providers' schemas, doing what their tests say, and nothing insecure."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from adapters.azure.host import EVENT_HUBS_SETTING, STORAGE_SETTING
from adapters.gcp.triggers import invocation_seconds
from functions.manifest import FUNCTIONS, Every, Function, OnStream
from infra.manifest import manifest

ROOT = Path(__file__).parents[2]
TFCHECK = ROOT.parent / "shared" / "tools" / "tfcheck" / "tfcheck"
CHECKOV = ROOT / ".tools" / "checkov" / "bin" / "checkov"
MODULES = ("infra/azure", "infra/gcp")


def ran(*command: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """A command in the root folder, with what it printed."""
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, timeout=280, check=False
    )


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_valid_and_passes_its_own_tests(module: str) -> None:
    if not TFCHECK.is_file():
        pytest.skip("the providers' schemas (../shared/tools/tfcheck) do not lie beside this checkout")
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed; see https://developer.hashicorp.com/terraform/install")

    done = ran(TFCHECK, module)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 failed" in done.stdout


@pytest.mark.parametrize("module", MODULES)
def test_checkov_finds_nothing_and_what_it_is_told_to_skip_has_a_reason(module: str) -> None:
    if not CHECKOV.is_file():
        pytest.skip("checkov is not installed; tests/tools installs it from PyPI")

    done = ran(CHECKOV, "-d", module, "--framework", "terraform", "--compact", "--quiet", "--skip-download")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Failed checks: 0" in done.stdout
    for file in (ROOT / module).glob("*.tf"):
        for line in file.read_text().splitlines():
            if "checkov:skip=" in line:
                assert len(line.partition("checkov:skip=")[2].partition(":")[2].split()) >= 4, line


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_google_gives_an_invocation_the_time_that_it_needs(function: Function) -> None:
    """Or it would not start: adapters/gcp/entry.py compares them."""
    written = (ROOT / "infra/gcp/functions.tf").read_text()
    (drain,) = re.findall(r"each\.timeout_seconds \+ floor\(each\.trigger\.window_ms / 1000\) \+ (\d+)", written)
    (run,) = re.findall(r'"schedule" \? each\.timeout_seconds \+ (\d+) :', written)
    (told,) = [each["timeout_seconds"] for each in manifest()["functions"] if each["name"] == function.name]
    match function.trigger:
        case OnStream(window_ms=window_ms):
            given = told + window_ms // 1_000 + int(drain)
        case Every():
            given = told + int(run)
        case _:
            given = told

    assert given >= invocation_seconds(function)


def test_azure_tells_the_host_of_the_apps_where_records_and_messages_are() -> None:
    written = (ROOT / "infra/azure/functions.tf").read_text()

    for setting, where in ((EVENT_HUBS_SETTING, "fullyQualifiedNamespace"), (STORAGE_SETTING, "queueServiceUri")):
        assert {where, "credential", "clientId"} == set(re.findall(rf"\b{setting}__(\w+) +=", written))
