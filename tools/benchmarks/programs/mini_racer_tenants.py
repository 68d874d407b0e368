"""Tenants in mini-racer. Arguments: tenants FILE MIB (contract: program.py)."""

import json
import os
import sys
from pathlib import Path
from threading import Thread

from py_mini_racer import JSOOMException, MiniRacer  # type: ignore[import-not-found]  # in the cache only

SOURCE = Path(sys.argv[2]).read_text(encoding="utf-8")
LIMIT_BYTES = int(sys.argv[3]) * 2**20


def say(event: str, how: str = "", reason: str = "") -> None:
    """Writes one event, in one piece: two threads say something."""
    os.write(sys.stdout.fileno(), (json.dumps({"event": event, "how": how, "reason": reason}) + "\n").encode())


def make() -> MiniRacer:
    """Makes an isolate with its limit."""
    isolate = MiniRacer()
    isolate.set_hard_memory_limit(LIMIT_BYTES)
    isolate.eval("function hello() { return 'hello' }")
    return isolate


def ask(isolate: MiniRacer) -> None:
    """Returns when it has answered."""
    if isolate.eval("hello()") != "hello":
        sys.exit("mini-racer gave a wrong answer")


def go(isolate: MiniRacer) -> None:
    """Runs the script, until it ends."""
    try:
        isolate.eval(f"(() => {{\n{SOURCE}\n}})()")
        say("over", "returned")
    except JSOOMException as error:
        say("over", "limit", type(error).__name__)
    except Exception as error:  # noqa: BLE001  # whatever it is: that is the answer
        say("over", "exception", f"{type(error).__name__}: {error}".splitlines()[0])


def main() -> None:
    """Does what stdin says."""
    hostile, neighbour = make(), make()
    ask(hostile)
    ask(neighbour)
    kept = []
    say("ready")
    for line in sys.stdin:
        if line == "go\n":
            Thread(target=go, args=(hostile,), daemon=True).start()
        elif line == "ask\n":
            ask(neighbour)
            say("answer")
        elif line == "fresh\n":
            kept.append(make())
            ask(kept[-1])
            say("fresh")
    os._exit(0)


main()
