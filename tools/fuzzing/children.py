"""The parent's side of a child: starts it, gives it batches, and tells whether it died, hung or is well."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.fuzzing.ended import After, Ended, Kind, Wrong, after_of, ended_of
from tools.fuzzing.limits import GRACE_S, SILENCE_S, WALL_S
from tools.fuzzing.program import Program

ROOT = Path(__file__).parent.parent.parent
START_S = 30.0  # until its first word, on a machine that is busy
EACH_S = 3 * (WALL_S + GRACE_S)  # for one program, however slow the machine
STACKS_S = 60.0
LAST_BYTES = 20_000  # of its stderr, in a finding


def command(at_once: int) -> list[str]:
    """How the real child is started."""
    return [sys.executable, "-m", "tools.fuzzing.child", str(at_once)]


@dataclass
class Result:
    """What became of a batch. Without `after`, the child is not usable any more."""

    ended: list[Ended] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)
    after: After | None = None
    stderr: str = ""


class Child:
    """A running child. Always close()d."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fuzz-child-"))
        self._errors = self.folder / "stderr"
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                argv,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(os.environ, TMPDIR=str(self.folder)),
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)
        self._rest = b""
        self._patience_s = START_S

    def run(self, programs: Sequence[Program]) -> Result:
        """Lets a batch loose and returns when all of it is over, or the child is."""
        batch = self.folder / "batch.json"
        batch.write_text(json.dumps([program.document() for program in programs]))
        result, running = Result(), list[str]()
        until = time.monotonic() + START_S + EACH_S * len(programs)
        try:
            self._stdin.write(f"run {batch}\n".encode())
            self._stdin.flush()
            for line in self._lines(until):
                _note(line, result, running)
                if result.after is not None:
                    break
            else:
                result.wrong.append(Wrong(Kind.DEATH, self._death(), _only(running)))
        except BrokenPipeError:
            result.wrong.append(Wrong(Kind.DEATH, self._death(), _only(running)))
        except TimeoutError as late:
            result.stderr = self.stacks()
            result.wrong.append(Wrong(Kind.HANG, str(late), _only(running)))
        result.stderr += self._errors.read_bytes()[-LAST_BYTES:].decode(errors="replace")
        return result

    def _lines(self, until: float) -> Iterator[dict[str, Any]]:
        """What it says, until it has died. TimeoutError if it is silent, or talks for too long."""
        while True:
            while b"\n" in self._rest:
                line, _, self._rest = self._rest.partition(b"\n")
                self._patience_s = SILENCE_S
                yield json.loads(line)
            if time.monotonic() > until:
                raise TimeoutError("the batch did not end")
            if not self._selector.select(self._patience_s):
                raise TimeoutError(f"the loop stood still for {self._patience_s:g} s")
            data = os.read(self._stdout.fileno(), 2**16)
            if not data:
                return
            self._rest += data

    def _death(self) -> str:
        try:
            code = self.process.wait(SILENCE_S)
        except subprocess.TimeoutExpired:
            return "it closed its output"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def stacks(self) -> str:
        """The stacks of its threads, if there is a debugger."""
        gdb = shutil.which("gdb")
        if gdb is None or self.process.poll() is not None:
            return ""
        argv = [gdb, "--batch", "-p", str(self.process.pid), "-ex", "thread apply all backtrace 30"]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=STACKS_S, check=False, errors="replace")
        except subprocess.TimeoutExpired:
            return "gdb did not end\n"
        return done.stdout

    def close(self) -> bool:
        """Ends it; returns whether it went in good order."""
        try:
            self._stdin.write(b"quit\n")
            self._stdin.close()
            code = self.process.wait(SILENCE_S)
        except BrokenPipeError, subprocess.TimeoutExpired:
            code = -1
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._selector.close()
        self._stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return code == 0


def _note(line: dict[str, Any], result: Result, running: list[str]) -> None:
    if "began" in line:
        running.append(line["began"])
    elif "ended" in line:
        ended = ended_of(line["ended"])
        running.remove(ended.program)
        result.ended.append(ended)
        result.wrong += ended.wrong
    elif "after" in line:
        result.after = after_of(line["after"])
        result.wrong += result.after.wrong


def _only(running: Sequence[str]) -> str:
    return running[0] if len(running) == 1 else ""
