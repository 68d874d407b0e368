"""What is left of the first process after a hand-over: its id, for whoever started it and watches it.

Runs alone, with the standard library only, in the place of a host that adopted the orphans of its descendants:
`python -I -S waiter.py READ WRITE ANNOUNCED ANNOUNCE PID...`, with the signals below blocked. READ and WRITE are the
ends of a pipe that holds the numbers of signals that came while the host turned into this; ANNOUNCED and ANNOUNCE
those of one into which each new host writes its id when it becomes that; PIDs are hosts known already, oldest first.

Signals go to the newest host. Ends when no child is left, with the exit code of the newest host.
"""

import os
import select
import signal
import sys
from collections.abc import Iterable
from types import FrameType

RELAYED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2)
HEARD = (*RELAYED, signal.SIGCHLD)
SIGNALLED = 128  # added to the number of the signal that ended a host, as shells do
PID = 4  # bytes of an announced id, big end first
UNANNOUNCED_MS = 15_000  # a host that was told to take over announces itself within COMMIT_S of its predecessor


class Hosts:
    """Who was the host, in order. Their ids stay theirs until reap(): their parents do not wait for them."""

    def __init__(self, announced: int, announce: int, known: Iterable[int] = ()) -> None:
        self.announced = announced
        self.announce = announce
        self.known = list(known)
        self.codes: dict[int, int] = {}
        os.set_blocking(announced, False)

    def refresh(self) -> None:
        """Learns of new ones."""
        while True:
            try:
                data = os.read(self.announced, PID)
            except BlockingIOError:
                return
            self.known.append(int.from_bytes(data))

    def relay(self, number: int) -> None:
        """Sends a signal to the newest, if that has not ended."""
        self.refresh()
        if self.known and self.known[-1] not in self.codes:
            try:
                os.kill(self.known[-1], number)
            except ProcessLookupError:
                pass  # somebody else waited for it

    def reap(self) -> bool:
        """Notes the codes of children that ended; whether there are others."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            code = os.waitstatus_to_exitcode(status)
            self.codes[pid] = code if code >= 0 else SIGNALLED - code

    @property
    def newest_ended(self) -> bool:
        """Whether nobody is known to be the host now."""
        return bool(self.known) and self.known[-1] in self.codes

    @property
    def code(self) -> int:
        """The exit code of the newest that ended."""
        codes = [self.codes[pid] for pid in self.known if pid in self.codes]
        return codes[-1] if codes else max(self.codes.values(), default=0)


def wait_for_hosts(read_end: int, write_end: int, hosts: Hosts) -> int:
    """Relays signals until the last host has ended; returns its exit code. Main thread of any process."""
    for end in (read_end, write_end):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    for each in HEARD:
        signal.signal(each, heard)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
    poll = select.poll()
    poll.register(read_end, select.POLLIN)
    poll.register(hosts.announced, select.POLLIN)
    while True:
        for number in read_some(read_end):
            if number in RELAYED:
                hosts.relay(number)
        others = hosts.reap()
        hosts.refresh()
        if not others:
            return hosts.code
        # What a dead host left behind does not count, but it may be a new host that was about to say so.
        if not poll.poll(UNANNOUNCED_MS if hosts.newest_ended else None) and hosts.newest_ended:
            return hosts.code


def heard(number: int, frame: FrameType | None) -> None:
    """Nothing: that it came is in the pipe."""


def read_some(read_end: int) -> bytes:
    """What is in a pipe now."""
    try:
        return os.read(read_end, 4096)
    except BlockingIOError:
        return b""


def main() -> int:
    """Keeps only the pipes and the standard descriptors, and waits."""
    read_end, write_end, announced, announce, *known = map(int, sys.argv[1:])
    before = 2
    for kept in sorted({read_end, write_end, announced, announce}):
        os.closerange(before + 1, kept)
        before = kept
    os.closerange(before + 1, 2**31 - 1)
    return wait_for_hosts(read_end, write_end, Hosts(announced, announce, known))


if __name__ == "__main__":
    sys.exit(main())
