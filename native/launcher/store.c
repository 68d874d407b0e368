#define _GNU_SOURCE
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "remove.h"
#include "say.h"
#include "unpack.h"

#define LOCK ".unpack.lock"
#define FILES "FILES"  // the archive's last file: a line "SIZE PATH" for each of the others, and "end"
#define PARTIAL ".partial"
#define REMOVED ".removed"

enum { NAME_ROOM = ID_LENGTH + 16, TRIES = 5, PAUSE_MS = 20, PATIENCE_MS = 5000, FIRST_FREE_FD = 3 };

// In use.

static int same_file(int fd, int at, const char* name) {
  struct stat ours, named;
  if (fstat(fd, &ours) < 0 || fstatat(at, name, &named, AT_SYMLINK_NOFOLLOW) < 0) return 0;
  return ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

static int is_private(int fd) {
  struct stat state;
  return fstat(fd, &state) == 0 && state.st_uid == geteuid() && !(state.st_mode & 077);
}

// Whether each file is there in its length: disks that lost their power and those who clean /tmp take single ones.
static int is_whole(int folder) {
  char line[PATH_MAX + 32];
  int fd = openat(folder, FILES, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  FILE* list = fd < 0 ? NULL : fdopen(fd, "r");
  int whole = 0, missing = 0;
  while (list && !whole && !missing && fgets(line, sizeof line, list)) {
    char* path;
    struct stat state;
    line[strcspn(line, "\n")] = '\0';
    whole = strcmp(line, "end") == 0;
    if (whole) continue;
    long long size = strtoll(line, &path, 10);
    missing = *path != ' ' || fstatat(folder, path + 1, &state, AT_SYMLINK_NOFOLLOW) < 0 || state.st_size != size;
  }
  if (list) fclose(list);
  return whole;
}

// One try. -1: not there; -2: it was deleted or replaced meanwhile.
static int try_to_use(const struct base* base, const char* id) {
  int opened = openat(base->fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (opened < 0) return -1;
  int fd = fcntl(opened, F_DUPFD, FIRST_FREE_FD);  // without O_CLOEXEC: the program keeps it, and with it the lock
  close(opened);
  if (fd < 0) return -1;
  int result = fd;
  if (!is_private(fd) || flock(fd, LOCK_SH | LOCK_NB) < 0)
    result = -1;
  else if (!same_file(fd, base->fd, id))
    result = -2;
  else if (!is_whole(fd))
    result = -1;
  if (result < 0) close(fd);
  return result;
}

int use_runtime(const struct base* base, const char* id) {
  int fd = -2;
  for (int i = 0; i < TRIES && fd == -2; i++) fd = try_to_use(base, id);
  if (fd >= 0) futimens(fd, NULL);  // sweep() sees when it was started last
  return fd < 0 ? -1 : fd;
}

// Deleting.

static int is_id(const char* name) { return strspn(name, "0123456789abcdef") == ID_LENGTH && name[ID_LENGTH] == '\0'; }

// What a start was interrupted in.
static int is_left_over(const char* name) {
  if (strspn(name, "0123456789abcdef") != ID_LENGTH) return 0;
  return strcmp(name + ID_LENGTH, PARTIAL) == 0 || strcmp(name + ID_LENGTH, REMOVED) == 0;
}

static void set_aside_and_remove(const struct base* base, const char* id) {
  char aside[NAME_ROOM];
  snprintf(aside, sizeof aside, "%.*s" REMOVED, ID_LENGTH, id);
  remove_tree(base->fd, aside);
  if (renameat(base->fd, id, base->fd, aside) == 0) remove_tree(base->fd, aside);
}

static void remove_if_unused(const struct base* base, const char* id, time_t kept_s) {
  struct stat state;
  int fd = openat(base->fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  int is_old = fstat(fd, &state) == 0 && state.st_uid == geteuid() && time(NULL) - state.st_mtime >= kept_s;
  if (is_old && flock(fd, LOCK_EX | LOCK_NB) == 0) set_aside_and_remove(base, id);
  close(fd);
}

// Goes through the base; `doing` false only tells whether there is something to look at.
static int sweep_locked(const struct base* base, const char* keep, time_t kept_s, int doing) {
  int found = 0, fd = openat(base->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* folder = fd < 0 ? NULL : fdopendir(fd);
  if (!folder) return 0;
  for (struct dirent* each = readdir(folder); each; each = readdir(folder)) {
    const char* name = each->d_name;
    if (!is_left_over(name) && (!is_id(name) || strncmp(name, keep, ID_LENGTH) == 0)) continue;
    found = 1;
    if (doing && is_left_over(name)) remove_tree(base->fd, name);
    if (doing && is_id(name)) remove_if_unused(base, name, kept_s);
  }
  closedir(folder);
  return found;
}

// One unpacks at a time.

// Waits, and says so if that takes long, while another start holds the lock. -1, with errno.
static int lock(const struct base* base) {
  int fd = openat(base->fd, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  for (int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited_ms += PAUSE_MS) {
    if (errno != EWOULDBLOCK) {
      close(fd);
      return -1;
    }
    if (waited_ms == PATIENCE_MS) say("%s: another start is still unpacking the runtime; waiting", base->folder);
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
  }
  return fd;
}

void sweep(const struct base* base, const char* id, time_t kept_s) {
  if (!sweep_locked(base, id, kept_s, 0)) return;
  int fd = openat(base->fd, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) sweep_locked(base, id, kept_s, 1);
  close(fd);
}

static int has_room(const struct base* base, uint64_t wanted) {
  struct statvfs state;
  return fstatvfs(base->fd, &state) < 0 || (uint64_t)state.f_bavail * state.f_frsize >= wanted;
}

static int refuse(struct base* base, const char* why) {
  snprintf(base->why, sizeof base->why, "%s", why);
  return -1;
}

static int refuse_room(struct base* base, uint64_t wanted) {
  snprintf(base->why, sizeof base->why, "full: %llu MB are needed", (unsigned long long)(wanted + 999999) / 1000000);
  return -1;
}

// Unpacks beside the name that the runtime gets when it is whole.
static int unpack_locked(struct base* base, int self, const struct trailer* trailer, const char* id) {
  char partial[NAME_ROOM], folder[PATH_MAX];
  const char* damage;
  snprintf(partial, sizeof partial, "%s" PARTIAL, id);
  if (snprintf(folder, sizeof folder, "%s/%s", base->folder, id) >= (int)sizeof folder)
    return refuse(base, strerror(ENAMETOOLONG));
  if (mkdirat(base->fd, partial, 0700) < 0) return refuse(base, strerror(errno));
  int at = openat(base->fd, partial, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (at < 0) return refuse(base, strerror(errno));
  struct payload* payload = payload_open(self, trailer);
  enum unpacked result = unpack(payload, at, folder, &damage);
  int error = errno;
  if (result == UNPACKED && renameat(base->fd, partial, base->fd, id) < 0) result = FAILED, error = errno;
  close(at);
  if (result != UNPACKED) remove_tree(base->fd, partial);
  if (result == DAMAGED) die(EXIT_DAMAGED, "this file is damaged: %s; get it again", damage);
  payload_close(payload);
  if (result == NO_ROOM) return refuse_room(base, trailer->unpacked);
  return result == FAILED ? refuse(base, strerror(error)) : 0;
}

static int make_locked(struct base* base, int self, const struct trailer* trailer, const char* id) {
  int fd = use_runtime(base, id);
  if (fd >= 0) return fd;
  set_aside_and_remove(base, id);  // one that is not whole
  sweep_locked(base, id, KEPT_S, 1);
  if (!has_room(base, trailer->unpacked)) sweep_locked(base, id, 0, 1);
  if (!has_room(base, trailer->unpacked)) return refuse_room(base, trailer->unpacked);
  if (unpack_locked(base, self, trailer, id) < 0) return -1;
  fd = use_runtime(base, id);
  return fd < 0 ? refuse(base, "what was unpacked is not there any more") : fd;
}

int make_runtime(struct base* base, int self, const struct trailer* trailer) {
  char id[ID_LENGTH + 1] = "";
  memcpy(id, trailer->id, ID_LENGTH);
  int held = lock(base);
  if (held < 0) return refuse(base, strerror(errno));
  int fd = make_locked(base, self, trailer, id);
  close(held);
  return fd;
}
