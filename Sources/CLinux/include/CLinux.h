// Linux system calls that Swift's C library modules leave out: epoll and eventfd as they are, and one function for
// each call that the headers show only to GNU sources. No logic.
#ifndef CULVERT_CLINUX_H
#define CULVERT_CLINUX_H

#ifdef __linux__

#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/types.h>

// Each returns what the call returns: -1 with errno set when it fails.

/// Descriptor 0 is the end to read from, 1 the end to write to; neither blocks, no child process inherits them.
int culvert_pipe(int descriptors[2]);
int culvert_set_pipe_size(int pipe, int bytes);
/// Never blocks on the pipe; a socket must be non-blocking itself.
ssize_t culvert_splice(int from, int to, size_t length);

#endif
#endif
