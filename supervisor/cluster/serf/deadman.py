"""A dead man's switch between the host and its agent: the agent lives only while the host's loop turns.

Runs alone, with the standard library only: `python -I -S deadman.py BEATS PATIENCE_S COMMAND...`. BEATS is the read end
of a pipe into which the loop's thread of the host writes now and then. The agent is killed when nothing came for
PATIENCE_S seconds (the loop hangs, whatever holds it, or the whole host is stopped), when the pipe's other end is
closed (the host is gone, however it went), and by the kernel when this process is killed. A process of its own,
because nothing inside of one that is stopped could do it.

Exit code: the agent's own, or one of the two below.
"""

import os
import select
import signal
import sys
import time

HOST_SILENT = 190
HOST_GONE = 191
NOT_STARTED = 192
SIGNALLED = 128  # added to the number of the signal that ended the agent, as shells do
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def start(command: list[str], beats: int) -> int:
    """Starts the agent; its id. The kernel kills it when this process dies."""
    parent = os.getpid()
    pid = os.fork()
    if pid != 0:
        return pid
    try:
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0)
        os.close(beats)
        # It may have died before the kernel was asked.
        if os.getppid() == parent:
            os.execv(command[0], command)
    except OSError as error:
        os.write(1, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(NOT_STARTED)


def watch(pid: int, beats: int, patience_s: float) -> int:
    """Returns the exit code once the agent has ended, by itself or because the host is not well."""
    ended = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(beats, select.POLLIN)
    deadline = time.monotonic() + patience_s
    while True:
        ready = {fd for fd, _ in poll.poll(max(0.0, deadline - time.monotonic()) * 1000)}
        if ended in ready:
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            return code if code >= 0 else SIGNALLED - code
        if beats not in ready:
            return kill(pid, HOST_SILENT)
        if not os.read(beats, 4096):
            return kill(pid, HOST_GONE)
        deadline = time.monotonic() + patience_s


def kill(pid: int, code: int) -> int:
    """Ends the agent; `code`."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return code


def main() -> int:
    """Starts and watches."""
    beats, patience_s, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    return watch(start(command, beats), beats, patience_s)


if __name__ == "__main__":
    sys.exit(main())
