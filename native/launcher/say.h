// What the launcher tells a person, on stderr.
#pragma once

// Exit codes of the launcher itself; everything else is the program's.
enum {
  EXIT_DAMAGED = 65,       // EX_DATAERR of sysexits.h: this file is not as it was built
  EXIT_NOWHERE = 73,       // EX_CANTCREAT: no folder can take the runtime
  EXIT_NOT_STARTED = 126,  // as shells say it: found, and cannot be executed
};

// Writes "isolated: " and the message as one line.
void say(const char* format, ...) __attribute__((format(printf, 1, 2)));

// The same, and ends the process.
_Noreturn void die(int code, const char* format, ...) __attribute__((format(printf, 2, 3)));
