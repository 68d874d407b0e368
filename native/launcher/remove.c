#include "remove.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int is_dot(const char* name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

void remove_tree(int at, const char* name) {
  int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR* folder = fd < 0 ? NULL : fdopendir(fd);
  if (!folder) {
    if (fd >= 0) close(fd);
    unlinkat(at, name, 0);
    return;
  }
  for (struct dirent* each = readdir(folder); each; each = readdir(folder))
    if (!is_dot(each->d_name) && unlinkat(fd, each->d_name, 0) < 0) remove_tree(fd, each->d_name);
  closedir(folder);
  unlinkat(at, name, AT_REMOVEDIR);
}
