import json

import pytest

from shared.errors import Misconfigured
from tests.contract.rig import Rig


def test_every_secret_that_the_suite_needs_is_there_from_the_start(provider: Rig) -> None:
    secrets = provider.ports.secrets

    (key,) = json.loads(secrets.get("pseudonym-keys"))
    assert set(key) == {"id", "from_ms", "key_hex"}
    assert len(bytes.fromhex(key["key_hex"])) == 32
    assert len(bytes.fromhex(secrets.get("dead-letter-key").decode())) == 32
    assert len(secrets.get("viewer-token")) >= 32
    for name in ("write-keys", "publish-keys", "operator-keys"):
        assert json.loads(secrets.get(name)) == {}


def test_they_are_the_same_when_the_process_starts_anew(provider: Rig) -> None:
    before = provider.ports.secrets.get("pseudonym-keys")

    assert provider.reopen().ports.secrets.get("pseudonym-keys") == before


def test_a_secret_that_is_not_there_is_named(provider: Rig) -> None:
    with pytest.raises(Misconfigured, match="smtp-password"):
        provider.ports.secrets.get("smtp-password")
