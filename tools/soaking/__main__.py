"""`python -m tools.soaking`: what tools/soak runs."""

from tools.soaking.cli import main

main(prog_name="tools/soak")
