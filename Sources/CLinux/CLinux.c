#ifdef __linux__

#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

int culvert_pipe(int descriptors[2]) {
    return pipe2(descriptors, O_CLOEXEC | O_NONBLOCK);
}

int culvert_set_pipe_size(int pipe, int bytes) {
    return fcntl(pipe, F_SETPIPE_SZ, bytes);
}

int culvert_accept(int socket, struct sockaddr *name, socklen_t *length) {
    return accept4(socket, name, length, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int culvert_accept_blocking(int socket, struct sockaddr *name, socklen_t *length) {
    return accept4(socket, name, length, SOCK_CLOEXEC);
}

int culvert_name_thread(const char *name) {
    return pthread_setname_np(pthread_self(), name);
}

// Without SPLICE_F_MORE, which corks the last segment for up to 200 ms.
ssize_t culvert_splice(int from, int to, size_t length) {
    return splice(from, NULL, to, NULL, length, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

#endif
