"""What may be chosen about a deployment to AWS, and what is said of a choice that cannot be."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.aws.config import Config, read_config
from infra.aws.packages import read_packages
from infra.aws.page import check_built, header_rules, openapi_document
from infra.aws.reading import check_paths, id_patterns, kept_patterns, rate
from shared.errors import Misconfigured
from tests.infra.conftest import make_packages, make_page


def chosen(**choices: Any) -> Config:
    return read_config({"packages": "build/aws", **choices}.get)


def test_packages_alone_are_enough() -> None:
    config = chosen()
    assert (config.name, config.shards, config.keep) == ("grandstand", None, True)
    assert config.horizon_seconds == 24 * 3600


def test_choices_come_as_text_from_a_command_line_and_as_json_from_a_file() -> None:
    assert chosen(reserved='{"ingest": 5}').reserved == chosen(reserved={"ingest": 5}).reserved == {"ingest": 5}
    assert chosen(keep="false").keep is chosen(keep=False).keep is False
    assert chosen(shards="4").shards == chosen(shards=4).shards == 4
    assert chosen(snap_start="ingest, audience").snap_start == frozenset({"ingest", "audience"})
    assert chosen(snap_start="none").snap_start == frozenset()
    assert chosen(shards="on-demand").shards is None


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ({"packages": ""}, "grandstand package --cloud aws --out DIR"),
        ({"name": "Grandstand!"}, "name='Grandstand!'"),
        ({"shards": "many"}, "shards='many'"),
        ({"shards": "0"}, "shards='0'"),
        ({"keep": "perhaps"}, "keep='perhaps'"),
        ({"reserved": "ingest"}, "reserved='ingest' is no JSON object"),
        ({"reserved": {"ingest": "all"}}, "ingest has 'all'"),
        ({"settings": {"HORIZON": "1"}}, "names begin with GRANDSTAND_"),
        ({"settings": {"GRANDSTAND_HORIZON_SECONDS": "soon"}}, "GRANDSTAND_HORIZON_SECONDS='soon'"),
        ({"settings": {"GRANDSTAND_HORIZON_SECONDS": "172800"}}, "the stream keeps records for a day"),
        ({"settings": {"GRANDSTAND_HORIZON_SECONDS": "3600"}}, "at least 7200"),
        ({"domain": "live.example.com"}, "A domain needs its certificate"),
    ],
)
def test_a_choice_that_cannot_be_is_named_with_one_that_can(choices: dict[str, Any], told: str) -> None:
    with pytest.raises(Misconfigured, match=told.replace("(", r"\(")) as caught:
        chosen(**choices)
    assert "\n" not in str(caught.value)


def test_packages_that_are_not_there_are_named_with_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"no .*package\.json.*grandstand package"):
        read_packages(tmp_path, ["ingest"])
    folder = make_packages(tmp_path / "packages")
    (folder / "ingest.zip").unlink()
    with pytest.raises(Misconfigured, match=r"no package of ingest\..*grandstand package"):
        read_packages(folder, ["aggregate", "ingest"])
    (folder / "package.json").write_text('{"functions": [{"name": "ingest"}]}')
    with pytest.raises(Misconfigured, match=r"is not a list of packages.*grandstand package"):
        read_packages(folder, ["ingest"])


@pytest.mark.parametrize(("runtime", "can"), [("python3.11", False), ("python3.12", True), ("python3.13", True)])
def test_snapshots_are_for_newer_pythons(tmp_path: Path, runtime: str, can: bool) -> None:
    assert read_packages(make_packages(tmp_path, runtime), ["ingest"])["ingest"].can_snap_start is can


def test_a_page_that_was_not_built_is_told_with_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="make web"):
        check_built(tmp_path)
    check_built(make_page(tmp_path / "page"))


def test_an_address_has_the_headers_of_all_and_its_own_over_them() -> None:
    beacon = header_rules()["/beacon.js"]
    assert beacon["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert beacon["Content-Security-Policy"] == header_rules()["/*"]["Content-Security-Policy"]


def test_the_whole_api_document_is_the_same_each_time() -> None:
    assert openapi_document() == openapi_document()
    assert {"/v1/events", "/v1/rebuild", "/healthz"} <= set(json.loads(openapi_document())["paths"])


def test_intervals_become_whole_minutes() -> None:
    assert [rate(2), rate(60), rate(300)] == ["rate(1 minute)", "rate(1 minute)", "rate(5 minutes)"]


def test_ids_in_paths_become_any_characters() -> None:
    routes = [{"path": "/v1/a/{id}/b/{mark}", "cacheable": True}, {"path": "/v1/c", "cacheable": False}]
    assert kept_patterns(routes) == ["/v1/a/*/b/*"]
    assert id_patterns(routes) == ["/v1/a/*"]


def test_two_functions_cannot_share_a_path() -> None:
    route = {"path": "/v1/events"}
    with pytest.raises(ValueError, match="/v1/events is served by one and by two"):
        check_paths([{"name": name, "trigger": {"routes": [route]}} for name in ("one", "two")])


def test_the_app_tells_in_one_line_what_it_lacks(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.aws.app", "-o", str(tmp_path), "-c", f"packages={tmp_path}/none"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"grandstand: There is no {tmp_path}/none/package.json.")
    assert ran.stderr.count("\n") == 1
