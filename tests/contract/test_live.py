"""The contract suite in a real account, as far as a machine without one can try it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OF_ACCOUNTS = ("AWS_", "AZURE_", "GOOGLE_", "GRANDSTAND_", "CLOUDSDK_")


@pytest.mark.parametrize(
    ("cloud", "variable"),
    [("aws", "AWS_REGION"), ("azure", "GRANDSTAND_STORAGE_ACCOUNT"), ("gcp", "GOOGLE_CLOUD_PROJECT")],
)
def test_without_an_account_it_says_in_one_line_what_is_missing(cloud: str, variable: str, tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(OF_ACCOUNTS)}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]

    done = subprocess.run(
        [*command, "tests/contract/test_secrets.py", "--live", cloud],
        cwd=ROOT,
        env={**environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout + done.stderr
    assert done.stderr.startswith(f"ERROR: --live: {variable} is not set. Set it, for example {variable}=")
