// The runtimes in a base, each in a folder named after its content: used while somebody holds a shared lock on the
// folder, which a process does for as long as it lives.
#pragma once

#include <time.h>

#include "bases.h"
#include "payload.h"

// How long one that nobody uses is kept: two versions that are used in turn are not unpacked each time.
enum { KEPT_S = 3600 };

// The runtime `id` in use by this process from now on: a descriptor that passes to the program that it becomes.
// -1 if it is not there, or not whole.
int use_runtime(const struct base* base, const char* id);

// Unpacks the runtime, unless another start does so meanwhile, and uses it. -1, with base->why, if it does not go into
// this base. Ends the process where the payload is damaged.
int make_runtime(struct base* base, int self, const struct trailer* trailer);

// Deletes runtimes but `id` that nobody uses and nobody started for `kept_s`, and what interrupted starts left. Does
// nothing while another start does the same.
void sweep(const struct base* base, const char* id, time_t kept_s);
