"""What the host is made of, with and without a manifest and a compiled engine."""

import json
import sys
import types
from pathlib import Path

import pytest

from supervisor import __version__
from supervisor.telemetry.versions import versions, versions_text


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime tree of nothing but folders, and no engine."""
    (tmp_path / "venvs" / "1").mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venvs" / "1"))
    monkeypatch.setattr(sys, "base_prefix", "/nonexistent/tree/usr")
    monkeypatch.setitem(sys.modules, "supervisor.engine.library", None)
    return tmp_path


def test_without_manifest_and_engine(tree: Path) -> None:
    found = versions()
    assert (found["isolated"], found["v8"], found["engine"]) == (__version__, None, "not compiled")
    assert found["debian"] == {}
    assert "pydantic" in found["pypi"]
    assert "not compiled" in versions_text()


def test_every_pinned_part_of_the_manifest_is_told(tree: Path) -> None:
    manifest = {
        "v8": "13.6.1",
        "debian": {"suite": "testing", "packages": {"libnode137": "24.1"}},
        "pypi": {"aiohttp": "3.1"},
    }
    (tree / "versions.json").write_text(json.dumps(manifest))
    found = versions()
    assert (found["v8"], found["debian"], found["pypi"]) == ("13.6.1", {"libnode137": "24.1"}, {"aiohttp": "3.1"})
    text = versions_text()
    assert all(part in text for part in ("13.6.1", "libnode137  24.1", "aiohttp  3.1", "Debian packages:", "PyPI"))


@pytest.mark.parametrize("content", ["", "{", "[]", "3"])
def test_a_broken_manifest_is_none(tree: Path, content: str) -> None:
    (tree / "versions.json").write_text(content)
    assert versions()["debian"] == {}


def test_the_engine_has_the_last_word_on_v8(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = types.ModuleType("supervisor.engine.library")
    engine.v8_version = lambda: "13.6.2"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "supervisor.engine.library", engine)
    found = versions()
    assert (found["v8"], found["engine"]) == ("13.6.2", "ready")
    assert "not compiled" not in versions_text()
