// From the archive to a folder of files.
#pragma once

#include "payload.h"

enum unpacked {
  UNPACKED,
  NO_ROOM,  // the file system is full; errno
  FAILED,   // something else about the folder; errno
  DAMAGED,  // the payload; payload_error() or `why`
};

// Unpacks into the empty folder `at`, whose programs will be found in `folder`. What is half done stays. `why` is set
// for DAMAGED.
enum unpacked unpack(struct payload* payload, int at, const char* folder, const char** why);
