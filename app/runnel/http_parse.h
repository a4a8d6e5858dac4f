/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request head, parsed as it arrives: any number of octets at a time, none kept. What a head
 * means is a few numbers; the path is walked through the table of files on the way. Owns: RFC
 * 9112 2.2, 3, 5, 6 on the server's side. Refuses: bodies, answers. Floor 6 (app). RFC 9110, RFC
 * 9112.
 */
#ifndef RNL_HTTP_PARSE_H
#define RNL_HTTP_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "http_files.h"

enum rnl_http_method {
	RNL_HTTP_GET,
	RNL_HTTP_HEAD,
	RNL_HTTP_NOT_ALLOWED, /**< a method of RFC 9110 or RFC 5789 that is not served */
	RNL_HTTP_UNKNOWN,
};

/** Longest request target (RFC 9112 3: at least 8000 octets of request line). */
#define RNL_HTTP_TARGET_MAX 8000u

/** What heads are measured against. */
struct rnl_http_rules {
	const struct rnl_http_files *files; /**< NULL: paths are not looked up */
	uint32_t head_max;                  /**< octets of a head, request line included */
};

/** A head on its way. */
struct rnl_http_parser {
	uint64_t content_length;
	struct rnl_http_cursor at;
	uint32_t head_len; /**< octets seen */
	uint16_t target_len;
	uint16_t status; /**< 0: well-formed; else the answer to give, and then to close */
	uint8_t state;   /**< private */
	uint8_t method;  /**< enum rnl_http_method */
	uint8_t minor;   /**< HTTP/1.minor: 0 or 1 */
	uint8_t field;   /**< private */
	uint8_t hex;     /**< private */
	bool done;       /**< the head is complete, or wrong */
	bool has_length, has_host, want_keep, want_close, chunked, expect;
	uint8_t tok_len;
	char tok[20]; /**< private: begin of the token at hand, lower case */
};

/** Begins a request. */
void rnl_http_parser_init(struct rnl_http_parser *p);
/** @return whether any octet of a request (beyond empty lines) was seen. */
bool rnl_http_parser_started(const struct rnl_http_parser *p);
/** Takes octets until the head ends. @return how many it took; all of them unless p->done. */
uint32_t rnl_http_parse(struct rnl_http_parser *p, const struct rnl_http_rules *rules,
                        const uint8_t *data, uint32_t len);
/** @return whether the connection may go on after the answer, as far as the request says. */
bool rnl_http_parser_keep(const struct rnl_http_parser *p);

#endif /* RNL_HTTP_PARSE_H */
