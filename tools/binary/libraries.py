"""Which shared libraries of the tree are needed: what the programs and modules name, and what those name in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from tools.runtime_tree.faults import Cause, Fault
from tools.runtime_tree.process import run

ELF = b"\x7fELF"


def is_elf(path: Path) -> bool:
    """Tells programs and shared libraries by their first bytes."""
    with path.open("rb") as file:
        return file.read(4) == ELF


def needed(patchelf: Path, path: Path) -> list[str]:
    """The libraries that a file names."""
    return run([patchelf, "--print-needed", path], Cause.PACKAGE, f"reading {path.name}").split()


def closure(roots: Iterable[Path], find: Callable[[str], Path | None], names: Callable[[Path], list[str]]) -> set[str]:
    """Names of all libraries that `roots` need, directly or not. `find` knows where one is; those that it answers with
    None are found elsewhere, by whoever names them."""
    waiting, found = list(roots), set[str]()
    while waiting:
        for name in names(waiting.pop()):
            place = find(name)
            if name not in found and place is not None:
                found.add(name)
                waiting.append(place)
    return found


def finder(folder: Path, others: set[str]) -> Callable[[str], Path | None]:
    """Finds libraries in `folder`; those in `others` lie beside the packages that brought them along."""

    def find(name: str) -> Path | None:
        if (folder / name).is_file():
            return folder / name
        if name in others:
            return None
        raise Fault(Cause.PACKAGE, f"{name} is needed, and not in the tree", remedy="add its package to packages.py")

    return find
