"""Figures of this process come from the kernel."""

from __future__ import annotations

import mmap
import resource

from supervisor.limits.process import read_process

MIB = 2**20


def test_memory_that_is_used_is_counted() -> None:
    before = read_process()
    with mmap.mmap(-1, 64 * MIB) as memory:
        for at in range(0, len(memory), mmap.PAGESIZE):
            memory[at] = 1
        during = read_process()
    assert during.rss - before.rss > 60 * MIB
    assert during.rss <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + MIB


def test_mappings_are_counted_and_have_a_limit() -> None:
    before = read_process()
    # Readable and not in turn: the kernel cannot merge neighbours.
    pieces = [mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | (mmap.PROT_WRITE * (i % 2))) for i in range(100)]
    during = read_process()
    assert during.mappings - before.mappings > 50
    assert during.mappings < during.mappings_limit
    for piece in pieces:
        piece.close()
