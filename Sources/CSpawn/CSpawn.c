#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

// Also what others opened without the flag must stay here: a server's connection that a child holds open never ends
// for its peer. Old C libraries have no call for it; there the flag alone protects.
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
#define CLOSES_THE_REST 1
#endif
#endif

static int place_stream(posix_spawn_file_actions_t *actions, int stream, int number, int *copy) {
    *copy = -1;
    if (stream < 0) {
        return posix_spawn_file_actions_addopen(actions, number, "/dev/null", number == 0 ? O_RDONLY : O_WRONLY, 0);
    }
    // A copy above the three: none of them is overwritten before it is placed.
    *copy = fcntl(stream, F_DUPFD_CLOEXEC, 3);
    if (*copy < 0) return errno;
    return posix_spawn_file_actions_adddup2(actions, *copy, number);
}

static int spawn_with(
    posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, pid_t *child, const char *program,
    char *const arguments[], char *const environment[]) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
#ifdef __APPLE__
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
    int error = 0;
#ifdef CLOSES_THE_REST
    error = posix_spawn_file_actions_addclosefrom_np(actions, 3);
#endif
    if (!error) error = posix_spawnattr_setpgroup(attributes, 0);
    if (!error) error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(attributes, &all);
    if (!error) error = posix_spawnattr_setflags(attributes, flags);
    if (!error) error = posix_spawn(child, program, actions, attributes, arguments, environment ? environment : environ);
    return error;
}

int culvert_spawn(
    pid_t *child, const char *program, char *const arguments[], char *const environment[], const int streams[3]) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int copies[3] = {-1, -1, -1};
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        for (int number = 0; number < 3 && !error; number++) {
            error = place_stream(&actions, streams[number], number, &copies[number]);
        }
        if (!error) error = spawn_with(&actions, &attributes, child, program, arguments, environment);
        for (int number = 0; number < 3; number++) {
            if (copies[number] >= 0) close(copies[number]);
        }
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int culvert_wait(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return INT_MIN;
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int culvert_child_pipe(int descriptors[2]) {
#ifdef __linux__
    return pipe2(descriptors, O_CLOEXEC) ? errno : 0;
#else
    if (pipe(descriptors)) return errno;
    for (int end = 0; end < 2; end++) fcntl(descriptors[end], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}
