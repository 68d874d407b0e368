"""`python -m tools.fuzzing`: what tools/fuzz runs."""

from tools.fuzzing.cli import main

main(prog_name="tools/fuzz")
