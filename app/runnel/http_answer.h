/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP answers made once, at start: the head in three wordings, a small body right behind it (one
 * copy sends both), a large body in memory that DPDK knows (sent without a copy).
 * Owns: status lines, header fields, the memory of heads and bodies.
 * Refuses: connections. Floor 6 (app). RFC 9110, RFC 9112.
 */
#ifndef RNL_HTTP_ANSWER_H
#define RNL_HTTP_ANSWER_H

#include <stdint.h>

#include "runnel.h"

/** How an answer speaks of the connection. */
enum rnl_http_conn {
	RNL_HTTP_KEEP,   /**< HTTP/1.1 persistent: says nothing */
	RNL_HTTP_KEEP10, /**< HTTP/1.0 persistent: "Connection: keep-alive" */
	RNL_HTTP_CLOSE,  /**< "Connection: close" */
	RNL_HTTP_CONNS
};

/** Bodies up to this size are copied with the head, larger ones sent without a copy. */
#define RNL_HTTP_INLINE_MAX 2048u

struct rnl_http_answer {
	const uint8_t *head[RNL_HTTP_CONNS]; /**< `inline_len` octets of body follow it */
	uint32_t head_len[RNL_HTTP_CONNS];
	uint32_t inline_len;
	uint16_t status;
	const uint8_t *block; /**< body that is not inline: `block_len` octets, repeated */
	uint64_t block_len;
	uint64_t body_len; /**< Content-Length */
	void *heads;       /**< memory of the heads */
};

/** What an answer is made of. */
struct rnl_http_content {
	uint16_t status;
	const char *type;  /**< Content-Type; NULL: none */
	const char *extra; /**< further fields, each ending in CRLF; NULL: none */
	const uint8_t *body;
	uint64_t block_len; /**< octets at body, repeated up to body_len */
	uint64_t body_len;
};

/** @return "Not Found" and the like. Never NULL. */
const char *rnl_http_status_text(uint16_t status);
/**
 * Makes an answer. The body is copied when it is inline; else it must outlive the answer.
 * @return 0, -ENOMEM.
 */
int rnl_http_answer_make(struct rnl_http_answer *a, const struct rnl_http_content *c);
/** Makes the answer to an error: a short text as body. @return 0, -ENOMEM. */
int rnl_http_answer_error(struct rnl_http_answer *a, uint16_t status);
/** Frees the heads, not a block. Safe on a zeroed answer. */
void rnl_http_answer_free(struct rnl_http_answer *a);

#endif /* RNL_HTTP_ANSWER_H */
