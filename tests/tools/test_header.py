"""What cffi is given of native/include/isolated.h."""

from __future__ import annotations

import pytest
from cffi import FFI

from supervisor.engine.build_native import HEADER, declarations


def test_the_whole_header_is_understood_by_cffi() -> None:
    ffi = FFI()
    ffi.cdef(declarations(HEADER.read_text(encoding="utf-8")))
    assert ffi.sizeof("struct isolated_boot_options") > 0


def test_parts_that_are_not_for_cffi_are_left_out() -> None:
    hidden = "#ifndef ISOLATED_CFFI\n#include <x.h>\nextern {\n#ifdef __cplusplus\n}\n#endif\n#endif\n"
    text = f"#ifndef GUARD\n{hidden}int f(void);\n#endif\n"
    assert declarations(text) == "int f(void);\n"


@pytest.mark.parametrize("text", ["#endif\n", "#ifndef A\n"])
def test_unbalanced_conditionals_are_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"#endif|not closed"):
        declarations(text)
