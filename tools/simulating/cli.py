"""The command line of tools/simulate."""

from __future__ import annotations

import gc
import sys
import time

import click

from supervisor.cluster.rules import Rules
from tools.simulating.scenarios import QUIET_S, SCENARIOS, populate
from tools.simulating.verdict import broken, figures
from tools.simulating.world import World

EXIT_BROKEN = 1


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option("--hosts", type=click.IntRange(1, 5000), default=100, show_default=True, help="How many there are.")
@click.option(
    "--tasks", type=click.IntRange(0, 1_000_000), default=2000, show_default=True, help="How many are applied."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same history.")
@click.option("--minutes", type=click.FloatRange(1, 100_000), default=10.0, show_default=True, help="Virtual time.")
@click.option(
    "--per-second", type=click.IntRange(1, 100_000), default=500, show_default=True, help="Tasks applied at first."
)
@click.option("--scenario", type=click.Choice(sorted(SCENARIOS)), default="everything", show_default=True)
def main(hosts: int, tasks: int, seed: int, minutes: float, per_second: int, scenario: str) -> None:
    """Simulates a cluster by the product's rules and procedures, and checks what they promise.

    Exit code 1: a promise did not hold.
    """
    gc.set_threshold(100_000, 50, 100)  # millions of small things, and few cycles among them
    began = time.monotonic()
    world = World(seed, Rules())
    populate(world, hosts, tasks, per_second=per_second)
    click.echo(f"{len(world.wanted)} tasks on {hosts} hosts after {time.monotonic() - began:.0f} s")
    SCENARIOS[scenario](world, minutes)
    world.run(QUIET_S)
    for name, value in figures(world):
        click.echo(f"{name:<46} {value}")
    click.echo(f"{'virtual time, and its cost, s':<46} {world.time.now - 1000:.0f}, {time.monotonic() - began:.0f}")
    problems = broken(world)
    for problem in problems:
        click.echo(f"BROKEN: {problem}")
    sys.exit(EXIT_BROKEN if problems else 0)
