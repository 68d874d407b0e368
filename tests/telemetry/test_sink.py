"""The sink never blocks the writer, keeps order, and survives readers that are slow or gone."""

import os
import threading

import pytest

from supervisor.telemetry import sink as sink_module
from supervisor.telemetry.sink import LineSink


def note(count: int) -> bytes:
    return b"dropped %d\n" % count


def read_all(fd: int) -> bytes:
    with open(fd, "rb") as stream:
        return stream.read()


def test_lines_come_out_in_order() -> None:
    reading, writing = os.pipe()
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(read_all(reading)))
    reader.start()
    sink = LineSink(writing, note)
    expected = [b"line %d\n" % number for number in range(10_000)]
    for line in expected:
        sink.write(line)
    sink.close()
    os.close(writing)
    reader.join()
    assert found[0] == b"".join(expected)


def test_lines_of_several_threads_stay_whole() -> None:
    reading, writing = os.pipe()
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(read_all(reading)))
    reader.start()
    sink = LineSink(writing, note)

    def write(name: bytes) -> None:
        for _ in range(500):
            sink.write(name * 100 + b"\n")

    writers = [threading.Thread(target=write, args=(name,)) for name in (b"a", b"b", b"c")]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    sink.close()
    os.close(writing)
    reader.join()
    lines = found[0].splitlines()
    assert len(lines) == 1500
    assert set(lines) == {name * 100 for name in (b"a", b"b", b"c")}


def test_a_stopped_reader_does_not_block_and_losses_are_told() -> None:
    reading, writing = os.pipe()
    sink = LineSink(writing, note)
    line = b"x" * 65_535 + b"\n"
    for _ in range(200):  # 12.5 MiB: more than the pipe and the queue can hold together
        sink.write(line)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(read_all(reading)))
    reader.start()
    sink.close()
    os.close(writing)
    reader.join()
    kept, told = found[0].count(b"x\n"), [text for text in found[0].splitlines() if text.startswith(b"dropped")]
    assert 0 < kept < 200
    assert sum(int(text.split()[1]) for text in told) == 200 - kept


def test_tenants_are_dropped_before_the_hosts_own_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink_module, "TENANTS_BYTES", 0)
    reading, writing = os.pipe()
    sink = LineSink(writing, note)
    sink.write(b"tenant\n", tenant=True)
    sink.write(b"host\n")
    sink.close()
    os.close(writing)
    text = read_all(reading)
    assert b"host\n" in text
    assert b"tenant\n" not in text
    assert b"dropped 1\n" in text


def test_a_closed_pipe_is_survived() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    sink = LineSink(writing, note)
    for number in range(1000):
        sink.write(b"line %d\n" % number)
    sink.close()
    sink.close()
    sink.write(b"after the end\n")
    os.close(writing)


def test_a_non_blocking_descriptor_gets_every_byte() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    found: list[bytes] = []
    sink = LineSink(writing, note)
    for _ in range(16):
        sink.write(b"y" * 65_535 + b"\n")
    reader = threading.Thread(target=lambda: found.append(read_all(reading)))
    reader.start()
    sink.close()
    os.close(writing)
    reader.join()
    assert len(found[0]) == 16 * 65_536


def test_close_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink_module, "CLOSE_SECONDS", 0.05)
    reading, writing = os.pipe()
    sink = LineSink(writing, note)
    sink.write(b"z" * 2**20)
    sink.close()  # nobody reads
    os.close(reading)  # lets the thread end: EPIPE
    sink._thread.join(60)
    os.close(writing)
