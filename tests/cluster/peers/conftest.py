"""A short folder, for paths of Unix sockets, and a machine that may be busy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from supervisor.cluster.peers import wire


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="peers") as name:
        yield Path(name)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "CONNECT_S", 60.0)
