"""Puts byte code in the place of Python's sources, the same for the same sources.

Runs on the runtime tree's Python: `python -m tools.binary.bytecode FOLDER SUBFOLDER...`. One process, sorted names, no
random hash seed: what of a file is shared within its byte code depends on what the process saw before.
"""

from __future__ import annotations

import py_compile
import sys
from pathlib import Path


def compile_below(root: Path) -> int:
    """Replaces every module below `root` by its byte code. Tracebacks name them relative to `root`."""
    sources = sorted(root.rglob("*.py"))
    for path in sources:
        py_compile.compile(
            str(path),
            cfile=f"{path}c",
            dfile=str(path.relative_to(root)),
            doraise=True,
            optimize=0,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        path.unlink()
    return len(sources)


def main() -> None:
    """See the module's docstring."""
    folder, *names = sys.argv[1:]
    print(sum(compile_below(Path(folder) / name) for name in names))


if __name__ == "__main__":
    main()
