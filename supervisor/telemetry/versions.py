"""What this host is made of: our version, V8, Python and every pinned package."""

from __future__ import annotations

import json
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from supervisor import __version__

MANIFEST = "versions.json"  # written beside the runtime tree when it is built
_STEPS_UP = 3  # from the environment's folder, or the tree's usr, to the folder that holds the manifest


def versions() -> dict[str, Any]:
    """Everything with a version: isolated, v8, python, debian {name: version}, pypi {name: version}."""
    recorded = manifest()
    debian = recorded.get("debian") or {}
    v8 = _v8()
    return {
        "isolated": __version__,
        "v8": v8 or recorded.get("v8") or None,
        "engine": "ready" if v8 else "not compiled",
        "python": platform.python_version(),
        "debian": debian.get("packages", debian),
        "pypi": recorded.get("pypi") or _installed(),
    }


def versions_text() -> str:
    """The same for people."""
    found = versions()
    missing = "" if found["engine"] == "ready" else " (the engine is not compiled)"
    lines = [
        f"isolated {found['isolated']}",
        f"V8       {found['v8'] or 'unknown'}{missing}",
        f"Python   {found['python']}",
    ]
    for title, packages in (("Debian packages", found["debian"]), ("PyPI packages", found["pypi"])):
        width = max(map(len, packages), default=0)
        lines += ["", f"{title}:" if packages else f"{title}: not recorded"]
        lines += [f"  {name:<{width}}  {version}" for name, version in sorted(packages.items())]
    return "\n".join(lines)


def manifest() -> dict[str, Any]:
    """What was recorded when the runtime tree, or the binary, was built; empty if nothing was."""
    for prefix in (Path(sys.prefix), Path(sys.base_prefix)):
        for folder in [prefix, *prefix.parents][: _STEPS_UP + 1]:
            try:
                found = json.loads((folder / MANIFEST).read_text())
            except OSError, ValueError:
                continue
            if isinstance(found, dict):
                return found
    return {}


def _installed() -> dict[str, str]:
    return {distribution.name.lower(): distribution.version for distribution in metadata.distributions()}


def _v8() -> str | None:
    """V8's own word; None while the engine is not compiled."""
    try:
        from supervisor.engine.library import v8_version  # loads V8, or cannot

        return v8_version()
    except ImportError, OSError:
        return None
