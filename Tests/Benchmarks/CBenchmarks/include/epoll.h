// Calls of Linux that Swift's Glibc module leaves out.
#pragma once

#if defined(__linux__)

#include <sys/epoll.h>

/// accept4(2), non-blocking and closed on exec; its declaration hides behind _GNU_SOURCE.
int culvert_accept(int listener);

#endif
