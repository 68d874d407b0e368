"""Lets `python -m supervisor` do what `isolated` does."""

from supervisor.cli import main

if __name__ == "__main__":
    main()
