"""The API's document, as it is put beside the packages for the Terraform modules to publish."""

import json
from pathlib import Path

import pytest

from infra.openapi import main


def test_the_document_of_every_function_lies_beside_the_packages(tmp_path: Path) -> None:
    main([str(tmp_path)])

    paths = json.loads((tmp_path / "openapi.json").read_text())["paths"]
    assert {"/v1/events", "/v1/overview", "/v1/health"} <= set(paths)


@pytest.mark.parametrize("arguments", [[], ["no/such/folder"]])
def test_a_folder_that_is_not_there_is_told_in_one_line(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="Say which folder holds the packages"):
        main(arguments)
