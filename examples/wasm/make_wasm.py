#!/usr/bin/env python3
"""Writes add.wasm, which is add.wat in binary form, for machines that have no assembler for WebAssembly."""

from pathlib import Path

I32, FUNCTION, END = 0x7F, 0x60, 0x0B  # of the WebAssembly core specification, chapter 5


def sized(data: bytes) -> bytes:
    """The bytes with their count before them, which has to fit seven bits here."""
    assert len(data) < 128
    return bytes([len(data)]) + data


def vector(*items: bytes) -> bytes:
    return bytes([len(items)]) + b"".join(items)


def section(number: int, content: bytes) -> bytes:
    return bytes([number]) + sized(content)


def function(locals_: bytes, *code: int) -> bytes:
    return sized(locals_ + bytes([*code, END]))


def export(name: str, kind: int, index: int) -> bytes:
    return sized(name.encode()) + bytes([kind, index])


GET, SET, ADD, SUB, CONST, LOAD, EQZ = 0x20, 0x21, 0x6A, 0x6B, 0x41, 0x28, 0x45
BLOCK, LOOP, BR, BR_IF, NOTHING = 0x02, 0x03, 0x0C, 0x0D, 0x40
AT, COUNT, TOTAL = 0, 1, 2

ADD_CODE = function(vector(), GET, 0, GET, 1, ADD)
SUM_CODE = function(
    vector(bytes([1, I32])),
    *(BLOCK, NOTHING, LOOP, NOTHING),
    *(GET, COUNT, EQZ, BR_IF, 1),
    *(GET, TOTAL, GET, AT, LOAD, 2, 0, ADD, SET, TOTAL),
    *(GET, AT, CONST, 4, ADD, SET, AT),
    *(GET, COUNT, CONST, 1, SUB, SET, COUNT),
    *(BR, 0, END, END),
    *(GET, TOTAL),
)

MODULE = (
    b"\0asm\1\0\0\0"
    + section(1, vector(bytes([FUNCTION, 2, I32, I32, 1, I32])))  # both functions: (i32, i32) -> i32
    + section(3, vector(b"\0", b"\0"))
    + section(5, vector(bytes([1, 1, 16])))  # memory: one page of 64 KiB, at most 16
    + section(7, vector(export("add", 0, 0), export("sum", 0, 1), export("memory", 2, 0)))
    + section(10, vector(ADD_CODE, SUM_CODE))
)

if __name__ == "__main__":
    Path(__file__).with_name("add.wasm").write_bytes(MODULE)
