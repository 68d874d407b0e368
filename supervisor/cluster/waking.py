"""When a spare host is started: no host has had room for ten seconds.

The newest host does it, for everybody. One spare at a time is started once, and has five minutes to join; one that
did not waits twice as long before it is tried again, up to an hour, while the next of the list gets its turn; at once
if the one before could not even be told to start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from supervisor.cluster.rules import Rules
from supervisor.cluster.view import View, is_up


@dataclass(slots=True)
class _Attempt:
    at: float
    failures: int = 0  # in a row
    is_over: bool = False  # it will not come of this one


class Spares:
    """What one host knows of the hosts that it may start: ids, in the order of the settings."""

    def __init__(self, spares: Sequence[str], rules: Rules) -> None:
        self._spares = spares
        self._rules = rules
        self._attempts: dict[str, _Attempt] = {}
        self._none_since: float | None = None

    def choose(self, view: View, me: str, now: float) -> str | None:
        """The spare to start now, which is noted; None: none. To be called every few seconds."""
        self._forget_joined(view)
        if not self._is_short(view, now) or not view.up or view.up[0].id != me:
            return None
        attempts = self._attempts.values()
        if any(not attempt.is_over and now - attempt.at < self._rules.wake_s for attempt in attempts):
            return None
        asleep = [spare for spare in self._spares if not view.is_alive(spare) and self._may_try(spare, now)]
        # Who failed least comes first; sorting keeps the order of the settings otherwise.
        asleep.sort(key=lambda spare: self._attempts[spare].failures if spare in self._attempts else -1)
        if not asleep:
            return None
        before = self._attempts.get(asleep[0])
        self._attempts[asleep[0]] = _Attempt(now, 0 if before is None else before.failures + 1)
        return asleep[0]

    def failed(self, spare: str) -> None:
        """It could not be told to start: nobody has to wait for it."""
        if spare in self._attempts:
            self._attempts[spare].is_over = True

    def _is_short(self, view: View, now: float) -> bool:
        if view.with_room:
            self._none_since = None
        elif self._none_since is None:
            self._none_since = now
        return self._none_since is not None and now - self._none_since >= self._rules.no_room_s

    def _may_try(self, spare: str, now: float) -> bool:
        attempt = self._attempts.get(spare)
        if attempt is None:
            return True
        wait_s = min(self._rules.wake_s * 2.0 ** (attempt.failures + 1), self._rules.wake_most_s)
        return now - attempt.at >= wait_s

    def _forget_joined(self, view: View) -> None:
        joined = [spare for spare in self._attempts if (member := view.get(spare)) is not None and is_up(member)]
        for spare in joined:
            del self._attempts[spare]
            self._none_since = None  # its room is heard of a little later
