"""A control API on a Unix socket in a folder of its own, over a fake host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from supervisor.control.options import ControlOptions
from tests.fakes.control import FakeHost


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, for paths of Unix sockets."""
    with TemporaryDirectory(prefix="control") as name:
        yield Path(name)


@pytest.fixture
def options(folder: Path) -> ControlOptions:
    return ControlOptions(socket=folder / "c.sock", uploads=folder / "uploads", grace=1.0)


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()
