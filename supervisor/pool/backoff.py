"""How long a task that fails again and again has to wait: pure, time is a parameter."""

from __future__ import annotations

from dataclasses import dataclass, replace

# The first failure restarts at once with the next request: most are single bad requests. Then 0.5 s, doubled each time.
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 60.0
# A task that lived for so long is taken to be well again.
HEALTHY_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """Failures in a row, and until when the task may not start (seconds of the caller's clock)."""

    failures: int = 0
    until: float = 0.0

    def after_failure(self, *, now: float, lived_s: float) -> Backoff:
        """Returns what follows from a failure at `now` of an isolate that lived `lived_s` seconds after its boot."""
        failures = 1 if lived_s >= HEALTHY_AFTER_S else self.failures + 1
        return replace(self, failures=failures, until=now + delay_s(failures))

    def wait_s(self, now: float) -> float:
        """Returns the seconds until the task may start; 0 if it may."""
        return max(0.0, self.until - now)


def delay_s(failures: int) -> float:
    """Returns the delay in seconds after so many failures in a row."""
    if failures <= 1:
        return 0.0
    # 2**1000 is a float still; more doublings than that need no number
    return min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(failures - 2, 1000))
