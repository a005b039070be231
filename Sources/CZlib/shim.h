// zlib for Swift: the initialisers are macros that add the header's version and the size of the state.
#pragma once

#include <zlib.h>

static inline int culvert_deflate_init(z_stream *stream, int level, int window_bits, int memory_level) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, memory_level, Z_DEFAULT_STRATEGY);
}

static inline int culvert_inflate_init(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}
