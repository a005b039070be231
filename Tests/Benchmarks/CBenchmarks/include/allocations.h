#pragma once

#include <stdint.h>

/// How many pieces of memory this thread has asked of the allocator; -1 where nobody counts.
int64_t culvert_allocation_count(void);
