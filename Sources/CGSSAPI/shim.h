// The types of GSSAPI (RFC 2744) as far as the two sides of Negotiate need them. The functions are looked up at run time: a system
// without Kerberos is one where Negotiate is unavailable, not one where the program does not start.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if defined(__APPLE__) && (defined(__x86_64__) || defined(__i386__))
#pragma pack(push, 2)
#endif

typedef struct {
    uint32_t length;
    void *elements;
} culvert_gss_oid;

typedef struct {
    size_t length;
    void *value;
} culvert_gss_buffer;

typedef struct {
    uint32_t initiator_address_type;
    culvert_gss_buffer initiator_address;
    uint32_t acceptor_address_type;
    culvert_gss_buffer acceptor_address;
    culvert_gss_buffer application_data;
} culvert_gss_channel_bindings;

#if defined(__APPLE__) && (defined(__x86_64__) || defined(__i386__))
#pragma pack(pop)
#endif

typedef uint32_t (*culvert_gss_import_name)(
    uint32_t *minor, culvert_gss_buffer *name, culvert_gss_oid *type, void **output);

typedef uint32_t (*culvert_gss_init_sec_context)(
    uint32_t *minor, void *credential, void **context, void *target, culvert_gss_oid *mechanism, uint32_t flags,
    uint32_t lifetime, culvert_gss_channel_bindings *bindings, culvert_gss_buffer *input,
    culvert_gss_oid **actual_mechanism, culvert_gss_buffer *output, uint32_t *actual_flags, uint32_t *actual_lifetime);

typedef uint32_t (*culvert_gss_accept_sec_context)(
    uint32_t *minor, void **context, void *credential, culvert_gss_buffer *input, culvert_gss_channel_bindings *bindings,
    void **source, culvert_gss_oid **mechanism, culvert_gss_buffer *output, uint32_t *flags, uint32_t *lifetime,
    void **delegated);

typedef uint32_t (*culvert_gss_display_name)(
    uint32_t *minor, void *name, culvert_gss_buffer *text, culvert_gss_oid **type);

// MIT's own, and Heimdal's under the same name: the key table that acceptors use.
typedef uint32_t (*culvert_gss_register_acceptor_identity)(const char *path);

typedef uint32_t (*culvert_gss_display_status)(
    uint32_t *minor, uint32_t status, int type, culvert_gss_oid *mechanism, uint32_t *message_context,
    culvert_gss_buffer *text);

typedef uint32_t (*culvert_gss_release_buffer)(uint32_t *minor, culvert_gss_buffer *buffer);

typedef uint32_t (*culvert_gss_release_name)(uint32_t *minor, void **name);

typedef uint32_t (*culvert_gss_delete_sec_context)(uint32_t *minor, void **context, culvert_gss_buffer *token);
