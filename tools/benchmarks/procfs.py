"""CPU time and memory of the processes under measurement, read from /proc.

A subject is started as the leader of a session of its own, so "its process tree" is everything in that session:
also what was re-parented, and never the load generator.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
KIB = 1024


@dataclass(frozen=True)
class ProcessStat:
    """The fields of /proc/PID/stat that are used here."""

    state: str
    session: int
    cpu_seconds: float


@dataclass(frozen=True)
class Memory:
    """Bytes. rss counts shared pages in full, pss their share, so pss is what ending the process would give back."""

    rss: int
    pss: int


def parse_stat(text: str) -> ProcessStat:
    """Reads /proc/PID/stat. The program's name may hold spaces and parentheses: fields count from the last one."""
    fields = text[text.rindex(")") + 2 :].split()
    # proc(5): the list starts with field 3 (state); session is field 6, utime 14, stime 15
    ticks = int(fields[11]) + int(fields[12])
    return ProcessStat(state=fields[0], session=int(fields[3]), cpu_seconds=ticks / TICKS_PER_SECOND)


def parse_smaps_rollup(text: str) -> Memory:
    """Reads /proc/PID/smaps_rollup. Raises KeyError where the kernel leaves a field out."""
    sizes = {}
    for line in text.splitlines()[1:]:
        name, _, rest = line.partition(":")
        sizes[name] = int(rest.split()[0]) * KIB
    return Memory(rss=sizes["Rss"], pss=sizes["Pss"])


@dataclass(frozen=True)
class Resident:
    """Bytes in memory of one process: now, and the most since the peak was last reset."""

    now: int
    peak: int


def parse_status(text: str) -> Resident | None:
    """Reads /proc/PID/status; None for a process that is over and has no memory any more."""
    sizes = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name in {"VmRSS", "VmHWM"}:
            sizes[name] = int(rest.split()[0]) * KIB
    return Resident(now=sizes["VmRSS"], peak=sizes["VmHWM"]) if len(sizes) == 2 else None


def parse_busy_seconds(text: str) -> float:
    """Returns the CPU seconds that all cores together worked since boot, out of /proc/stat."""
    fields = text.split("\n", 1)[0].split()[1:9]  # proc(5): what follows them, time of guests, is part of the first two
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(field) for field in fields)
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND


def session_processes(leader: int) -> list[int]:
    """Returns the ids of all processes in the session that `leader` leads or led, zombies left out."""
    return [pid for pid in _all_processes() if _session(pid) == leader]


def session_cpu_seconds(leader: int) -> float:
    """Returns user and system time of the session so far, without processes that have ended."""
    return sum(parse_stat(text).cpu_seconds for text in _texts(session_processes(leader), "stat"))


def thread_cpu_seconds(pid: int, name: str) -> dict[int, float]:
    """User and system time so far of the process's threads whose names begin so, by thread id."""
    found = {}
    for entry in (PROC / str(pid) / "task").iterdir():
        # Not /proc/THREAD/stat, which tells of the whole process.
        for text in _texts([f"{pid}/task/{entry.name}"], "stat"):
            if text.partition("(")[2].startswith(name):
                found[int(entry.name)] = parse_stat(text).cpu_seconds
    return found


def session_memory(leader: int) -> Memory:
    """Returns the memory of the whole session."""
    parts = [parse_smaps_rollup(text) for text in _texts(session_processes(leader), "smaps_rollup")]
    return Memory(rss=sum(part.rss for part in parts), pss=sum(part.pss for part in parts))


def resident(pid: int) -> Resident | None:
    """Returns the memory of one process, None once it is over. Cheap: it may be asked a hundred times a second."""
    return next((parse_status(text) for text in _texts([pid], "status")), None)


def reset_peak(pid: int) -> None:
    """Lets the peak of a process's memory begin anew. Raises OSError."""
    (PROC / str(pid) / "clear_refs").write_text("5", encoding="ascii")  # proc(5): 5 resets VmHWM


def give_up_first(pid: int) -> None:
    """Makes this process the one the kernel ends if memory runs out. Raises OSError."""
    (PROC / str(pid) / "oom_score_adj").write_text("1000", encoding="ascii")


def machine_busy_seconds() -> float:
    """Returns parse_busy_seconds of this machine, now."""
    return parse_busy_seconds((PROC / "stat").read_text(encoding="ascii"))


def _all_processes() -> Iterable[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())


def _session(pid: int) -> int | None:
    for text in _texts([pid], "stat"):
        stat = parse_stat(text)
        return None if stat.state == "Z" else stat.session
    return None


def _texts(pids: Iterable[int | str], name: str) -> list[str]:
    """Reads one file of each process; a process that ends meanwhile is left out."""
    texts = []
    for pid in pids:
        try:
            text = (PROC / str(pid) / name).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError, ProcessLookupError:
            continue
        if text:  # a zombie's smaps_rollup is empty
            texts.append(text)
    return texts
