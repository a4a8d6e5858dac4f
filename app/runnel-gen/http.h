/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads the head of an HTTP/1 response: status, how long the body is, whether the connection stays
 * (RFC 9112 4, 6.3, 9.3). Stateless: it is given the octets from the head's begin on, and answers
 * "need more" until the head is whole; the octets stay in the stack's receive queue meanwhile, so
 * that a connection needs no buffer for it.
 * Refuses chunked bodies, conflicting lengths and heads longer than GEN_HTTP_HEAD_MAX.
 * Floor: 6 (application). Pure.
 */
#ifndef GEN_HTTP_H
#define GEN_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEN_HTTP_HEAD_MAX 16384u

enum gen_http_error {
	GEN_HTTP_OK = 0,
	GEN_HTTP_MORE,      /**< the head is not whole yet */
	GEN_HTTP_MALFORMED, /**< not an HTTP/1 response */
	GEN_HTTP_TOO_LONG,  /**< no end of head within GEN_HTTP_HEAD_MAX */
	GEN_HTTP_CHUNKED,   /**< a transfer coding, which this client does not decode */
	GEN_HTTP_COUNT
};

/** Body length when the end of the connection ends the body (RFC 9112 6.3, rule 8). */
#define GEN_HTTP_UNTIL_CLOSE UINT64_MAX

struct gen_http_head {
	uint16_t status;   /**< 100-999 */
	bool interim;      /**< 1xx: the response proper follows */
	bool keep_alive;   /**< the server will take another request */
	uint32_t head_len; /**< octets, the empty line included */
	uint64_t body_len; /**< octets, or GEN_HTTP_UNTIL_CLOSE */
};

/** Reads a head at the begin of buf. @return what it found; *out is valid with GEN_HTTP_OK only. */
enum gen_http_error gen_http_parse(const char *buf, size_t len, struct gen_http_head *out);

#endif /* GEN_HTTP_H */
