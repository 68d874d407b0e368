"""The manifest `.runtime/versions.json`: every package that the runtime is made of, for `isolated version` and for
telling two hosts apart."""

from __future__ import annotations

import json
import re
from pathlib import Path

from . import environment, tree
from . import packages as recipe
from .layout import Layout
from .stamps import write_atomically


def write(layout: Layout) -> None:
    """Writes the manifest for the tree and the environment in use."""
    debian = json.loads(tree.taken(layout).read_text())
    packages = {name: entry["version"] for name, entry in sorted(debian["packages"].items())}
    pypi = pypi_versions(environment.site_packages(layout.venv))
    manifest = {
        "v8": v8_version(layout.usr / "include" / "node" / "v8-version.h"),
        "python": packages.get(f"python{recipe.PYTHON}-minimal", ""),
        "debian": {"suite": debian["suite"], "architecture": layout.debian_architecture, "packages": packages},
        "pypi": pypi,
    }
    write_atomically(layout.versions, json.dumps(manifest, indent=1) + "\n")


def v8_version(header: Path) -> str:
    """The version in V8's header, e.g. 13.6.233.17."""
    text = header.read_text()
    parts = [
        re.search(rf"#define V8_{name} (\d+)", text)
        for name in ("MAJOR_VERSION", "MINOR_VERSION", "BUILD_NUMBER", "PATCH_LEVEL")
    ]
    return ".".join(part[1] for part in parts if part)


def pypi_versions(folder: Path) -> dict[str, str]:
    """Names and versions of the packages installed in an environment."""
    found: dict[str, str] = {}
    for metadata in sorted(folder.glob("*.dist-info/METADATA")):
        fields = dict(re.findall(r"^(Name|Version): (.+)$", metadata.read_text(errors="replace"), re.MULTILINE))
        found[fields["Name"].lower()] = fields["Version"]
    return found
