"""A control API without a host, and a program to apply."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.control_api import ControlApi, control_api


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlApi]:
    """The host that ISOLATED_HOST names, for the time of a test."""
    for name in ("ISOLATED_TOKEN_FILE", "ISOLATED_CA_FILE"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "control.sock"
    monkeypatch.setenv("ISOLATED_HOST", str(path))
    with control_api(path) as serving:
        yield serving


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a task file and a program."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "task.json5").write_text("{taskId: 'shop', mainPath: './app.js', listen: ['127.0.0.1:3000']}")
    (folder / "app.js").write_text("export default {fetch() { return new Response('Hello'); }};\n")
    return folder
