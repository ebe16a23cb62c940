"""The API's whole document, for the page's place behind a CDN: `python -m infra.openapi FOLDER` writes it there.

The folder is that of the packages, where the Terraform modules look for it.
"""

import sys
from pathlib import Path

from infra.aws.page import openapi_document

NAME = "openapi.json"


def main(arguments: list[str]) -> None:
    """Write the document into the folder that is named."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.exit("Say which folder holds the packages: python -m infra.openapi build/azure")
    (Path(arguments[0]) / NAME).write_text(openapi_document())


if __name__ == "__main__":
    main(sys.argv[1:])
