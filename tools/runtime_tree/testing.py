"""tools/test: native unit tests and pytest on the runtime tree."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.binary import launcher

from . import cli, linting, machine, native
from .faults import Fault
from .layout import Layout, here
from .lock import held
from .process import clean_environment
from .progress import Progress

OWN = ("--lint", "--native", "--python", "--sanitize")


def main(arguments: list[str], usage: str) -> int:
    """Runs the tests. Returns 0 if all passed, else the first code that was not 0."""
    own = {argument for argument in arguments if argument in OWN}
    rest = [argument for argument in arguments if argument not in OWN]
    if "--help" in rest or "-h" in rest:
        print(usage)
        return 0
    if "--lint" in own and (code := linting.main([], "")):
        return code
    if code := cli.main([]):
        return code
    layout = here()
    if "--sanitize" in own:
        return native_tests(layout, native.THREADS) or native_tests(layout, native.SANITIZED)
    native_code = 0 if "--python" in own else native_tests(layout, native.PLAIN)
    if "--native" in own:
        return native_code
    if code := install_compilers():
        return code
    python_code = pytest(layout, rest)
    if native_code:
        print("tools/test: native tests failed, see above", file=sys.stderr)
    return native_code or python_code


def native_tests(layout: Layout, variant: native.Variant) -> int:
    """Compiles and runs native/tests/*.cc. Returns meson's code; 0 where there are none."""
    if not list((layout.checkout / "native" / "tests").glob("*.cc")):
        return 0
    progress = Progress()
    progress.say("native tests: compiling")
    try:
        with held(layout.runtime / "lock", progress):
            native.configure(layout, variant)
            native.compile_targets(layout, variant)
    except Fault as fault:
        print(fault.report(), file=sys.stderr)
        return int(fault.cause)
    # One program at a time: some of them start dozens of threads.
    meson = [str(native.program(layout, "meson")), "test", "-C", str(native.folder(layout, variant))]
    options = ["--no-rebuild", "--num-processes", "1", "--print-errorlogs"]
    return subprocess.call(
        [*meson, *options], env=clean_environment(native.tools_path(layout)), stdin=subprocess.DEVNULL
    )


def install_compilers() -> int:
    """Installs what tests/binary compiles the binary's launcher with. Returns 0, or the code of the fault."""
    try:
        machine.install_missing(launcher.NEEDED, Progress())
    except Fault as fault:
        print(fault.report("tools/test"), file=sys.stderr)
        return int(fault.cause)
    return 0


def pytest(layout: Layout, arguments: list[str]) -> int:
    """Runs pytest from the checkout's root. Returns its code."""
    python = layout.venv / "bin" / "python"
    extra = {"HYPOTHESIS_STORAGE_DIRECTORY": str(layout.cache / "hypothesis"), "PYTHONPYCACHEPREFIX": pycache(layout)}
    command = [str(python), "-m", "pytest", *arguments]
    return subprocess.call(command, cwd=layout.checkout, env=clean_environment(extra))


def pycache(layout: Layout) -> str:
    """Where byte code of tests goes: not beside the sources, so that a checkout that is read-only works too."""
    return os.environ.get("PYTHONPYCACHEPREFIX", str(Path(layout.cache / "bytecode")))
