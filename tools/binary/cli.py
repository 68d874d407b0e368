"""tools/build-binary's command line."""

from __future__ import annotations

import argparse
import errno
import shutil
import sys
from pathlib import Path

from tools.runtime_tree import cli as bootstrap
from tools.runtime_tree import machine, packages
from tools.runtime_tree.faults import Cause, Fault
from tools.runtime_tree.layout import Layout, here
from tools.runtime_tree.lock import held
from tools.runtime_tree.process import disk_full, run
from tools.runtime_tree.progress import Progress

from . import contents, launcher, stage

LEVEL = 19  # 82 s on a quiet two-core machine; 12 takes 7 s and makes a tenth more
LEVEL_MAX = 22
STRIP = machine.Tool("binutils", lambda: machine.has_program("strip"))

DESCRIPTION = """\
Builds the one file `isolated`: a static launcher, and behind it the runtime tree with the supervisor in byte code, its
native part and Serf's agent, compressed. It runs on any Linux of the same processor, whatever C library that has. The
runtime tree is brought up to date first, as by tools/bootstrap. The same sources, packages and compiler make the same
bytes. Missing tools of the machine (binutils, libzstd-dev) are installed with apt-get, with sudo where not root.
"""


def main(arguments: list[str] | None = None) -> int:
    """Builds the binary. Returns the exit code, one of Cause or 0."""
    options = parser().parse_args(arguments)
    if code := bootstrap.main([]):
        return code
    try:
        return build(here(), options)
    except Fault as fault:
        print(fault.report("build-binary"), file=sys.stderr)
        return int(fault.cause)
    except KeyboardInterrupt:
        print("build-binary: interrupted", file=sys.stderr)
        return int(Cause.INTERRUPTED)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(disk_full().report("build-binary"), file=sys.stderr)
        return int(Cause.DISK)


def parser() -> argparse.ArgumentParser:
    """The options."""
    result = argparse.ArgumentParser(
        prog="tools/build-binary", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    result.add_argument("--output", type=Path, help="where to put it (default: .runtime/build/binary/isolated)")
    result.add_argument(
        "--level",
        type=level,
        default=LEVEL,
        help=f"zstd's level, 1 to {LEVEL_MAX}: higher is smaller and takes longer (default: %(default)s)",
    )
    return result


def level(text: str) -> int:
    """A level of compression."""
    if not text.isdecimal() or not 1 <= int(text) <= LEVEL_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no level; allowed: 1 to {LEVEL_MAX}")
    return int(text)


def build(layout: Layout, options: argparse.Namespace) -> int:
    """Builds it below .runtime/build, and moves it to where it is wanted when it has started once."""
    progress = Progress()
    folder = layout.build / "binary"
    machine.install_missing((*launcher.NEEDED, STRIP), progress)
    with held(layout.runtime / "lock", progress):
        progress.say("binary: compiling the launcher")
        program = launcher.compile_to(layout, folder / "launcher")
        staged = fill_stage(layout, folder / "stage", progress)
        progress.say(f"binary: packing {size(staged) / 1e6:.0f} MB with zstd -{options.level}")
        binary = folder / "isolated"
        arguments: list[str | Path] = [staged, program, binary, str(options.level)]
        identity = tree_python(layout, "tools.binary.archive", *arguments).strip()
        try_it(binary, folder / "try")
    target = (options.output or binary).absolute()
    if target != binary:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(binary, target)
    progress.say(f"binary: {target}, {target.stat().st_size / 1e6:.1f} MB, content {identity}")
    return 0


def fill_stage(layout: Layout, staged: Path, progress: Progress) -> Path:
    """Makes the folder anew."""
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    progress.say("binary: laying out the runtime")
    shipped = stage.lay_out(layout, staged)
    stage.write_manifest(layout, staged, shipped)
    progress.say("binary: compiling byte code")
    tree_python(layout, "tools.binary.bytecode", staged, contents.STDLIB, contents.PACKAGES)
    progress.say(f"binary: {len(shipped)} packages of Debian; trying it")
    stage.write_sbom(layout, staged)
    return staged


def tree_python(layout: Layout, module: str, *arguments: str | Path) -> str:
    """Runs one of these modules on the tree's Python, in whose version the byte code has to be."""
    python = layout.usr / "bin" / f"python{packages.PYTHON}"
    extra = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    return run([python, "-s", "-m", module, *arguments], Cause.PACKAGE, module, cwd=layout.checkout, extra=extra)


def try_it(binary: Path, folder: Path) -> None:
    """Starts the binary once, unpacking it into a folder of its own. Raises Fault(PACKAGE) with what it said."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        run([binary, "version"], Cause.PACKAGE, "trying the binary", extra={"ISOLATED_RUNTIME_DIR": str(folder)})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
