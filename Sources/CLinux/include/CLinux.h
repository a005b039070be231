// Linux system calls that Swift's C library modules leave out: epoll and eventfd as they are, and one function for
// each call that the headers show only to GNU sources. And the names of IP sockets, whose fields Swift finds now in the
// C library's module and now in another one that includes the same header. No other logic.
#ifndef CULVERT_CLINUX_H
#define CULVERT_CLINUX_H

#ifdef __linux__

#include <stddef.h>
#include <stdint.h>
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
/// Makes the name of an address, 4 or 16 octets in network order, and a port. Returns its length.
socklen_t culvert_make_name(struct sockaddr_storage *name, const void *octets, size_t count, uint16_t port);
/// Takes it apart: up to 16 octets in network order. Returns how many there are, 0 for what is not IP.
size_t culvert_read_name(const struct sockaddr_storage *name, void *octets, uint16_t *port);
/// Names the calling thread, with at most 15 octets. Returns the error's number.
int culvert_name_thread(const char *name);
/// Never blocks on the pipe; a socket must be non-blocking itself.
ssize_t culvert_splice(int from, int to, size_t length);

#endif
#endif
