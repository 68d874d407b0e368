"""The one exception that parsers of single values raise."""

from __future__ import annotations


class Refused(ValueError):
    """A value that cannot be taken: what is wrong with it, what is allowed, what to write instead."""

    def __init__(self, message: str, *, allowed: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.allowed = allowed
        self.remedy = remedy
