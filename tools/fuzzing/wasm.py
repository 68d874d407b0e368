"""WebAssembly modules as JavaScript expressions: small ones that are sound, and damaged ones."""

from __future__ import annotations

from random import Random

HEAD = b"\0asm\1\0\0\0"
_TYPE_AND_FUNCTION = "01 04 01 60 00 00  03 02 01 00"
_EXPORT_F = "07 05 01 01 66 00 00"
# (memory (export "m") 1) (func (export "f") (drop (memory.grow (i32.const 1000))))
_GROW = bytes.fromhex(
    f"{_TYPE_AND_FUNCTION} 05 03 01 00 01 07 09 02 01 6d 02 00 01 66 00 00 0a 0a 01 08 00 41 e8 07 40 00 1a 0b"
)
# (func (export "f") (loop (br 0)))
_LOOP = bytes.fromhex(f"{_TYPE_AND_FUNCTION} {_EXPORT_F} 0a 09 01 07 00 03 40 0c 00 0b 0b")
# (func (export "f") (call 0))
_RECURSE = bytes.fromhex(f"{_TYPE_AND_FUNCTION} {_EXPORT_F} 0a 06 01 04 00 10 00 0b")
# (func (export "f") (unreachable))
_TRAP = bytes.fromhex(f"{_TYPE_AND_FUNCTION} {_EXPORT_F} 0a 05 01 03 00 00 0b")
# (table (export "t") 10 funcref) (memory (export "m") 1 65536)
_TABLE = bytes.fromhex("04 04 01 70 00 0a  05 06 01 01 01 80 80 04  07 09 02 01 74 01 00 01 6d 02 00")
# (import "a" "b" (func)) (start 0)
_START = bytes.fromhex("01 04 01 60 00 00  02 07 01 01 61 01 62 00 00  08 01 00")
SOUND = (b"", _GROW, _LOOP, _RECURSE, _TABLE, _TRAP, _START)


def module(random: Random) -> bytes:
    """A module; every other one is damaged."""
    data = HEAD + random.choice(SOUND)
    return damaged(random, data) if random.random() < 0.5 else data


def damaged(random: Random, data: bytes) -> bytes:
    """The same with a few bytes changed, cut, doubled or followed by chance."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(changed) + 1)
        new = (
            bytes([random.randrange(256)]),
            b"\xff\xff\xff\xff\x0f",  # the largest number of 32 bits
            random.randbytes(random.randint(1, 9)),
            bytes(changed[:at]),
        )
        changed[at : at + random.choice((0, 1, 1, 5))] = random.choice(new)
    return bytes(changed)


def expression(random: Random) -> str:
    """Something that compiles, checks or runs a module."""
    data = f"new Uint8Array([{','.join(map(str, module(random)))}])"
    imports = random.choice(("{}", "{a:{b(){throw 1}}}", "{a:{b(){v0.f()}}}", "new Proxy({},{get(){return {}}})", "v1"))
    module_ = f"new WebAssembly.Module({data})"
    instance = f"new WebAssembly.Instance({module_}, {imports})"
    forms = (
        module_,
        f"(e=>{{for(const k in e)v0=typeof e[k]==='function'?e[k]():e[k]}})({instance}.exports)",
        f"WebAssembly.instantiate({data}, {imports}).then(({{instance}})=>instance.exports.f(),()=>{{}})",
        f"WebAssembly.compile({data}).catch(()=>{{}})",
        f"WebAssembly.validate({data})",
        f"structuredClone({module_})",
        f"(v0={instance}.exports).f()",
    )
    return random.choice(forms)
