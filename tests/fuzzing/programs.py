"""Programs and children for the tests of the fuzzer. None of them has V8 in it."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.fuzzing.program import Program, Way

# Speaks as a child does. Programs whose main module has one of these words in it make it do that.
FAKE = """
import json, os, sys, time

def say(**what):
    print(json.dumps(what), flush=True)

say(beat=True)
for line in sys.stdin:
    if line.strip() == "quit":
        break
    parked = 0
    for program in json.load(open(line.split()[1])):
        import base64
        text = base64.b64decode(program["files"][program["main"]])
        name = program["name"]
        say(began=name)
        if b"DIE" in text:
            print("last words", file=sys.stderr, flush=True)
            os.kill(os.getpid(), 11)
        if b"HANG" in text:
            time.sleep(60)
        parked += 1000 if b"PARK" in text else 0
        wrong = [{"kind": "late", "text": "never ends", "program": name}] if b"LATE" in text else []
        if b"ONCE" in text and not os.path.exists(sys.argv[1]):
            open(sys.argv[1], "w").close()
            wrong = [{"kind": "late", "text": "slow machine", "program": name}]
        say(ended={"program": name, "reason": "exited", "parked": b"PARK" in text, "seconds": 0.1,
                   "syntax_error": False, "wrong": wrong})
    say(after={"parked": parked, "rss_mib": 1.0, "wrong": []})
"""


def fake_child(folder: Path) -> list[str]:
    """How the fake child is started."""
    return [sys.executable, "-c", FAKE, str(folder / "once")]


def script(name: str, *lines: str) -> Program:
    """A program of some lines."""
    return Program(name, Way.BOOT, "main.js", {"main.js": "\n".join(lines).encode()})
