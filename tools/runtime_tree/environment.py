"""Step `venv`: a virtual environment on the tree's Python with the pinned packages from PyPI."""

from __future__ import annotations

import shutil
from pathlib import Path

from . import elf, packages
from .faults import Cause, Fault
from .layout import Layout
from .process import run
from .progress import Progress
from .stamps import link_atomically
from .tree import unused


def requirement_files(layout: Layout) -> list[Path]:
    """The files of pinned packages: what the supervisor runs with, and what it is developed with."""
    return [layout.checkout / "requirements" / name for name in ("runtime.txt", "development.txt")]


def build(layout: Layout, progress: Progress, key: str) -> None:
    """Makes a new environment beside the one in use, and takes it into use when everything is installed."""
    drop_unfinished(layout)
    target = unused(layout.venvs, key)
    python = target / "bin" / "python"
    # Scripts name their interpreter by its path, so the environment is made where it stays.
    run(
        [layout.usr.resolve() / "bin" / f"python{packages.PYTHON}", "-m", "venv", "--without-pip", target],
        Cause.PIP,
        "making the virtual environment",
    )
    try:
        install(layout, progress, python)
        add_checkout(layout, target)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    link_atomically(layout.venv, target)
    progress.say(f"venv: {len(list(site_packages(target).glob('*.dist-info')))} packages")


def install(layout: Layout, progress: Progress, python: Path) -> None:
    """Installs from the wheels kept by an earlier run; fetches (and builds) wheels where some are missing."""
    wheels = layout.cache / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    pip: list[str | Path] = [python, elf.pip_wheel(layout.usr) / "pip", "--disable-pip-version-check", "--no-input"]
    wanted = [part for path in requirement_files(layout) for part in ("--requirement", path)]
    offline: list[str | Path] = [*pip, "install", "--no-index", "--find-links", wheels, "--no-deps", *wanted]
    if any(wheels.glob("*.whl")):
        try:
            run(offline, Cause.PIP, "installing from kept wheels")
        except Fault as fault:
            if fault.cause is not Cause.PIP:
                raise
        else:
            return
    progress.say("venv: fetching packages from PyPI")
    # The pins name every package, so pip need not resolve anything.
    run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", wheels, "--find-links", wheels, *wanted],
        Cause.PIP,
        "fetching packages from PyPI",
        remedy=elf.REMEDY,
    )
    progress.say("venv: installing")
    run(offline, Cause.PIP, "installing packages")
    run(
        [*pip, "check"],
        Cause.PIP,
        "checking that the pinned packages fit together",
        remedy="the pins in requirements/ contradict each other",
    )


def site_packages(venv: Path) -> Path:
    """The folder that packages are installed in."""
    return venv / "lib" / f"python{packages.PYTHON}" / "site-packages"


def checkout_note(venv: Path) -> Path:
    """The file that puts the checkout on the path. It is written last: an environment without it is not finished."""
    return site_packages(venv) / "isolated_checkout.pth"


def drop_unfinished(layout: Layout) -> None:
    """Deletes what a run that was killed left behind."""
    for venv in layout.venvs.iterdir() if layout.venvs.is_dir() else ():
        if not checkout_note(venv).is_file():
            shutil.rmtree(venv, ignore_errors=True)


def add_checkout(layout: Layout, venv: Path) -> None:
    """Puts the checkout on the environment's path, so that `python -m supervisor` works from any folder."""
    checkout_note(venv).write_text(f"{layout.checkout}\n")
