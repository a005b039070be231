// posix_spawn, whose types and extensions differ too much among C libraries to be called from Swift.
#ifndef CULVERT_CSPAWN_H
#define CULVERT_CSPAWN_H

#include <sys/types.h>

/// Starts `program` in a process group of its own, with no signal blocked or ignored, and with no descriptor but its
/// three streams: input, output, errors; one below 0 is the null device. Without an environment it gets the caller's.
/// Returns the error's number.
int culvert_spawn(
    pid_t *child, const char *program, char *const arguments[], char *const environment[], const int streams[3]);
/// Waits for its end, and reaps it. Returns its exit status, the negative number of the signal that ended it, or
/// INT_MIN when there is no such child.
int culvert_wait(pid_t child);
/// Descriptor 0 is the end to read from, 1 the end to write to. Returns the error's number.
int culvert_child_pipe(int descriptors[2]);

#endif
