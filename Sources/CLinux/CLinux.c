#ifdef __linux__

#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
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

socklen_t culvert_make_name(struct sockaddr_storage *name, const void *octets, size_t count, uint16_t port) {
    memset(name, 0, sizeof *name);
    if (count == sizeof(struct in_addr)) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)name;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        memcpy(&v4->sin_addr, octets, count);
        return sizeof *v4;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)name;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    memcpy(&v6->sin6_addr, octets, sizeof v6->sin6_addr);
    return sizeof *v6;
}

size_t culvert_read_name(const struct sockaddr_storage *name, void *octets, uint16_t *port) {
    if (name->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)name;
        *port = ntohs(v4->sin_port);
        memcpy(octets, &v4->sin_addr, sizeof v4->sin_addr);
        return sizeof v4->sin_addr;
    }
    if (name->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)name;
        *port = ntohs(v6->sin6_port);
        memcpy(octets, &v6->sin6_addr, sizeof v6->sin6_addr);
        return sizeof v6->sin6_addr;
    }
    return 0;
}

int culvert_name_thread(const char *name) {
    return pthread_setname_np(pthread_self(), name);
}

// Without SPLICE_F_MORE, which corks the last segment for up to 200 ms.
ssize_t culvert_splice(int from, int to, size_t length) {
    return splice(from, NULL, to, NULL, length, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

#endif
