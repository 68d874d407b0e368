#define _GNU_SOURCE
#include "bases.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

// /run is memory that a restart clears; the next two are disks of most machines; the last two are there on all.
static const char* const OF_THE_SYSTEM[] = {"/run/isolated", "/var/lib/isolated/runtime", "/var/cache/isolated"};
static const char* const OF_EVERYBODY[] = {"/tmp", "/dev/shm"};

static int refuse(struct base* base, const char* format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(struct base* base, const char* format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(base->why, sizeof base->why, format, values);
  va_end(values);
  return 0;
}

// Makes the folder, and the one that it is in if that is ours as well: a machine without /run is none to make one on.
static void make(const char* folder, mode_t mode) {
  char parent[PATH_MAX];
  if (mkdir(folder, mode) == 0 || errno != ENOENT) return;
  snprintf(parent, sizeof parent, "%s", folder);
  char* slash = strrchr(parent, '/');
  if (!slash) return;
  *slash = '\0';
  slash = strrchr(parent, '/');
  if (slash && strcmp(slash, "/isolated") == 0 && mkdir(parent, 0755) == 0) mkdir(folder, mode);
}

// Whether nobody but us and root can put something else in the place of what is in `path`.
static int is_ours(struct base* base, const char* path) {
  struct stat state;
  if (lstat(path, &state) < 0) return refuse(base, "%s", strerror(errno));
  if (!S_ISDIR(state.st_mode)) return refuse(base, "%s is no folder", path);
  if (state.st_uid != geteuid() && state.st_uid != 0)
    return refuse(base, "%s belongs to user %u, not to you or root", path, (unsigned)state.st_uid);
  if (state.st_mode & 022 && !(state.st_mode & S_ISVTX)) return refuse(base, "others may write to %s", path);
  return 1;
}

// The same for all folders on the way. Whoever names a folder vouches for the way.
static int is_safe(struct base* base) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s", base->folder);
  for (;;) {
    if (!is_ours(base, path)) return 0;
    char* slash = strrchr(path, '/');
    if (base->asked_for || !slash[1]) return 1;
    slash[slash == path] = '\0';
  }
}

// The same for one in everybody's folder, where somebody may have been first.
static int is_private(struct base* base) {
  struct stat state;
  if (lstat(base->folder, &state) < 0) return refuse(base, "%s", strerror(errno));
  if (S_ISDIR(state.st_mode) && state.st_uid == geteuid() && !(state.st_mode & 077)) return 1;
  base->surprising = 1;
  return refuse(base, "it is there already, and not a folder of yours that nobody else may open");
}

static int takes_programs(struct base* base) {
  struct statvfs state;
  if (fstatvfs(base->fd, &state) < 0) return refuse(base, "%s", strerror(errno));
  if (!(state.f_flag & ST_NOEXEC)) return 1;
  base->surprising = 1;
  return refuse(base, "mounted noexec, and programs have to run from it");
}

static int try_to_open(struct base* base) {
  char resolved[PATH_MAX];
  if (base->everybodys && !is_private(base)) return 0;
  if (!realpath(base->folder, resolved)) return refuse(base, "%s", strerror(errno));
  memcpy(base->folder, resolved, sizeof resolved);
  if (!is_safe(base)) return 0;
  base->fd = open(base->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (base->fd < 0) return refuse(base, "%s", strerror(errno));
  return takes_programs(base);
}

int open_base(struct base* base, enum missing missing) {
  base->surprising = base->asked_for;
  if (missing == MAKE_MISSING) make(base->folder, base->everybodys ? 0700 : 0755);
  if (try_to_open(base)) return 1;
  if (base->fd >= 0) close(base->fd);
  base->fd = -1;
  return 0;
}

static struct base* begin(struct base* base) {
  *base = (struct base){.fd = -1};
  return base;
}

int list_bases(struct base bases[BASES_MAX]) {
  int count = 0;
  const char* asked = secure_getenv("ISOLATED_RUNTIME_DIR");
  if (asked && *asked) {
    struct base* base = begin(&bases[count++]);
    base->asked_for = 1;
    snprintf(base->folder, sizeof base->folder, "%s", asked);
  }
  for (size_t i = 0; i < sizeof OF_THE_SYSTEM / sizeof *OF_THE_SYSTEM; i++)
    snprintf(begin(&bases[count++])->folder, PATH_MAX, "%s", OF_THE_SYSTEM[i]);
  for (size_t i = 0; i < sizeof OF_EVERYBODY / sizeof *OF_EVERYBODY; i++) {
    struct base* base = begin(&bases[count++]);
    base->everybodys = 1;
    snprintf(base->folder, sizeof base->folder, "%s/isolated-%u", OF_EVERYBODY[i], (unsigned)geteuid());
  }
  return count;
}
