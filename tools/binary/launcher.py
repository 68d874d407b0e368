"""The launcher: native/launcher/*.c as one static program.

With glibc, which the machine has anyway to compile the shim: Debian's libzstd.a was compiled for it, and musl's linker
would not take that. Nothing in it looks up names of users or hosts, which is what glibc cannot do statically.
"""

from __future__ import annotations

from pathlib import Path

from tools.runtime_tree import machine
from tools.runtime_tree.faults import Cause
from tools.runtime_tree.layout import Layout
from tools.runtime_tree.process import run
from tools.runtime_tree.stamps import files_below

ZSTD = machine.Tool("libzstd-dev", lambda: any(Path("/usr/lib").glob("*/libzstd.a")) and zstd_header().is_file())
NEEDED = (*machine.COMPILING, ZSTD)
OPTIONS = ("-std=gnu17", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Werror=implicit-function-declaration")
# No build id, which would be a hash of paths; no symbols.
LINKING = ("-static", "-lzstd", "-Wl,--build-id=none", "-Wl,--gc-sections", "-s")


def zstd_header() -> Path:
    return Path("/usr/include/zstd.h")


def sources(layout: Layout) -> list[Path]:
    """All of its files."""
    return sorted(files_below(layout.checkout / "native" / "launcher", ".c"))


def compile_to(layout: Layout, target: Path) -> Path:
    """Compiles it into the file `target`, which is returned. Raises Fault(COMPILE) with the compiler's output."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command: list[str | Path] = ["cc", *OPTIONS, "-o", target, *sources(layout), *LINKING]
    remedy = f"apt-get install {' '.join(tool.package for tool in NEEDED)}"
    run(command, Cause.COMPILE, "compiling the launcher", remedy=remedy)
    return target
