// One script run once in Duktape. All of it is C because Duktape leaves functions by longjmp, which must not cross
// Swift's frames: a callback has returned before the engine goes on.
#ifndef CULVERT_CPACENGINE_H
#define CULVERT_CPACENGINE_H

#include <stddef.h>

enum culvert_pac_kind { CULVERT_PAC_NULL, CULVERT_PAC_BOOLEAN, CULVERT_PAC_NUMBER, CULVERT_PAC_TEXT };

typedef struct {
    enum culvert_pac_kind kind;
    /// Of a number; of a boolean, 0 or 1.
    double number;
    /// Of a text: from malloc, freed by the engine.
    char *text;
} culvert_pac_value;

/// What the script can call.
typedef struct {
    const char *const *names;
    int count;
    void *context;
    culvert_pac_value (*call)(void *context, int function, int count, const char *const *arguments);
} culvert_pac_functions;

typedef struct {
    int succeeded;
    /// The answer, or the error: from malloc, freed by the caller; null when there is no memory for it.
    char *text;
    /// Of the error, counted from 1; 0 where it is not known.
    int line;
} culvert_pac_outcome;

/// Runs the script and then FindProxyForURL(url, host), in no more memory than the limit.
culvert_pac_outcome culvert_pac_evaluate(
    const char *script, size_t length, const char *url, const char *host,
    const culvert_pac_functions *functions, size_t memory_limit);

#endif
