"""Step `cffi`: compiles supervisor/engine/_native, through which Python calls the native library."""

from __future__ import annotations

from pathlib import Path

from . import packages
from .faults import Cause
from .layout import Layout
from .process import run
from .progress import Progress


def built(layout: Layout) -> list[Path]:
    """The compiled module; more than one file only where the naming changed in between."""
    return sorted((layout.checkout / "supervisor" / "engine").glob("_native*.so"))


def build(layout: Layout, progress: Progress, key: str) -> None:
    """Compiles and links the module, and imports it once."""
    del key
    scratch = layout.build / "cffi"
    python = layout.venv / "bin" / "python"
    command: list[str | Path] = [
        python,
        "setup.py",
        "-q",
        "build_ext",
        "--force",
        "--inplace",
        "--build-lib",
        scratch / "library",
        "--build-temp",
        scratch / "temporary",
    ]
    compilers = {"CC": "cc", "LDSHARED": "cc -shared"}  # not the ones that Debian's Python was built with
    run(command, Cause.COMPILE, "building the cffi module", cwd=layout.checkout, extra=compilers)
    run(
        [python, "-P", "-c", "import supervisor.engine._native"],
        Cause.COMPILE,
        "importing the cffi module",
        cwd=layout.runtime,
    )
    progress.say(f"cffi: {', '.join(path.name for path in built(layout))} for Python {packages.PYTHON}")
