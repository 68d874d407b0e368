"""Isolates in mini-racer: V8 without any Web API. Arguments: starts COUNT | idle COUNT (contract: program.py)."""

import json
import sys
import time

from py_mini_racer import MiniRacer  # type: ignore[import-not-found]  # in the cache only, on PYTHONPATH

SOURCE = "function hello() { return 'hello' } hello()"


def first_answer() -> MiniRacer:
    """Makes an isolate and returns it after its first answer."""
    isolate = MiniRacer()
    if isolate.eval(SOURCE) != "hello":
        sys.exit("mini-racer gave a wrong answer")
    return isolate


def prime(count: int) -> None:
    """Lets isolates come and go unmeasured: what only the first of a process pay is no property of an isolate."""
    for _ in range(count):
        first_answer().close()


def starts(count: int) -> None:
    """Times isolates one after another, each closed before the next."""
    prime(3)
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        isolate = first_answer()
        times.append((time.perf_counter() - begin) * 1e3)
        isolate.close()
    print(json.dumps({"cold": times}), flush=True)


def idle(count: int) -> None:
    """Holds isolates until stdin ends."""
    prime(1)
    begin = time.perf_counter()
    isolates = [first_answer() for _ in range(count)]
    print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)
    sys.stdin.read()
    del isolates


{"starts": starts, "idle": idle}[sys.argv[1]](int(sys.argv[2]))
