// The folders that runtimes may be unpacked in, and whether one may be trusted.
#pragma once

#include <limits.h>

enum { BASES_MAX = 8 };

struct base {
  char folder[PATH_MAX];  // with its links resolved, once it is open
  int asked_for;          // by ISOLATED_RUNTIME_DIR
  int everybodys;         // in a folder where everybody may make some: it has to be ours alone
  int fd;                 // -1: not open
  int surprising;         // `why` is something that an operator would not expect
  char why[256];          // why it is not open, or cannot take a runtime
};

enum missing { LEAVE_MISSING, MAKE_MISSING };

// Fills in all bases, best first; none is open. Returns how many there are.
int list_bases(struct base bases[BASES_MAX]);

// Opens a base if it can be used. False, with `why`, if not.
int open_base(struct base* base, enum missing missing);
