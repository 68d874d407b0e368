"""What a task may use. Every limit can be None: unlimited. Attribute comments say the unit after parsing."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from supervisor.spec.model import Amount, BitsPerSecond, Bytes, Milliseconds, Settings, is_unlimited
from supervisor.spec.refused import Refused
from supervisor.spec.units import RATE, SIZE, TIME, UNLIMITED

MIB = 2**20
GIB = 2**30

# The watchdog looks at busy isolates once a millisecond; the engine counts in nanoseconds, and 2**53 of them, the most
# that a JavaScript number holds exactly, are 104 days.
DURATION = Amount(
    TIME, 1, 100 * 24 * 3_600_000, "times are kept from one millisecond, the watchdog's step, to 100 days"
)
# V8's young generation and the runtime's own objects need about 2 MiB before a program has any; above 4 GiB V8's
# collection pauses are no longer those of a small program.
HEAP = Amount(
    SIZE, 4 * MIB, 4 * GIB, "below 4 MiB the runtime itself has no room, above 4 GiB V8's pauses grow too long"
)
EXTERNAL = Amount(
    SIZE, MIB, 64 * GIB, "request and response bodies are buffers too: below 1 MiB nothing can be answered"
)
# Traffic shaping counts whole packets: below 8 kbit/s a full one of 1,500 bytes takes longer than 1.5 s.
BANDWIDTH = Amount(RATE, 8_000, 1_000_000_000_000, "below 8 kbit/s one packet takes more than a second")

QUOTA_MIN = 0.01  # the kernel's smallest quota, 1 ms, in its usual period of 100 ms
QUOTA_MAX = 1.0  # an isolate runs on one thread
COUNT_MAX = 1_000_000  # beyond the open files of any process


def _parse_quota(value: object) -> float | None:
    if is_unlimited(value):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and QUOTA_MIN <= value <= QUOTA_MAX:
        return float(value)
    raise Refused(
        "not a share of a core",
        allowed=f"a number from {QUOTA_MIN} to {QUOTA_MAX:g}, or null for unlimited",
        remedy="an isolate runs on one thread: 1.0 is all of a core, 0.25 a quarter of it",
    )


def _count(low: int, zero: str) -> PlainValidator:
    """Validates a count from `low`; `zero` says what to do instead of writing 0 or less."""

    def parse(value: object) -> int | None:
        if is_unlimited(value):
            return None
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= COUNT_MAX:
            return value
        allowed = f"a whole number from {low} to {COUNT_MAX}, or null for unlimited"
        raise Refused("not a count that can be kept", allowed=allowed, remedy=zero)

    return PlainValidator(parse)


def _parse_switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise Refused("not a yes or no", allowed="true or false", remedy="write true or false, without quotes")


def _number_schema(kind: str, low: float, high: float) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": kind, "minimum": low, "maximum": high}, {"enum": [None, UNLIMITED]}]})


type Duration = Annotated[Milliseconds | None, DURATION]
type Bandwidth = Annotated[BitsPerSecond | None, BANDWIDTH]
type Quota = Annotated[float | None, PlainValidator(_parse_quota), _number_schema("number", QUOTA_MIN, QUOTA_MAX)]
type Connections = Annotated[
    int | None,
    _count(1, "write a whole number; to make a task unreachable, leave `listen` empty"),
    _number_schema("integer", 1, COUNT_MAX),
]
type Subrequests = Annotated[
    int | None, _count(0, "write a whole number; 0 forbids fetch altogether"), _number_schema("integer", 0, COUNT_MAX)
]
type Switch = Annotated[bool, PlainValidator(_parse_switch), WithJsonSchema({"type": "boolean"})]


class CpuLimits(Settings):
    """Time that a task may take; units us, ms, s, m, h, or a plain number of milliseconds."""

    request_ms: Duration = Field(50.0, description="CPU time that each request adds to the account")
    startup_ms: Duration = Field(1000.0, description="CPU time for the main module to load and run")
    wall_ms: Duration = Field(30_000.0, description="time on the clock until a request must be answered")
    quota: Quota = Field(
        None, description="sustained share of one core, 0.01 to 1.0; null: a whole core when it is free"
    )


class MemoryLimits(Settings):
    """Memory that a task may hold; units B, KiB, MiB, GiB, kB, MB, GB, or a plain number of bytes."""

    heap: Annotated[Bytes | None, HEAP] = Field(
        64 * MIB, description="V8's heap: objects, strings, code; null: V8's own ceiling"
    )
    external: Annotated[Bytes | None, EXTERNAL] = Field(
        64 * MIB, description="ArrayBuffers, strings off the heap, WebAssembly memory"
    )


class NetLimits(Settings):
    """Traffic of a task; units bit, kbit, mbit, gbit (per second), or a plain number of bits per second."""

    egress: Bandwidth = Field(None, description="rate of what the task sends")
    ingress: Bandwidth = Field(None, description="rate of what the task receives")
    connections: Connections = Field(256, description="open connections, both ways together")
    subrequests: Subrequests = Field(50, description="fetches that one request may make; 0 forbids fetch")
    private: Switch = Field(
        default=False, description="whether fetch may reach loopback, private and link-local addresses"
    )


class Limits(Settings):
    """What a task may use."""

    cpu: CpuLimits = Field(default_factory=CpuLimits, description="processor time and time on the clock")
    mem: MemoryLimits = Field(default_factory=MemoryLimits, description="memory")
    net: NetLimits = Field(default_factory=NetLimits, description="traffic")
