"""The steps in their order, and what each depends on. A step runs when its key (a hash of its inputs) is a new one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from . import elf, environment, extension, javascript, machine, native, packages, tree, versions
from .layout import Layout
from .progress import Progress
from .stamps import Stamps, digest, files_below, files_digest


@dataclass(frozen=True)
class Step:
    """One step: what it makes, the hash of its inputs, what it needs of the machine, and how it is done."""

    name: str
    promise: str
    key: Callable[[Layout], str]
    made: Callable[[Layout], bool]
    run: Callable[[Layout, Progress, str], None]
    tools: tuple[machine.Tool, ...] = ()


def code(*modules: ModuleType) -> str:
    """The text of modules: what a step does is one of its inputs."""
    return "".join(Path(str(module.__file__)).read_text() for module in modules)


def packages_key(layout: Layout) -> str:
    return digest(code(packages), layout.machine)


def tree_key(layout: Layout) -> str:
    """The location is part of it: programs of the tree name their loader by its path."""
    taken = tree.taken(layout)
    return digest(code(tree, elf, packages), taken.read_text() if taken.is_file() else "", str(layout.checkout))


def venv_key(layout: Layout) -> str:
    pins = files_digest(layout.checkout, environment.requirement_files(layout))
    return digest(code(environment), str(layout.usr.resolve()), pins)


def js_key(layout: Layout) -> str:
    sources = files_digest(layout.checkout, files_below(javascript.sources(layout)))
    return digest(code(javascript), str(layout.usr.resolve()), sources)


def native_key(layout: Layout) -> str:
    """Of the tests only the names: they are compiled by tools/test, but meson has to know of them."""
    root = layout.checkout / "native"
    sources = [*files_below(root / "src"), *files_below(root / "include"), *root.glob("meson*"), root / "list_files.sh"]
    tests = sorted(path.name for path in files_below(root / "tests", ".cc"))
    return digest(code(native), str(layout.usr.resolve()), files_digest(layout.checkout, sources), *tests)


def cffi_key(layout: Layout) -> str:
    inputs = [
        layout.checkout / name
        for name in ("native/include/isolated.h", "supervisor/engine/build_native.py", "setup.py")
    ]
    library = native.folder(layout) / "libisolated.a"
    state = library.stat() if library.is_file() else None
    stamp = f"{state.st_mtime_ns} {state.st_size}" if state else ""
    return digest(code(extension), str(layout.venv.resolve()), files_digest(layout.checkout, inputs), stamp)


def fetch(layout: Layout, progress: Progress, key: str) -> None:
    del key
    tree.fetch(layout, progress)


STEPS = (
    Step(
        "packages",
        "download Debian's packages",
        packages_key,
        lambda at: tree.taken(at).is_file(),
        fetch,
        machine.FETCHING,
    ),
    Step("tree", "unpack and patch them", tree_key, lambda at: at.libraries().is_dir(), tree.build),
    Step(
        "venv",
        "virtual environment with PyPI's packages",
        venv_key,
        lambda at: (at.venv / "bin/python").exists(),
        environment.build,
    ),
    Step("js", "bundle the runtime's JavaScript", js_key, lambda at: at.runtime_js.is_file(), javascript.bundle),
    Step(
        "native",
        "compile the native library",
        native_key,
        lambda at: (native.folder(at) / "libisolated.a").is_file(),
        native.build,
        machine.COMPILING,
    ),
    Step(
        "cffi",
        "compile Python's binding to it",
        cffi_key,
        lambda at: bool(extension.built(at)),
        extension.build,
        machine.COMPILING,
    ),
)


def pending(layout: Layout, stamps: Stamps, steps: tuple[Step, ...] = STEPS) -> list[str]:
    """Names of the steps that are not up to date. A step after one of them may turn out to be up to date after all."""
    return [step.name for step in steps if not is_done(layout, stamps, step)]


def is_done(layout: Layout, stamps: Stamps, step: Step) -> bool:
    return step.made(layout) and stamps.get(step.name) == step.key(layout)


def run_all(layout: Layout, stamps: Stamps, progress: Progress, steps: tuple[Step, ...]) -> bool:
    """Runs the steps that are not up to date, in order. Returns whether there were any. Raises Fault at the first
    that fails; what was done before stays done."""
    ran = False
    for step in steps:
        if is_done(layout, stamps, step):
            continue
        machine.install_missing(step.tools, progress)
        key = step.key(layout)
        step.run(layout, progress, key)
        stamps.put(step.name, step.key(layout) if step.name == "packages" else key)
        ran = True
    if ran:
        finish(layout)
    return ran


def finish(layout: Layout) -> None:
    """Notes the versions and deletes trees and environments that are two versions old."""
    if tree.taken(layout).is_file() and layout.venv.exists():
        versions.write(layout)
    for folder, used in ((layout.trees, layout.tree), (layout.venvs, layout.venv)):
        if folder.is_dir():
            tree.drop_old(folder, used)
