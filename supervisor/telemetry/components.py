"""What this host is made of, part by part, with the licence of each; the same in a checkout and in the binary."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

from supervisor import __version__
from supervisor.telemetry.versions import manifest

NO_TEXT = "The package came without the text of its licence."
_DOCUMENTATION = Path("share/doc")  # below the folder of Python's installation, and of the machine's packages
_SHORT_NAME = re.compile(r"^License:[ \t]*(\S.*)$", re.MULTILINE)  # of Debian's machine-readable copyright files
_USUAL_FILES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING", "NOTICE")


@dataclass(frozen=True, slots=True)
class Component:
    """One part: a package of Debian or of PyPI."""

    name: str
    version: str
    purl: str  # https://github.com/package-url
    licence: str | None  # short names, or an SPDX expression; None: the text has to say it
    text: str | None  # None: it is not kept here


def components() -> list[Component]:
    """All parts that are recorded, by kind and name."""
    found = manifest()
    debian = found.get("debian") or {}
    packages, architecture = debian.get("packages") or {}, debian.get("architecture", "")
    parts = [_of_debian(name, version, architecture) for name, version in (packages | found.get("linked", {})).items()]
    return [*sorted(parts, key=_name), *sorted(_of_pypi(found.get("pypi") or {}), key=_name)]


def licences_text() -> str:
    """For people: a table of the parts, then each licence once, under the names of the parts that have it."""
    parts = components()
    width = max((len(f"{part.name} {part.version}") for part in parts), default=0)
    table = [f"{f'{part.name} {part.version}':<{width}}  {part.licence or 'see its text'}" for part in parts]
    texts: dict[str, list[str]] = {}
    for part in parts:
        texts.setdefault(part.text or NO_TEXT, []).append(part.name)
    texts |= {text: [name] for name, text in _common_licences()}
    sections = [f"{_ruled(', '.join(names))}\n\n{text.rstrip()}" for text, names in texts.items()]
    return "\n\n\n".join(("\n".join((f"isolated {__version__} is made of:", "", *table)), *sections))


def sbom() -> dict[str, Any]:
    """A bill of materials: CycloneDX 1.6. Without times and serial numbers: it follows from the parts alone."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "isolated", "version": __version__}},
        "components": [_entry(part) for part in components()],
    }


def _entry(part: Component) -> dict[str, Any]:
    named = {} if part.licence is None else {"licenses": [{"license": {"name": part.licence}}]}
    identity = {"type": "library", "bom-ref": part.purl, "purl": part.purl}
    return {**identity, "name": part.name, "version": part.version, **named}


def _of_debian(name: str, version: str, architecture: str) -> Component:
    text = _read(folder / _DOCUMENTATION / name / "copyright" for folder in (Path(sys.base_prefix), Path("/usr")))
    names = sorted({each.strip() for each in _SHORT_NAME.findall(text or "")})
    purl = f"pkg:deb/debian/{quote(name)}@{quote(version)}" + (f"?arch={architecture}" if architecture else "")
    return Component(name, version, purl, ", ".join(names) or None, text)


def _of_pypi(versions: dict[str, str]) -> Iterator[Component]:
    for name, version in versions.items():
        purl = f"pkg:pypi/{quote(name)}@{quote(version)}"
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            yield Component(name, version, purl, None, None)
        else:
            yield Component(name, version, purl, _named(found), _texts(found))


def _named(found: metadata.Distribution) -> str | None:
    """What the package says of itself: an expression, or a line of text, or a classifier."""
    fields = found.metadata
    for text in (fields.get("License-Expression"), fields.get("License")):
        if text and "\n" not in text.strip() and text.strip() != "UNKNOWN":
            return text.strip()
    classifiers = [each for each in fields.get_all("Classifier") or () if each.startswith("License ::")]
    return ", ".join(each.rpartition(" :: ")[2] for each in classifiers) or None


def _texts(found: metadata.Distribution) -> str | None:
    """The files that the package names as its licence, else those with the usual names."""
    names = found.metadata.get_all("License-File") or _USUAL_FILES
    texts = [found.read_text(f"licenses/{name}") or found.read_text(name) for name in names]
    return "\n\n".join(text for text in texts if text) or None


def _common_licences() -> Iterator[tuple[str, str]]:
    """The texts that Debian's copyright files refer to; in a checkout they are the machine's."""
    folder = Path(sys.base_prefix) / "share" / "common-licenses"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if (text := _read((path,))) is not None:
            yield f"/usr/share/common-licenses/{path.name}", text


def _read(paths: Iterable[Path]) -> str | None:
    """The first of these files that can be read."""
    for path in paths:
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
    return None


def _ruled(title: str) -> str:
    return f"{title}\n{'-' * min(len(title), 100)}"


def _name(part: Component) -> str:
    return part.name
