"""What a host started here could hold: asked of the kernel by users with and without rights."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys

import pytest

from supervisor.limits.foreseen import foreseen
from supervisor.spec.enforcement import EGRESS, LIMITS, Enforcement
from tests.functional.running import ROOT
from tests.functional.unprivileged import without_rights


def egress(number: int) -> Enforcement:
    (found,) = [each for each in foreseen(lambda _: number) if each.limit == EGRESS]
    return found


def test_each_limit_is_told_once_and_what_lacks_has_a_remedy() -> None:
    found = foreseen()
    assert [each.limit for each in found] == list(LIMITS)
    assert all(each.how or (each.problem and each.remedy) for each in found)


@pytest.mark.parametrize(("number", "problem"), [(errno.EPERM, "CAP_NET_ADMIN"), (errno.ENOENT, "sch_htb")])
def test_what_egress_lacks(number: int, problem: str) -> None:
    found = egress(number)
    assert found.how is None
    assert problem in found.problem
    assert found.remedy


def test_egress_where_nothing_lacks() -> None:
    assert "HTB" in (egress(0).how or "")


def test_a_kernel_that_does_not_answer() -> None:
    def dead(_: int) -> int:
        raise PermissionError(errno.EACCES, "no sockets")

    (found,) = [each for each in foreseen(dead) if each.limit == EGRESS]
    assert found.how is None
    assert "does not answer" in found.problem


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take rights away")
def test_the_command_says_what_a_plain_user_lacks() -> None:
    command = [*without_rights(), sys.executable, "-m", "supervisor", "version", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if "unshare" in done.stderr:
        pytest.skip(done.stderr)
    told = {each["limit"]: each for each in json.loads(done.stdout)["enforces"]}
    assert told["limits.net.egress"]["how"] is None
    assert "CAP_NET_ADMIN" in told["limits.net.egress"]["problem"]
    assert told["limits.cpu.quota"]["how"] is None
    assert "cgroup" in told["limits.cpu.quota"]["problem"]
