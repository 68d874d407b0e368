#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// One write, so that lines of several starts at once do not mix.
static void write_line(const char* format, va_list values) {
  char text[8192] = "isolated: ";
  size_t used = 10, room = sizeof text - 1 - used;
  int made = vsnprintf(text + used, room, format, values);
  if (made > 0) used += (size_t)made < room ? (size_t)made : room - 1;
  text[used++] = '\n';
  if (write(STDERR_FILENO, text, used) < 0) return;  // nobody reads: the exit code has to say it
}

void say(const char* format, ...) {
  va_list values;
  va_start(values, format);
  write_line(format, values);
  va_end(values);
}

void die(int code, const char* format, ...) {
  va_list values;
  va_start(values, format);
  write_line(format, values);
  va_end(values);
  exit(code);
}
