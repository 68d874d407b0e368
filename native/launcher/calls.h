// Calls and jumps of x86 programs, whose targets compress better by their place than by their distance.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { CALLS_PIECE = 128 * 1024 };

// Puts distances back into one piece of a program: its `size` bytes at offset `at` of a file of `whole` bytes. Pieces
// begin at multiples of CALLS_PIECE; tools/binary/calls.py made each by itself.
void restore_calls(uint8_t* piece, size_t size, uint64_t at, uint64_t whole);
