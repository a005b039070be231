// OpenSSL 3 for Swift. What its headers define as macros, or with variable arguments, gets a function with our
// prefix here.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline EVP_PKEY *culvert_ssl_generate_p256(void) {
    return EVP_EC_gen("P-256");
}

static inline void culvert_ssl_without_configuration(X509V3_CTX *context) {
    X509V3_set_ctx_nodb(context);
}

static inline long culvert_ssl_set_minimum_version(SSL_CTX *context, long version) {
    return SSL_CTX_set_min_proto_version(context, version);
}

static inline void culvert_ssl_free(void *memory) {
    OPENSSL_free(memory);
}

static inline void culvert_ssl_forbid_renegotiation(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
}
