"""A token bucket: how much may come in now, and when more may. Pure: time is a parameter.

Units: bytes, seconds; limits are bits per second, as settings have them.
"""

from __future__ import annotations

# A late timer or a busy loop costs no throughput below this: what was not taken for so long may be taken at once.
BURST_S = 0.1
BURST_MIN = 4096  # a request's head with its cookies, at once also where the limit is low

# What one connection may take in its turn: short for others to wait, large enough for reads to be few.
TURN_S = 0.01
TURN_MIN = 1024
TURN_MAX = 65_536


class Bucket:
    """What is granted is never more than rate * time + burst."""

    __slots__ = ("_level", "_then", "burst", "rate", "turn")

    def __init__(self, bits_per_s: float, now: float) -> None:
        """Full."""
        self._then = now
        self._level = 0.0
        self._set(bits_per_s)
        self._level = self.burst

    def _set(self, bits_per_s: float) -> None:
        self.rate = bits_per_s / 8
        self.burst = max(BURST_MIN, self.rate * BURST_S)
        self.turn = int(min(TURN_MAX, max(TURN_MIN, self.rate * TURN_S)))

    def change(self, bits_per_s: float, now: float) -> None:
        """Another rate from now on."""
        level = self.level(now)
        self._set(bits_per_s)
        self._level = min(level, self.burst)

    def level(self, now: float) -> float:
        """What may be taken now; below 0: so much more was taken than there was."""
        if now > self._then:
            self._level = min(self.burst, self._level + (now - self._then) * self.rate)
            self._then = now
        return self._level

    def take(self, size: int, now: float) -> float:
        """Takes it, and returns the level after that."""
        self._level = self.level(now) - size
        return self._level

    def wait_s(self, size: float, now: float) -> float:
        """Until so much may be taken, if nobody takes anything; `size` is the burst at most."""
        return max(0.0, (size - self.level(now)) / self.rate)
