// Counts what a thread asks of the allocator. The program's own malloc stands before glibc's, also for the libraries
// that are loaded with it (the Swift runtime), and hands every call on to it under the name glibc keeps for that.
// Nothing is sampled and nothing estimated; what glibc asks of itself inside (a file's buffer) is not seen.
#include "include/allocations.h"

#include <stddef.h>
#include <errno.h>

#if defined(__GLIBC__)

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static __thread int64_t count;

int64_t culvert_allocation_count(void) { return count; }

void *malloc(size_t size) {
    count++;
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count++;
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    count++;
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    count++;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    void *made = memalign(alignment, size);
    if (made == NULL) { return ENOMEM; }
    *memory = made;
    return 0;
}

#else

int64_t culvert_allocation_count(void) { return -1; }

#endif
