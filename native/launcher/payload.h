// The runtime tree at the end of this program's own file: a zstd frame around a tar archive, and a trailer that says
// where it is. The frame carries a checksum of what is in it, which is compared when the last byte was read.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { ID_LENGTH = 32 };  // hexadecimal digits: 128 bits of the archive's SHA-256

// The last bytes of the file, as tools/build-binary writes them; little-endian like all machines that it builds for.
struct trailer {
  char magic[8];
  uint64_t offset;    // where the frame begins
  uint64_t size;      // bytes of the frame; the trailer follows it
  uint64_t unpacked;  // bytes that the tree takes on a file system with blocks of 4 KiB
  char id[ID_LENGTH];
};

struct payload;

// The trailer of the file `fd`. False, with `why`, if it has none that makes sense.
int read_trailer(int fd, struct trailer* trailer, const char** why);

// Begins to read the archive; never null. Ends the process where there is no memory.
struct payload* payload_open(int fd, const struct trailer* trailer);

// The next `size` bytes of the archive. False if they cannot be had: payload_error() says why.
int payload_read(struct payload* payload, void* data, size_t size);

// Reads what is left. Whether the frame is whole and its checksum is right.
int payload_finish(struct payload* payload);

const char* payload_error(const struct payload* payload);

void payload_close(struct payload* payload);
