"""`python -m tools.simulating`: what tools/simulate runs."""

from tools.simulating.cli import main

main(prog_name="tools/simulate")
