"""Rights that are not needed are gone for good, for the process and all it starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from supervisor.limits.capabilities import needed_capabilities

BIND, NICE = 10, 23

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has capabilities to give up")

STATUS = """
def sets():
    with open("/proc/self/status") as status:
        return {line[:6]: int(line[7:], 16) for line in status if line.startswith("Cap")}
"""

DROPPED = """
import subprocess, sys
before = sets()
from supervisor.limits.capabilities import drop_capabilities, held_capabilities
held = drop_capabilities()
after = sets()
kept = 1 << 2 | 1 << 10 | 1 << 23
assert held == held_capabilities() <= {2, 10, 23}, held
assert after["CapPrm"] == after["CapEff"] == before["CapPrm"] & kept, after
assert after["CapAmb"] == before["CapAmb"] & kept, after
"""


def python(program: str, *before: str) -> str:
    """Runs a program with `sets()` in a process of its own; fails if that does."""
    command = [*before, sys.executable, "-c", STATUS + program]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@as_root
def test_root_keeps_three_and_its_children_have_no_more() -> None:
    child = STATUS.strip().replace('"', "'")
    out = python(
        DROPPED
        + 'assert after["CapBnd"] == before["CapBnd"] & kept\n'
        + f'child = """{child}\nprint(sets()[\'CapPrm\'])"""\n'
        + 'out = subprocess.run([sys.executable, "-c", child], capture_output=True, check=True).stdout\n'
        + "print(int(out) & ~kept)"
    )
    assert out.split() == ["0"]


@as_root
def test_a_dropped_right_is_really_gone() -> None:
    python(
        DROPPED
        + """
import os
try:
    os.chown("/proc/self/exe", 1, 1)
    raise SystemExit("changed an owner")
except OSError as error:
    assert error.errno in (1, 30), error
try:
    os.setuid(12345)
    raise SystemExit("became another")
except PermissionError:
    pass
"""
    )


@as_root
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not here")
def test_a_plain_user_with_ambient_rights_keeps_those_it_needs_across_exec() -> None:
    caps = "+net_bind_service,+net_raw"
    setpriv = ("setpriv", "--reuid", "65534", "--clear-groups", f"--inh-caps={caps}", f"--ambient-caps={caps}")
    if subprocess.run([*setpriv, sys.executable, "-c", ""], capture_output=True, check=False).returncode != 0:
        pytest.skip("a plain user cannot start this Python, or ambient capabilities are not to be had")
    child = STATUS.strip().replace('"', "'")
    out = python(
        DROPPED
        + f'subprocess.run([sys.executable, "-c", """{child}\nprint(sets()[\'CapEff\'], sets()[\'CapAmb\'])"""])',
        *setpriv,
    )
    assert out.split() == [str(1 << 10), str(1 << 10)]


@as_root
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not here")
def test_a_plain_user_has_nothing_to_give_up() -> None:
    setpriv = ("setpriv", "--reuid", "65534", "--clear-groups")
    if subprocess.run([*setpriv, sys.executable, "-c", ""], capture_output=True, check=False).returncode != 0:
        pytest.skip("a plain user cannot start this Python")
    python(DROPPED + "assert held == frozenset()", *setpriv)


def test_twice_is_as_good_as_once() -> None:
    python(DROPPED + "assert drop_capabilities() == held")


def test_not_once_there_are_threads_for_they_would_keep_theirs() -> None:
    python(
        """
import threading
from supervisor.limits.capabilities import drop_capabilities
done = threading.Event()
thread = threading.Thread(target=done.wait)
thread.start()
before = sets()
try:
    drop_capabilities()
    raise SystemExit("dropped")
except RuntimeError:
    assert sets() == before
finally:
    done.set()
"""
    )


def test_only_a_host_that_may_limit_traffic_keeps_the_right_to() -> None:
    net_admin = 12
    least = needed_capabilities(shaping=False, power_off=False)
    assert needed_capabilities(shaping=True, power_off=False) - least == {net_admin}


def test_only_a_host_that_may_go_home_keeps_the_right_to_switch_the_machine_off() -> None:
    sys_boot = 22
    least = needed_capabilities(shaping=False, power_off=False)
    assert needed_capabilities(shaping=False, power_off=True) - least == {sys_boot}
