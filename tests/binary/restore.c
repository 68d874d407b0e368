// Turns a file back that tools/binary/calls.py changed: from standard input to standard output.
#include <stdio.h>
#include <stdlib.h>

#include "../../native/launcher/calls.h"

int main(void) {
  size_t room = 64u << 20, size;
  unsigned char* all = malloc(room);
  size = fread(all, 1, room, stdin);
  for (size_t at = 0; at < size; at += CALLS_PIECE)
    restore_calls(all + at, size - at < CALLS_PIECE ? size - at : CALLS_PIECE, at, size);
  return fwrite(all, 1, size, stdout) != size;
}
