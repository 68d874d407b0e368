"""What the host is made of, and under which licences."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from supervisor import __version__
from supervisor.telemetry.components import NO_TEXT, components, licences_text, sbom

MANIFEST = {
    "debian": {"architecture": "amd64", "packages": {"libz": "1:1.3+b1", "bare": "2"}},
    "linked": {"libstatic": "3"},
    "pypi": {"aiohttp": "3.1", "never-installed": "1"},
}
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: Zlib

Files: debian/*
License: Expat
"""


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime tree of a manifest and one package's licence."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "usr"))
    (tmp_path / "usr/share/doc/libz").mkdir(parents=True)
    (tmp_path / "usr/share/doc/libz/copyright").write_text(COPYRIGHT)
    (tmp_path / "versions.json").write_text(json.dumps(MANIFEST))
    return tmp_path


def test_each_part_with_its_licence() -> None:
    found = {part.name: part for part in components()}
    assert list(found) == ["bare", "libstatic", "libz", "aiohttp", "never-installed"]
    assert (found["libz"].licence, found["libz"].text) == ("Expat, Zlib", COPYRIGHT)
    assert found["libz"].purl == "pkg:deb/debian/libz@1%3A1.3%2Bb1?arch=amd64"
    assert found["aiohttp"].licence is not None
    assert "Apache" in found["aiohttp"].licence
    assert "Apache License" in (found["aiohttp"].text or "")
    assert (found["never-installed"].licence, found["never-installed"].text) == (None, None)


def test_the_text_has_a_table_and_each_licence_once(tree: Path) -> None:
    (tree / "usr/share/doc/bare").symlink_to("libz")
    (tree / "usr/share/common-licenses").mkdir()
    (tree / "usr/share/common-licenses/GPL-2").write_text("the GPL")
    text = licences_text()
    assert text.startswith(f"isolated {__version__} is made of:\n\nbare 2")
    assert "bare, libz\n----------\n\nFormat:" in text
    assert text.count("License: Zlib") == 1
    assert NO_TEXT in text
    assert "/usr/share/common-licenses/GPL-2" in text
    assert text.endswith("the GPL")


def test_the_bill_of_materials_is_cyclonedx() -> None:
    document = sbom()
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["version"] == __version__
    by_name = {each["name"]: each for each in document["components"]}
    assert by_name["libz"]["licenses"] == [{"license": {"name": "Expat, Zlib"}}]
    assert "licenses" not in by_name["never-installed"]
    assert len({each["bom-ref"] for each in document["components"]}) == len(by_name)


def test_where_nothing_is_recorded_nothing_is_told(tree: Path) -> None:
    (tree / "versions.json").unlink()
    assert components() == []
    assert sbom()["components"] == []
    assert licences_text().startswith("isolated ")
