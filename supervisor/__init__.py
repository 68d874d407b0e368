"""A host for many small JavaScript programs, each in a V8 isolate of its own."""

__version__ = "0.1.0"
