#include "payload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "say.h"

static const char MAGIC[8] = "ISOLATD1";

struct payload {
  int fd;
  uint64_t at, end;  // of what was not read yet, in the file
  ZSTD_DStream* stream;
  ZSTD_inBuffer in;
  void* space;
  size_t space_size;
  int ended;  // the frame is complete
  const char* error;
};

static int is_id(const char* text) {
  for (int i = 0; i < ID_LENGTH; i++)
    if (!strchr("0123456789abcdef", text[i]) || !text[i]) return 0;
  return 1;
}

int read_trailer(int fd, struct trailer* trailer, const char** why) {
  struct stat state;
  uint64_t length = sizeof *trailer;
  *why = "its end is missing";
  if (fstat(fd, &state) < 0 || (uint64_t)state.st_size < length) return 0;
  if (pread(fd, trailer, length, state.st_size - (off_t)length) != (ssize_t)length) return 0;
  if (memcmp(trailer->magic, MAGIC, sizeof MAGIC) != 0) return 0;
  *why = "its end is damaged";
  uint64_t whole = (uint64_t)state.st_size;
  if (trailer->offset > whole || trailer->size > whole) return 0;
  return trailer->offset + trailer->size + length == whole && is_id(trailer->id);
}

struct payload* payload_open(int fd, const struct trailer* trailer) {
  struct payload* made = calloc(1, sizeof *made);
  if (made) {
    made->fd = fd;
    made->at = trailer->offset;
    made->end = trailer->offset + trailer->size;
    made->stream = ZSTD_createDStream();
    made->space_size = ZSTD_DStreamInSize();
    made->space = malloc(made->space_size);
  }
  if (!made || !made->stream || !made->space) die(EXIT_NOWHERE, "no memory to unpack the runtime with");
  return made;
}

void payload_close(struct payload* payload) {
  ZSTD_freeDStream(payload->stream);
  free(payload->space);
  free(payload);
}

const char* payload_error(const struct payload* payload) { return payload->error; }

static int fail(struct payload* payload, const char* why) {
  payload->error = why;
  return 0;
}

// Takes more of the frame from the file.
static int fill(struct payload* payload) {
  uint64_t left = payload->end - payload->at;
  if (left == 0) return fail(payload, "it ends too early");
  size_t wanted = left < payload->space_size ? (size_t)left : payload->space_size;
  ssize_t got = pread(payload->fd, payload->space, wanted, (off_t)payload->at);
  if (got <= 0) return fail(payload, got < 0 ? strerror(errno) : "it became shorter while it was read");
  payload->at += (uint64_t)got;
  payload->in = (ZSTD_inBuffer){payload->space, (size_t)got, 0};
  return 1;
}

static int decode(struct payload* payload, ZSTD_outBuffer* out) {
  if (payload->in.pos == payload->in.size && !fill(payload)) return 0;
  size_t state = ZSTD_decompressStream(payload->stream, out, &payload->in);
  if (ZSTD_isError(state)) return fail(payload, ZSTD_getErrorName(state));
  payload->ended = state == 0;
  return 1;
}

int payload_read(struct payload* payload, void* data, size_t size) {
  ZSTD_outBuffer out = {data, size, 0};
  while (out.pos < out.size) {
    if (payload->ended) return fail(payload, "there is less in it than it says");
    if (!decode(payload, &out)) return 0;
  }
  return 1;
}

int payload_finish(struct payload* payload) {
  char rest[4096];
  while (!payload->ended) {
    ZSTD_outBuffer out = {rest, sizeof rest, 0};
    if (!decode(payload, &out)) return 0;
  }
  return 1;
}
