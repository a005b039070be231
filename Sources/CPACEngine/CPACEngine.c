#include "CPACEngine.h"

#include <duktape.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { max_arguments = 8 };

/// What the engine carries about. First the budget: the allocator gets a pointer to the whole.
typedef struct {
    size_t used, limit;
    const char *script;
    size_t length;
    const char *url, *host;
    const culvert_pac_functions *functions;
    const char *problem;
} job;

// Memory: each block carries its size.

typedef union {
    size_t size;
    max_align_t align;
} header;

static void *take(void *udata, duk_size_t size) {
    job *job = udata;
    if (size == 0 || size > job->limit - job->used) return NULL;
    header *block = malloc(sizeof(header) + size);
    if (block == NULL) return NULL;
    block->size = size;
    job->used += size;
    return block + 1;
}

static void give(void *udata, void *pointer) {
    if (pointer == NULL) return;
    header *block = (header *)pointer - 1;
    ((job *)udata)->used -= block->size;
    free(block);
}

static void *resize(void *udata, void *pointer, duk_size_t size) {
    if (pointer == NULL) return take(udata, size);
    if (size == 0) {
        give(udata, pointer);
        return NULL;
    }
    job *job = udata;
    header *block = (header *)pointer - 1;
    if (size > block->size && size - block->size > job->limit - job->used) return NULL;
    size_t before = block->size;
    header *moved = realloc(block, sizeof(header) + size);
    if (moved == NULL) return NULL;
    moved->size = size;
    job->used = job->used - before + size;
    return moved + 1;
}

static void fatal(void *udata, const char *message) {
    (void)udata;
    (void)message;
    _exit(70);
}

static job *job_of(duk_context *context) {
    duk_memory_functions functions;
    duk_get_memory_functions(context, &functions);
    return functions.udata;
}

// Callbacks.

static duk_ret_t call(duk_context *context) {
    const culvert_pac_functions *functions = job_of(context)->functions;
    const char *arguments[max_arguments];
    int count = duk_get_top(context);
    if (count > max_arguments) count = max_arguments;
    for (int index = 0; index < count; index++) arguments[index] = duk_to_string(context, index);
    culvert_pac_value value =
        functions->call(functions->context, duk_get_current_magic(context), count, arguments);
    switch (value.kind) {
    case CULVERT_PAC_NULL: duk_push_null(context); break;
    case CULVERT_PAC_BOOLEAN: duk_push_boolean(context, value.number != 0); break;
    case CULVERT_PAC_NUMBER: duk_push_number(context, value.number); break;
    case CULVERT_PAC_TEXT:
        duk_push_string(context, value.text);
        free(value.text);
        break;
    }
    return 1;
}

// The run: leaves the answer on the stack, or throws.

static duk_ret_t run(duk_context *context, void *udata) {
    job *job = udata;
    for (int index = 0; index < job->functions->count; index++) {
        duk_push_c_function(context, call, DUK_VARARGS);
        duk_set_magic(context, -1, index);
        duk_put_global_string(context, job->functions->names[index]);
    }
    duk_push_lstring(context, job->script, job->length);
    duk_push_string(context, "pac");
    duk_compile(context, 0);
    duk_call(context, 0);
    duk_pop(context);
    if (!duk_get_global_string(context, "FindProxyForURL") || !duk_is_function(context, -1)) {
        job->problem = "the script has no function FindProxyForURL";
        return 0;
    }
    duk_push_string(context, job->url);
    duk_push_string(context, job->host);
    duk_call(context, 2);
    if (!duk_is_string(context, -1)) {
        job->problem = "FindProxyForURL returned no text";
        return 0;
    }
    return 1;
}

/// Turns the error on the stack into its text and, above it, its line.
static duk_ret_t describe(duk_context *context, void *udata) {
    (void)udata;
    int line = 0;
    if (duk_is_error(context, -1)) {
        duk_get_prop_string(context, -1, "lineNumber");
        line = duk_to_int(context, -1);
        duk_pop(context);
    }
    duk_safe_to_string(context, -1);
    duk_push_int(context, line);
    return 2;
}

static char *copy(const char *text) { return text == NULL ? NULL : strdup(text); }

static culvert_pac_outcome outcome(duk_context *context, job *job) {
    culvert_pac_outcome outcome = {0, NULL, 0};
    if (duk_safe_call(context, run, job, 0, 1) == DUK_EXEC_SUCCESS) {
        outcome.succeeded = job->problem == NULL;
        outcome.text = copy(job->problem == NULL ? duk_get_string(context, -1) : job->problem);
        return outcome;
    }
    // A little more, so that an error for want of memory can be told.
    job->limit += 1 << 20;
    if (duk_safe_call(context, describe, NULL, 1, 2) == DUK_EXEC_SUCCESS) {
        outcome.text = copy(duk_get_string(context, -2));
        outcome.line = duk_get_int(context, -1);
    }
    return outcome;
}

culvert_pac_outcome culvert_pac_evaluate(
    const char *script, size_t length, const char *url, const char *host,
    const culvert_pac_functions *functions, size_t memory_limit) {
    job job = {0, memory_limit, script, length, url, host, functions, NULL};
    duk_context *context = duk_create_heap(take, resize, give, &job, fatal);
    if (context == NULL) {
        culvert_pac_outcome failure = {0, copy("the memory limit is too small for the engine"), 0};
        return failure;
    }
    culvert_pac_outcome result = outcome(context, &job);
    // Finalizers of the script would run now; they are nobody's business any more.
    return result;
}
