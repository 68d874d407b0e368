#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls.h"
#include "interpreter.h"

enum { BLOCK = 512 };

#define PLACED "x86-calls"  // the owner's name of a file with places in its calls

// One member's head in the format ustar of POSIX.1-1988, which is all that tools/build-binary writes.
struct head {
  char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2],
      user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};

struct member {
  char path[sizeof((struct head*)0)->prefix + 1 + sizeof((struct head*)0)->name + 1];
  uint64_t size;
  mode_t mode;
  char type;
  int placed;
};

static uint64_t octal(const char* text, size_t length) {
  uint64_t value = 0;
  for (size_t i = 0; i < length && text[i] >= '0' && text[i] <= '7'; i++) value = value * 8 + (uint64_t)(text[i] - '0');
  return value;
}

// Whether a path stays below the folder. The archive is our own, but its checksum is known only when it is read.
static int is_below(const char* path) {
  if (*path == '/' || *path == '\0') return 0;
  for (const char* part = path; part; part = strchr(part, '/')) {
    part += *part == '/';
    if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0')) return 0;
  }
  return 1;
}

static int parse(const struct head* head, struct member* member) {
  if (memcmp(head->magic, "ustar", 6) != 0) return 0;
  size_t used = strnlen(head->prefix, sizeof head->prefix), length = strnlen(head->name, sizeof head->name);
  memcpy(member->path, head->prefix, used);
  if (used) member->path[used++] = '/';
  memcpy(member->path + used, head->name, length);
  member->path[used + length] = '\0';
  member->size = octal(head->size, sizeof head->size);
  member->mode = (mode_t)octal(head->mode, sizeof head->mode) & 0777;
  member->type = head->type;
  member->placed = strncmp(head->user, PLACED, sizeof head->user) == 0;
  return is_below(member->path);
}

static enum unpacked broken(void) { return errno == ENOSPC || errno == EDQUOT ? NO_ROOM : FAILED; }

static int write_all(int fd, const uint8_t* data, size_t size) {
  while (size > 0) {
    ssize_t done = write(fd, data, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return 0;
    data += done;
    size -= (size_t)done;
  }
  return 1;
}

static enum unpacked copy(struct payload* payload, int fd, const struct member* member) {
  static uint8_t space[CALLS_PIECE];
  for (uint64_t at = 0; at < member->size;) {
    uint64_t left = member->size - at;
    size_t wanted = left < sizeof space ? (size_t)left : sizeof space;
    if (!payload_read(payload, space, wanted)) return DAMAGED;
    if (member->placed) restore_calls(space, wanted, at, member->size);
    if (!write_all(fd, space, wanted)) return broken();
    at += wanted;
  }
  return UNPACKED;
}

static enum unpacked unpack_file(struct payload* payload, int at, const char* folder, const struct member* member) {
  int fd = openat(at, member->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, member->mode | S_IWUSR);
  if (fd < 0) return broken();
  enum unpacked result = copy(payload, fd, member);
  if (result == UNPACKED && member->mode & S_IXUSR && !point_to_own_loader(fd, folder)) result = broken();
  if (close(fd) < 0 && result == UNPACKED) result = broken();
  char padding[BLOCK];
  size_t odd = member->size % BLOCK;
  if (result == UNPACKED && odd && !payload_read(payload, padding, BLOCK - odd)) result = DAMAGED;
  return result;
}

static enum unpacked unpack_member(struct payload* payload, int at, const char* folder, const struct member* member) {
  if (member->type == '5') return mkdirat(at, member->path, member->mode) == 0 ? UNPACKED : broken();
  return unpack_file(payload, at, folder, member);
}

static enum unpacked unpack_all(struct payload* payload, int at, const char* folder, const char** why) {
  struct head head;
  struct member member;
  while (payload_read(payload, &head, sizeof head)) {
    if (head.name[0] == '\0') return payload_finish(payload) ? UNPACKED : DAMAGED;
    *why = "it holds something unknown";
    if (!parse(&head, &member) || (member.type != '0' && member.type != '5')) return DAMAGED;
    *why = NULL;
    enum unpacked result = unpack_member(payload, at, folder, &member);
    if (result != UNPACKED) return result;
  }
  return DAMAGED;
}

enum unpacked unpack(struct payload* payload, int at, const char* folder, const char** why) {
  _Static_assert(sizeof(struct head) == BLOCK, "as POSIX has it");
  *why = NULL;
  mode_t before = umask(022);
  enum unpacked result = unpack_all(payload, at, folder, why);
  umask(before);
  if (result == DAMAGED && !*why) *why = payload_error(payload);
  return result;
}
