"""The command line of tools/bench."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from tools.benchmarks import document, load, machine, table
from tools.benchmarks.cache import DEFAULT_FOLDER, Cache, Unavailable
from tools.benchmarks.interrupts import sigterm_unwinds
from tools.benchmarks.options import COMMON, COMPARING, OWN
from tools.benchmarks.ours import Isolated, Served
from tools.benchmarks.peers import PEERS
from tools.benchmarks.plans import PLANS, QUICK, Size
from tools.benchmarks.results import OURS, SERVED, Outcome
from tools.benchmarks.run import Obtain, line_up, run

EXIT_FAILED = 1
TABLE_WIDTH = 180  # of the containment table, the widest

# What is asked for together; "all" is added.
COMMANDS: Mapping[str, Sequence[str]] = {
    "http": ["http"],
    "coldstart": ["coldstart"],
    "density": ["density"],
    "containment": ["containment", "overshoot"],
    "daemon": ["wake", "fleet", "handover", "crash"],
    "limits": ["quota", "groups"],
}
ALONE = frozenset({"daemon", "limits"})  # isolated takes part in them, and nobody else
HELP = {
    "http": "Requests per second, latency, CPU per request and memory: hello with equal and new heads, two echoes.",
    "coldstart": "Milliseconds from making an isolate to its first answer, cold and from the warm pool.",
    "density": "Memory per idle isolate in a process that holds many.",
    "containment": "Who survives a tenant that runs out of memory, at which peak; how late a CPU limit ends a request.",
    "limits": "isolated serve alone: shares of a core under a quota, the loop beside spinners, cost of groups.",
    "daemon": "isolated serve alone: waking a task, a host of a thousand that sleep, hand-overs under load, crashes.",
}


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def main() -> None:
    """Measures isolated beside workerd, Node, Deno and mini-racer: alternating turns in one run on one machine.

    Peers and the load generator are fetched on first use into .runtime/cache/peers, which is safe to delete. A peer
    that cannot be had is reported as absent. The exit code is 1 only if isolated itself could not be measured.

    What each figure means, and what it does not, stands in tools/benchmarks/README.md.
    """


def add_command(name: str, benchmarks: Sequence[str], description: str) -> None:
    """Adds a command that runs some benchmarks with their options."""

    def command(**options: Any) -> None:
        run_benchmarks(benchmarks, **options)

    comparing = [] if name in ALONE else COMPARING
    decorators = [*comparing, *COMMON, *(option for benchmark in benchmarks for option in OWN[benchmark])]
    for decorate in reversed(decorators):
        command = decorate(command)
    main.command(name, help=description)(command)


for each, members in COMMANDS.items():
    add_command(each, members, HELP[each])
add_command("all", list(PLANS), "Every benchmark, one after another.")


def run_benchmarks(
    benchmarks: Sequence[str],
    *,
    json_file: Path | None,
    quick: bool,
    peers: Sequence[str] = (),
    no_ours: bool = False,
    **sizes: Any,
) -> None:
    """Runs the benchmarks, prints each table when it is done, and ends the process if something of ours failed."""
    console, progress = wide_console(), Console(stderr=True)
    size = replace(QUICK if quick else Size(), **{name: value for name, value in sizes.items() if value is not None})
    cache = Cache(DEFAULT_FOLDER)
    before = machine.describe()
    outcomes: list[Outcome] = []
    with sigterm_unwinds(), progress.status("getting ready") as status:
        lineup = line_up(wanted(peers, no_ours=no_ours), cache, status.update)
        for benchmark in benchmarks:
            try:
                plan = PLANS[benchmark](size, lambda: load.obtain(cache))
            except Unavailable as reason:
                raise click.ClickException(f"no load generator: {reason}\n  install it: apt install wrk") from reason
            outcomes.append(run(plan, lineup, status.update))
            table.show(outcomes[-1], console)
    if json_file is not None:
        document.write(json_file, document.as_document(outcomes, before))
    sys.exit(exit_code(outcomes))


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """Returns 0 unless something of ours could not be measured; what happens to peers does not count."""
    return EXIT_FAILED if any(outcome.our_failures for outcome in outcomes) else 0


def wide_console() -> Console:
    """Returns standard output, at least as wide as the widest table: a long line beats figures cut short."""
    console = Console()
    return Console(width=max(console.width, TABLE_WIDTH))


def wanted(peers: Sequence[str], *, no_ours: bool) -> dict[str, Obtain]:
    """Returns who is to take part, in the order of turns: we first."""
    ours: dict[str, Obtain] = {} if no_ours else {OURS: Isolated.obtain, SERVED: Served.obtain}
    return ours | {name: PEERS[name] for name in peers}
