"""The Terraform modules: valid by their providers' schemas, doing what their tests say, and nothing insecure."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

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
