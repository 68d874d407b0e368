"""Which files go into the binary, by the name that they get there."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from tools.runtime_tree import environment, extension, packages
from tools.runtime_tree.faults import Cause, Fault
from tools.runtime_tree.layout import Layout
from tools.runtime_tree.stamps import files_below

from . import contents

Files = dict[str, Path]


def left_out(name: str, patterns: Iterable[str]) -> bool:
    """Whether a file is one of those that stay outside."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def stdlib(layout: Layout) -> Files:
    """Python's own modules."""
    folder = layout.usr / "lib" / f"python{packages.PYTHON}"
    found = {str(path.relative_to(folder)): path for path in files_below(folder)}
    return {
        f"{contents.STDLIB}/{name}": path.resolve()
        for name, path in found.items()
        if not left_out(name, contents.STDLIB_LEFT_OUT)
    }


def pinned(layout: Layout) -> list[str]:
    """Names of the packages that the supervisor runs with, as their dist-info folders have them."""
    text = environment.requirement_files(layout)[0].read_text()
    return [normal(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)]


def normal(name: str) -> str:
    """PyPI's normal form of a name, with the underscores that files have."""
    return re.sub(r"[-_.]+", "_", name).lower()


def distributions(layout: Layout) -> list[Path]:
    """The dist-info folders of the pinned packages. Raises Fault(PIP) if one is not installed."""
    folders = environment.site_packages(layout.venv).glob("*.dist-info")
    by_name = {normal(path.name.partition("-")[0]): path for path in folders}
    missing = [name for name in pinned(layout) if name not in by_name]
    if missing:
        raise Fault(Cause.PIP, f"{', '.join(missing)}: not installed", remedy="run tools/bootstrap --force --step venv")
    return [by_name[name] for name in pinned(layout)]


def pypi(layout: Layout) -> Files:
    """The files of the pinned packages, by the lists that pip keeps."""
    site = environment.site_packages(layout.venv)
    return {
        f"{contents.PACKAGES}/{name}": site / name
        for folder in distributions(layout)
        for name in recorded(folder / "RECORD")
        if not left_out(name, contents.PACKAGES_LEFT_OUT)
    }


def recorded(record: Path) -> Iterator[str]:
    """The files of an installed package, relative to site-packages."""
    with record.open(newline="") as file:
        yield from (row[0] for row in csv.reader(file))


def own(layout: Layout) -> Files:
    """The supervisor: its modules and what lies beside them, the native part and the runtime's JavaScript included."""
    folder = layout.checkout / "supervisor"
    kinds = (".py", ".json", ".toml")
    kept = [path for path in files_below(folder, *kinds) if "__pycache__" not in path.parts]
    return {
        f"{contents.PACKAGES}/{path.relative_to(layout.checkout)}": path
        for path in [*kept, layout.runtime_js, *extension.built(layout)]
        if path.name != "build_native.py"
    }


def licences(layout: Layout, names: Iterable[str]) -> Files:
    """The licences of Debian's packages, and the texts that these refer to.

    Raises Fault(PACKAGE) for a package without one."""
    found = {f"{contents.DOCUMENTATION}/{name}/{packages.LICENCE}": licence(layout, name) for name in names}
    common = Path("/usr/share/common-licenses")
    texts = {f"{contents.COMMON_LICENCES}/{path.name}": path.resolve() for path in common.iterdir() if path.is_file()}
    return found | texts


def licence(layout: Layout, name: str) -> Path:
    """The copyright file of a package of the tree; of one that is linked, the machine's."""
    usr = Path("/usr") if name in contents.LINKED else layout.usr.resolve()
    path = usr / "share" / "doc" / name / packages.LICENCE
    if not path.is_file():
        raise Fault(Cause.PACKAGE, f"{path} is missing: {name} came without its licence")
    return path.resolve()
