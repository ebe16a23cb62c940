"""The rig for a real account, tried on moto's."""

from pathlib import Path
from typing import Any

import pytest

from tests.contract.rigs.aws import live
from tests.emulators.aws_account import deployer, moto


def test_a_rig_in_an_account_removes_what_it_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in moto().environ("AKIALIVE").items():
        monkeypatch.setenv(name, value)

    with live(tmp_path) as rig:
        rig.ports.table("audience").put("p", "s", b"1")
        rig.ports.stream("events").append([])
        rig.ports.queue("reports").send(b"build")
        rig.ports.objects("staging").put("a", b"1")
        rig.ports.secrets.get("viewer-token")
        assert rig.fault is None
        made = named()

    assert len(made) == 11
    assert named() == []


def pages(client: Any, listing: str) -> Any:
    """All of them: other tests' resources may be there too."""
    return client.get_paginator(listing).paginate()


def named() -> list[str]:
    clients = deployer()
    return [
        name
        for name in [
            *(name for page in pages(clients.dynamodb, "list_tables") for name in page["TableNames"]),
            *clients.kinesis.list_streams(Limit=10_000)["StreamNames"],
            *(
                url.rpartition("/")[2]
                for page in pages(clients.sqs, "list_queues")
                for url in page.get("QueueUrls", [])
            ),
            *(each["Name"] for each in clients.s3.list_buckets()["Buckets"]),
            *(each["Name"] for page in pages(clients.secretsmanager, "list_secrets") for each in page["SecretList"]),
        ]
        if name.startswith("grandstand-test-")
    ]
