// What the launcher becomes in tests: does what its first argument says, after the four that the launcher puts first.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BEFORE = 5 };

static void show(const char* name) {
  const char* value = getenv(name);
  printf("%s=%s\n", name, value ? value : "(none)");
}

int main(int count, char** arguments) {
  const char* command = count > BEFORE ? arguments[BEFORE] : "";
  if (strcmp(command, "tell") == 0) {
    printf("pid=%d\n", (int)getpid());
    for (int i = 0; i < count; i++) printf("argument=%s\n", arguments[i]);
    show("ISOLATED_BINARY");
    show("SSL_CERT_FILE");
    return 0;
  }
  if (strcmp(command, "exit") == 0) return atoi(arguments[BEFORE + 1]);
  if (strcmp(command, "wait") == 0) {
    puts("waiting");
    fflush(stdout);
    for (;;) pause();
  }
  if (strcmp(command, "again") == 0) {
    char* words[] = {getenv("ISOLATED_BINARY"), "tell", NULL};
    execv(words[0], words);
    return 99;
  }
  if (strcmp(command, "standard") == 0) {  // which of the descriptors 0 to 2 are open, as bits of the exit code
    int open_ones = 0;
    for (int fd = 0; fd <= 2; fd++) open_ones |= (fcntl(fd, F_GETFD) >= 0) << fd;
    return open_ones;
  }
  return 98;
}
