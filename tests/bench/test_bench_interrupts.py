"""Ctrl-C and SIGTERM while something is measured."""

from __future__ import annotations

import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from tools.benchmarks import procfs
from tools.benchmarks.children import Launch, started
from tools.benchmarks.interrupts import interrupts_wait, sigterm_unwinds


def test_sigterm_unwinds_within_the_block_only() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), sigterm_unwinds():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_of_the_block_strikes_at_its_end(number: signal.Signals) -> None:
    done = False

    def begin() -> None:
        nonlocal done
        with interrupts_wait():
            signal.raise_signal(number)
            done = True

    before = signal.getsignal(number)
    with sigterm_unwinds(), pytest.raises(KeyboardInterrupt):
        begin()
    assert done
    assert signal.getsignal(number) is before


def test_other_threads_are_not_concerned() -> None:
    errors: list[BaseException] = []

    def block() -> None:
        try:
            with interrupts_wait():
                pass
        except ValueError as error:  # of signal.signal()
            errors.append(error)

    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    assert errors == []


def test_a_program_that_is_interrupted_while_it_starts_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaders: list[int] = []
    popen = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> Any:
        process = popen(*arguments, **options)
        leaders.append(process.pid)
        signal.raise_signal(signal.SIGINT)
        return process

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with pytest.raises(KeyboardInterrupt), started(Launch(("sleep", "60"), tmp_path)):
        pass
    assert procfs.session_processes(leaders[0]) == []
