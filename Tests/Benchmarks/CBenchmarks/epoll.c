#define _GNU_SOURCE
#include "include/epoll.h"

#if defined(__linux__)

#include <sys/socket.h>

int culvert_accept(int listener) {
    return accept4(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

#endif
