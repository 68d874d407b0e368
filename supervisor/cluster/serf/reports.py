"""What is wrong now, told once when it begins and once when it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from supervisor.errors import IsolatedError

# Level ('debug' to 'error'), what happened, details. Any text in it is fit for a log.
type Tell = Callable[[str, str, Mapping[str, Any]], object]


class Reports:
    """Problems by subject."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._problems: dict[str, str] = {}

    @property
    def problem(self) -> str | None:
        """All of them; None: there is none."""
        return "\n".join(self._problems.values()) or None

    def wrong(self, subject: str, error: IsolatedError) -> None:
        """It is told unless it is what was wrong before."""
        words = str(error)
        if self._problems.get(subject) != words:
            self._problems[subject] = words
            self._tell("warning", f"cluster: {error.message}", {"remedy": error.remedy} if error.remedy else {})

    def right(self, subject: str) -> None:
        """Nothing is wrong with it any more."""
        if self._problems.pop(subject, None) is not None:
            self._tell("info", f"cluster: {subject} is well again", {})

    def note(self, level: str, event: str, **details: Any) -> None:
        """Something that happened."""
        self._tell(level, f"cluster: {event}", details)
