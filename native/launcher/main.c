// The one file that `isolated` is: finds its runtime, unpacks it where that was not done yet, and becomes the program.
//
// It stays one process: signals, exit codes, descriptors and the process id are the program's own. The program learns
// where this file is from ISOLATED_BINARY, and starts its successors by it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "bases.h"
#include "payload.h"
#include "say.h"
#include "store.h"

#define PROGRAM "usr/bin/isolated"

static const char* const BEFORE_ARGUMENTS[] = {"-I", "-B", "-m", "supervisor"};
enum { BEFORE = sizeof BEFORE_ARGUMENTS / sizeof *BEFORE_ARGUMENTS };

// Where machines keep the certificates that they trust. OpenSSL was built to look at the first two.
static const char* const OPENSSL_LOOKS_AT[] = {"/usr/lib/ssl/cert.pem", "/usr/lib/ssl/certs"};
static const char* const CERTIFICATES[] = {
    "/etc/ssl/certs/ca-certificates.crt",  // Debian, Alpine with ca-certificates
    "/etc/ssl/cert.pem",                   // Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",              // SUSE
};

// Gives descriptors 0 to 2 that are closed to /dev/null, until exec: what is unpacked must not become one of them.
static void fill_standard_descriptors(void) {
  for (int fd = open("/dev/null", O_RDWR | O_CLOEXEC); fd >= 0; fd = open("/dev/null", O_RDWR | O_CLOEXEC))
    if (fd > STDERR_FILENO) {
      close(fd);
      return;
    }
}

// The path that this program was started by, which a newer file may have by the time of a hand-over.
static void own_path(char path[PATH_MAX]) {
  const char* started = (const char*)getauxval(AT_EXECFN);
  char folder[PATH_MAX];
  memset(path, 0, PATH_MAX);  // readlink() ends no text
  if (started && *started == '/' && strncmp(started, "/dev/fd/", 8) != 0 && strncmp(started, "/proc/", 6) != 0)
    snprintf(path, PATH_MAX, "%s", started);
  else if (started && *started != '/' && getcwd(folder, sizeof folder))
    snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX / 2, folder, started);
  else if (readlink("/proc/self/exe", path, PATH_MAX - 1) < 0)
    path[0] = '\0';  // a program without a name: it runs, and cannot start itself again
}

static int open_self(const char* path) {
  int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (fd < 0) fd = open(path, O_RDONLY | O_CLOEXEC);  // without /proc
  if (fd < 0) die(EXIT_DAMAGED, "cannot read %s: %s", path, strerror(errno));
  return fd;
}

static void name_certificates(void) {
  if (getenv("SSL_CERT_FILE") || getenv("SSL_CERT_DIR")) return;
  for (size_t i = 0; i < sizeof OPENSSL_LOOKS_AT / sizeof *OPENSSL_LOOKS_AT; i++)
    if (access(OPENSSL_LOOKS_AT[i], F_OK) == 0) return;
  for (size_t i = 0; i < sizeof CERTIFICATES / sizeof *CERTIFICATES; i++)
    if (access(CERTIFICATES[i], R_OK) == 0) {
      setenv("SSL_CERT_FILE", CERTIFICATES[i], 1);
      return;
    }
}

static struct base* find_runtime(struct base* bases, int count, const char* id) {
  for (int i = 0; i < count; i++)
    if (open_base(&bases[i], LEAVE_MISSING) && use_runtime(&bases[i], id) >= 0) return &bases[i];
  return NULL;
}

static int takes_it(struct base* base, int self, const struct trailer* trailer) {
  if (base->fd < 0 && !open_base(base, MAKE_MISSING)) return 0;
  base->surprising = 1;  // to an operator, if it does not take the runtime although it looks as if
  return make_runtime(base, self, trailer) >= 0;
}

static struct base* unpack_somewhere(struct base* bases, int count, int self, const struct trailer* trailer) {
  for (int i = 0; i < count; i++) {
    if (takes_it(&bases[i], self, trailer)) return &bases[i];
    if (bases[i].surprising)
      say("%s cannot take the runtime: %s; trying the next place", bases[i].folder, bases[i].why);
  }
  return NULL;
}

static _Noreturn void refuse(const struct base* bases, int count) {
  for (int i = 0; i < count; i++) say("%s: %s", bases[i].folder, bases[i].why);
  die(EXIT_NOWHERE, "no folder can take the runtime; set ISOLATED_RUNTIME_DIR to one of yours with room, not noexec");
}

static _Noreturn void become(const char* base, const char* id, int count, char** arguments) {
  char program[PATH_MAX + ID_LENGTH + sizeof "//" PROGRAM];
  char** words = calloc((size_t)count + BEFORE + 1, sizeof *words);
  if (!words) die(EXIT_NOT_STARTED, "no memory to start with");
  snprintf(program, sizeof program, "%s/%s/" PROGRAM, base, id);
  words[0] = program;
  for (int i = 0; i < BEFORE; i++) words[1 + i] = (char*)BEFORE_ARGUMENTS[i];
  for (int i = 1; i < count; i++) words[BEFORE + i] = arguments[i];
  execv(program, words);
  die(EXIT_NOT_STARTED, "cannot start %s: %s", program, strerror(errno));
}

int main(int count, char** arguments) {
  static struct base bases[BASES_MAX];
  char path[PATH_MAX], id[ID_LENGTH + 1] = "";
  struct trailer trailer;
  const char* why;
  fill_standard_descriptors();
  own_path(path);
  int self = open_self(path);
  if (!read_trailer(self, &trailer, &why)) die(EXIT_DAMAGED, "this file is damaged: %s; get it again", why);
  memcpy(id, trailer.id, ID_LENGTH);
  int bases_count = list_bases(bases);
  const struct base* base = find_runtime(bases, bases_count, id);
  if (base)
    sweep(base, id, KEPT_S);
  else
    base = unpack_somewhere(bases, bases_count, self, &trailer);
  if (!base) refuse(bases, bases_count);
  setenv("ISOLATED_BINARY", path, 1);
  name_certificates();
  become(base->folder, id, count, arguments);
}
