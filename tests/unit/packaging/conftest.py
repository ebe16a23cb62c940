from pathlib import Path

import pytest

from tests.unit.packaging.house import House, build_house


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return build_house(tmp_path, monkeypatch)
