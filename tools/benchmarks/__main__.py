"""`python -m tools.benchmarks`: what tools/bench runs."""

from tools.benchmarks.cli import main

main(prog_name="tools/bench")
