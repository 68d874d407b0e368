"""Finds the Debian mirror that the machine's apt already uses, in either format of its settings. No I/O but reading."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .faults import Cause, Fault

VARIABLE = "ISOLATED_DEBIAN_MIRROR"
USABLE_SCHEMES = ("http", "https", "mirror", "file", "copy", "tor")

# Suites that only Debian's main archive has. The machine's own code name is added to them.
SUITES = frozenset(("oldstable", "stable", "testing", "unstable", "sid"))


@dataclass(frozen=True)
class Source:
    """One place that apt may take binary packages from."""

    uri: str
    suite: str
    components: tuple[str, ...]


def choose(environment: Mapping[str, str], etc: Path = Path("/etc")) -> str:
    """Returns the URI of the mirror: $ISOLATED_DEBIAN_MIRROR, else the first one of Debian's main archive in apt's
    settings. Raises Fault(NO_MIRROR)."""
    named = environment.get(VARIABLE, "").strip()
    if named:
        return checked(named)
    suites = SUITES | {own_code_name(etc)}
    for source in machine_sources(etc / "apt"):
        if source.suite in suites and "main" in source.components and is_usable(source.uri):
            return source.uri
    raise Fault(
        Cause.NO_MIRROR,
        "apt's settings name no mirror of Debian's main archive",
        remedy=f"set {VARIABLE} to one, for example {VARIABLE}=http://<mirror>/debian",
    )


def checked(uri: str) -> str:
    """Returns a URI from the environment if apt can use it. Raises Fault(NO_MIRROR)."""
    if not is_usable(uri) or re.search(r"[\s\[\]]", uri):
        raise Fault(
            Cause.NO_MIRROR,
            f"{VARIABLE}={uri!r} is not the URI of a mirror",
            remedy=f"it has to begin with one of {', '.join(f'{scheme}:' for scheme in USABLE_SCHEMES[:5])} "
            "and to end where dists/ begins",
        )
    return uri


def is_usable(uri: str) -> bool:
    """Tells whether a URI is one that apt can fetch from without a person: a CD-ROM is not."""
    return re.split("[:+]", uri, maxsplit=1)[0] in USABLE_SCHEMES and ":/" in uri


def own_code_name(etc: Path) -> str:
    """The machine's Debian release; empty if it is not Debian, whose suites of the same name are not Debian's."""
    try:
        lines = (etc / "os-release").read_text().splitlines()
    except OSError:
        return ""
    pairs = (line.partition("=") for line in lines)
    fields = {name: value.strip("\"'") for name, _, value in pairs}
    return fields.get("VERSION_CODENAME", "") if fields.get("ID") == "debian" else ""


def machine_sources(apt: Path) -> Iterator[Source]:
    """All sources of binary packages in apt's settings, in the order in which apt reads them."""
    parts = sorted((apt / "sources.list.d").glob("*")) if (apt / "sources.list.d").is_dir() else []
    for path in [apt / "sources.list", *parts]:
        if not path.is_file() or not os.access(path, os.R_OK):
            continue
        text = path.read_text(errors="replace")
        if path.suffix == ".sources":
            yield from parse_deb822(text)
        elif path.suffix == ".list":
            yield from parse_one_line(text)


def parse_one_line(text: str) -> Iterator[Source]:
    """Reads `deb [options] uri suite component…` lines."""
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if match:
            yield Source(match[1], match[2], tuple(match[3].split()))


def parse_deb822(text: str) -> Iterator[Source]:
    """Reads paragraphs of `Field: value` lines; comments and continuation lines as apt takes them."""
    for paragraph in re.split(r"\n[ \t]*\n", text):
        fields = deb822_fields(paragraph.splitlines())
        enabled = fields.get("enabled", "yes").lower() not in ("no", "false", "0", "off", "without", "disable")
        if not enabled or "deb" not in fields.get("types", "").split():
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(uri, suite, tuple(fields.get("components", "").split()))


def deb822_fields(lines: Iterable[str]) -> dict[str, str]:
    """The fields of one paragraph, names in lower case."""
    fields: dict[str, str] = {}
    name = ""
    for line in lines:
        if line.startswith("#"):
            continue
        if line[:1].isspace() and name:
            fields[name] += f" {line.strip()}"
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields
