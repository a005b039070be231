// Linux system calls that Swift's C library modules leave out: epoll and eventfd as they are, and one function for
// each call that the headers show only to GNU sources. No logic.
#ifndef CULVERT_CLINUX_H
#define CULVERT_CLINUX_H

#ifdef __linux__

#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/types.h>

// Each returns what the call returns: -1 with errno set when it fails, unless its own comment says otherwise.

/// Descriptor 0 is the end to read from, 1 the end to write to; neither blocks, no child process inherits them.
int culvert_pipe(int descriptors[2]);
/// The accepted socket does not block, and no child process inherits it.
int culvert_accept(int socket, struct sockaddr *name, socklen_t *length);
/// The same, but the accepted socket blocks.
int culvert_accept_blocking(int socket, struct sockaddr *name, socklen_t *length);
int culvert_set_pipe_size(int pipe, int bytes);
/// Names the calling thread, with at most 15 octets. Returns the error's number.
int culvert_name_thread(const char *name);
/// Never blocks on the pipe; a socket must be non-blocking itself.
ssize_t culvert_splice(int from, int to, size_t length);

#endif
#endif
