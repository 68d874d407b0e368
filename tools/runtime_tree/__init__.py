"""Builds `.runtime/`: Debian testing's packages unpacked, a virtual environment, and what is compiled against them.

Standard library only, and Python 3.11: this runs before anything else is there.
"""
