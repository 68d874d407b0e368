"""Step `native`: compiles native/ into .runtime/build/native/libisolated.a with meson and ninja."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import packages
from .faults import Cause, Fault
from .layout import Layout
from .process import run
from .progress import Progress
from .stamps import digest, write_atomically

JOBS = "2"  # V8's headers take 300 MB of compiler memory per job; two fit everywhere


def library_file(layout: Layout, stem: str) -> str:
    """The versioned name of a library of the tree, the one that the loader looks for: libnode.so.137."""
    folder = layout.libraries()
    versioned = sorted((path.name for path in folder.glob(f"{stem}.*")), key=len)
    if not versioned:
        raise Fault(Cause.PACKAGE, f"{folder / stem} is not in the tree", remedy="run tools/bootstrap --force")
    return versioned[0]


def linked(layout: Layout) -> list[str]:
    """File names of the tree's libraries that the shim calls."""
    return [library_file(layout, stem) for stem in packages.LINKED_LIBRARIES]


def options(layout: Layout) -> list[str]:
    """meson's options: where the tree is and what to link with."""
    return [
        f"-Druntime={layout.runtime}",
        f"-Dmultiarch={layout.multiarch}",
        f"-Dloader={layout.loader_name}",
        f"-Dforeign_libraries={','.join(linked(layout))}",
        f"-Druntime_js={layout.runtime_js}",
        # Other compilers know other warnings: only where one version is always used are they errors.
        f"-Dwerror={'true' if os.environ.get('CI') else 'false'}",
    ]


@dataclass(frozen=True)
class Variant:
    """One way to compile the library, in a folder of its own below .runtime/build."""

    folder: str
    options: tuple[str, ...] = ()


PLAIN = Variant("native")
# Warnings are no errors here: instrumented code makes gcc see uninitialised values that are not there. -O1: with more,
# compiling takes twice as long.
_INSTRUMENTED = ("-Dwerror=false", "-Doptimization=1")
SANITIZED = Variant("native-sanitized", ("-Db_sanitize=address,undefined", *_INSTRUMENTED))
THREADS = Variant("native-threads", ("-Db_sanitize=thread", *_INSTRUMENTED))


def folder(layout: Layout, variant: Variant = PLAIN) -> Path:
    return layout.build / variant.folder


def program(layout: Layout, name: str) -> Path:
    """A build program of the virtual environment."""
    return layout.venv / "bin" / name


def tools_path(layout: Layout) -> dict[str, str]:
    """A PATH on which meson finds ninja."""
    return {"PATH": f"{layout.venv / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def configure(layout: Layout, variant: Variant = PLAIN) -> None:
    """Runs meson if the tree, the place or the list of files changed since it last ran; ninja sees everything else."""
    source, build = layout.checkout / "native", folder(layout, variant)
    chosen = [*options(layout), *variant.options]
    place = digest(*chosen, str(layout.usr.resolve()))
    files = digest(*sorted(str(path.relative_to(source)) for path in source.rglob("*.cc")))
    note = build / "configured"
    last = note.read_text().split() if note.is_file() else []
    if last == [place, files]:
        return
    if last[:1] != [place]:
        shutil.rmtree(build, ignore_errors=True)  # meson keeps absolute paths, which a moved checkout invalidates
    build.mkdir(parents=True, exist_ok=True)
    again = ["--reconfigure"] if (build / "build.ninja").is_file() else []
    command: list[str | Path] = [program(layout, "meson"), "setup", *again, build, source, *chosen]
    run(command, Cause.COMPILE, "configuring the native library", extra=tools_path(layout))
    # supervisor/engine/build_native.py links with the same libraries.
    write_atomically(build / "linked", "".join(f"{layout.libraries() / name}\n" for name in linked(layout)))
    write_atomically(note, f"{place} {files}")


def build(layout: Layout, progress: Progress, key: str) -> None:
    """Builds the static library. Raises Fault(COMPILE) with the compiler's output."""
    del key
    progress.say("native: compiling")
    configure(layout)
    compile_targets(layout, PLAIN, "libisolated.a")
    progress.say("native: libisolated.a")


def compile_targets(layout: Layout, variant: Variant, *targets: str) -> None:
    """Runs ninja for some targets, or for all of them."""
    command: list[str | Path] = [
        program(layout, "ninja"),
        "-C",
        folder(layout, variant),
        "-j",
        JOBS,
        "--quiet",
        *targets,
    ]
    run(command, Cause.COMPILE, "compiling the native library", extra=tools_path(layout))
