"""Step `js`: bundles native/runtime/ into the one script that the shim bakes into V8's startup snapshot."""

from __future__ import annotations

from pathlib import Path

from .faults import Cause, Fault
from .layout import Layout
from .process import run
from .progress import Progress

STREAMS = "share/nodejs/web-streams-polyfill/dist/ponyfill.es2018.mjs"
TARGET = "--target=es2024"  # what V8 13.6 knows


def sources(layout: Layout) -> Path:
    return layout.checkout / "native" / "runtime"


def esbuild(layout: Layout) -> list[str]:
    """The command for esbuild, which comes with the tree."""
    return [*layout.through_loader(layout.usr / "bin" / "esbuild", layout.usr), "--log-level=warning"]


def bundle(layout: Layout, progress: Progress, key: str) -> None:
    """Writes supervisor/engine/runtime.js. Raises Fault(JAVASCRIPT) with esbuild's message."""
    del key
    main = sources(layout) / "main.js"
    if not main.is_file():
        raise Fault(Cause.JAVASCRIPT, f"{main.relative_to(layout.checkout)} is not there")
    beside = layout.runtime_js.with_name("runtime.new.js")
    # ASCII, so that all isolates can share one copy of the source. Names are kept: they show in stacks and as the names
    # of classes. The shim compiles the bundle as a function's
    # body, whose first statement "use strict" has to be.
    command: list[str | Path] = [
        *esbuild(layout),
        main,
        "--bundle",
        "--format=iife",
        TARGET,
        "--minify-syntax",
        "--minify-whitespace",
        "--legal-comments=none",
        '--banner:js="use strict";',
        f"--alias:web-streams-polyfill={streams(layout)}",
        f"--outfile={beside}",
    ]
    run(command, Cause.JAVASCRIPT, "bundling the runtime's JavaScript")
    beside.replace(layout.runtime_js)
    progress.say(f"js: {layout.runtime_js.stat().st_size / 1000:.0f} kB")


def streams(layout: Layout) -> Path:
    """Minifies the streams polyfill, names included: its inner names interest nobody, and it halves in size."""
    layout.build.mkdir(parents=True, exist_ok=True)
    small = layout.build / "streams.min.mjs"
    source = layout.usr.resolve() / STREAMS
    command: list[str | Path] = [*esbuild(layout), source, "--minify", "--format=esm", TARGET, f"--outfile={small}"]
    run(command, Cause.JAVASCRIPT, "minifying the streams polyfill")
    return small
