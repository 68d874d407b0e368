"""Builds the cffi module `supervisor.engine._native` from native/include/isolated.h.

The header is the only place where the C ABI is written down. Run through setup.py by `tools/bootstrap --step cffi`,
which builds the static library before.
"""

from __future__ import annotations

import re
from pathlib import Path

from cffi import FFI

ROOT = Path(__file__).resolve().parent.parent.parent
HEADER = ROOT / "native" / "include" / "isolated.h"
RUNTIME = ROOT / ".runtime"
BUILD = ROOT / ".runtime" / "build" / "native"


def declarations(header: str) -> str:
    """Returns what cffi is to read of a C header: no preprocessor lines, nothing under `#ifndef ISOLATED_CFFI`.

    Comments stay, cffi skips them. Raises ValueError where a conditional does not close.
    """
    kept: list[str] = []
    conditionals: list[bool] = []  # per open conditional: is it the one that hides its lines from cffi
    for line in header.splitlines():
        directive = re.match(r"\s*#\s*(\w+)(.*)", line)
        if directive is None:
            if not any(conditionals):
                kept.append(line)
        elif directive[1] in ("if", "ifdef", "ifndef"):
            conditionals.append(directive[1] == "ifndef" and directive[2].strip() == "ISOLATED_CFFI")
        elif directive[1] == "endif":
            if not conditionals:
                raise ValueError(f"{HEADER.name}: #endif without #if")
            conditionals.pop()
    if conditionals:
        raise ValueError(f"{HEADER.name}: {len(conditionals)} conditionals are not closed")
    return "\n".join(kept) + "\n"


def foreign_libraries() -> list[Path]:
    """Returns the tree's libraries that the static library calls, as `tools/bootstrap --step native` noted them."""
    note = BUILD / "linked"
    if not note.is_file():
        raise FileNotFoundError(f"{note}: not there; run tools/bootstrap")
    return [Path(line) for line in note.read_text(encoding="utf-8").splitlines()]


def builder() -> FFI:
    """Returns the FFI that setup.py compiles; called by name from there."""
    libraries = foreign_libraries()
    ffi = FFI()
    ffi.cdef(declarations(HEADER.read_text(encoding="utf-8")))
    ffi.set_source(
        "supervisor.engine._native",
        '#include "isolated.h"',
        include_dirs=[str(HEADER.parent), str(RUNTIME / "headers-python")],
        # Paths, not -l: the tree's folder on -L would bring a libc.so of its own. No -rpath: Python's own DT_RPATH
        # counts for what it loads, and the module is the same wherever it was built.
        extra_link_args=[
            str(BUILD / "libisolated.a"),
            *map(str, libraries),
            "-lstdc++",
            "-pthread",
            "-Wl,--allow-shlib-undefined",
        ],
    )
    return ffi
