"""How much a program may use, and how long it is waited for. Seconds."""

from __future__ import annotations

LIMITS = {"cpu": {"request": "50ms", "startup": "200ms", "wall": "2s"}, "mem": {"heap": "16MiB", "external": "16MiB"}}
WALL_S = 2.0
# After its limit a program has so long to be over; what is later is a finding.
GRACE_S = 2.0
# A program that goes on within its limits is ended after so long.
LIFE_S = 0.25
# The neighbour, and the child's loop, may be silent so long.
SILENCE_S = 10.0
BEAT_S = 1.0
# Bytes that a client takes of a body that may be endless.
BODY_TAKEN = 2**19
# A batch: few enough to be made small quickly, enough that looking after each costs nothing.
BATCH = 32
# What a child may have lost before another takes its place.
MOST_PARKED = 100
MOST_RSS_MIB = 4096
