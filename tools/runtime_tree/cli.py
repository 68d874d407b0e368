"""tools/bootstrap's command line."""

from __future__ import annotations

import argparse
import errno
import sys

from . import machine, mirror
from .faults import MEANINGS, Cause, Fault
from .layout import Layout, here
from .lock import held
from .process import disk_full
from .progress import Progress
from .stamps import Stamps
from .steps import STEPS, Step, pending, run_all

DESCRIPTION = """\
Builds the private runtime tree in .runtime/: packages of Debian testing, unpacked there and checked by apt with
Debian's keyring, a virtual environment on their Python, and what is compiled against them. The machine's own apt
state and Python stay as they are; only a missing C++ compiler or keyring is installed with apt-get (sudo where not
root). Does nothing, quickly, when everything is up to date. May be interrupted: the next run continues. While
anything fails, the tree of the last run that succeeded stays in use.
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs bootstrap. Returns the exit code, one of Cause or 0."""
    options = parser().parse_args(arguments)
    layout = here()
    try:
        return bootstrap(layout, options)
    except Fault as fault:
        print(fault.report(), file=sys.stderr)
        return int(fault.cause)
    except KeyboardInterrupt:
        print("bootstrap: interrupted; run it again to continue", file=sys.stderr)
        return int(Cause.INTERRUPTED)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(disk_full().report(), file=sys.stderr)
        return int(Cause.DISK)


def bootstrap(layout: Layout, options: argparse.Namespace) -> int:
    """Does what the options ask for, under the lock if there is anything to do."""
    stamps = Stamps(layout.runtime / "stamps")
    chosen = tuple(step for step in STEPS if not options.step or step.name in options.step)
    waiting = pending(layout, stamps, chosen)
    if options.check:
        if waiting:
            print(f"not up to date: {', '.join(waiting)}", file=sys.stderr)
        return int(Cause.STALE) if waiting else 0
    if not waiting and not options.force and not options.update:
        return 0
    machine.check_suitable(layout)
    progress = Progress()
    with held(layout.runtime / "lock", progress):
        forget(stamps, chosen, options)
        run_all(layout, stamps, progress, chosen)
    progress.say("ready")
    return 0


def forget(stamps: Stamps, chosen: tuple[Step, ...], options: argparse.Namespace) -> None:
    """Makes the steps that --force or --update name run whatever their stamps say."""
    for step in chosen:
        if options.force or (options.update and step.name == "packages"):
            stamps.clear(step.name)


def parser() -> argparse.ArgumentParser:
    """The options; the epilogue is made from the tables that the code runs by."""
    steps = "\n".join(f"  {step.name:<10}{step.promise}" for step in STEPS)
    codes = "\n".join(f"  {int(cause):<10}{meaning}" for cause, meaning in MEANINGS.items())
    result = argparse.ArgumentParser(
        prog="tools/bootstrap",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"steps:\n{steps}\n\nexit codes:\n  0         everything is up to date\n{codes}\n\n"
        f"environment:\n  {mirror.VARIABLE}  URI of a Debian mirror; without it the one that the machine's apt uses",
    )
    result.add_argument("--check", action="store_true", help="only tell whether there is something to do")
    result.add_argument("--force", action="store_true", help="do all steps, or those of --step, again")
    result.add_argument("--update", action="store_true", help="take the mirror's present versions of the packages")
    result.add_argument(
        "--step",
        action="append",
        choices=[step.name for step in STEPS],
        metavar="NAME",
        help="do only this step (may be given several times)",
    )
    return result
