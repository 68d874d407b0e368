#include "calls.h"

enum { CALL = 0xe8, JUMP = 0xe9, TWO_BYTES = 0x0f, JUMP_IF = 0x80, OPERAND = 4 };

// Bytes of the instruction's code at `piece[i]` if a distance follows it; else 0.
static size_t opcode(const uint8_t* piece, size_t size, size_t i) {
  if (piece[i] == CALL || piece[i] == JUMP) return 1;
  return piece[i] == TWO_BYTES && i + 1 < size && (piece[i + 1] & 0xf0) == JUMP_IF ? 2 : 0;
}

// The other way round of what tools/binary/calls.py says: from [-end, whole) to itself, nothing else changes.
static int64_t distance(int64_t place, int64_t end, int64_t whole) {
  if (place >= 0 && place < whole) return place - end;
  if (place < 0 && place >= -end) return place + whole;
  return place;
}

void restore_calls(uint8_t* piece, size_t size, uint64_t at, uint64_t whole) {
  size_t i = 0;
  while (i < size) {
    size_t code = opcode(piece, size, i);
    uint8_t* operand = piece + i + code;
    if (code == 0 || i + code + OPERAND > size) {
      i++;
      continue;
    }
    int32_t place = (int32_t)((uint32_t)operand[0] << 24 | (uint32_t)operand[1] << 16 | (uint32_t)operand[2] << 8 |
                              (uint32_t)operand[3]);
    i += code + OPERAND;
    uint32_t value = (uint32_t)distance(place, (int64_t)(at + i), (int64_t)whole);
    for (int byte = 0; byte < OPERAND; byte++) operand[byte] = (uint8_t)(value >> (8 * byte));
  }
}
