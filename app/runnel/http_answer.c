/* SPDX-License-Identifier: BSD-3-Clause */
/* HTTP answers made once, at start: see http_answer.h. Floor 6 (app). RFC 9110 15, RFC 9112 4. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "http_answer.h"

#define HEAD_MAX 1024u

static const char *const conn_fields[RNL_HTTP_CONNS] = {
    [RNL_HTTP_KEEP] = "",
    [RNL_HTTP_KEEP10] = "Connection: keep-alive\r\n",
    [RNL_HTTP_CLOSE] = "Connection: close\r\n",
};

const char *rnl_http_status_text(uint16_t status)
{
	static const struct {
		uint16_t status;
		const char *text;
	} texts[] = {
	    {200, "OK"},
	    {301, "Moved Permanently"},
	    {400, "Bad Request"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {414, "URI Too Long"},
	    {431, "Request Header Fields Too Large"},
	    {501, "Not Implemented"},
	    {505, "HTTP Version Not Supported"},
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(texts); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Error";
}

static uint32_t write_head(char *dst, const struct rnl_http_content *c, enum rnl_http_conn conn)
{
	int n = snprintf(
	    dst, HEAD_MAX, "HTTP/1.1 %u %s\r\n%s%s%s%sContent-Length: %" PRIu64 "\r\n%s\r\n",
	    c->status, rnl_http_status_text(c->status), c->type ? "Content-Type: " : "",
	    c->type ? c->type : "", c->type ? "\r\n" : "", c->extra ? c->extra : "", c->body_len,
	    conn_fields[conn]);

	return n < 0 || (uint32_t)n >= HEAD_MAX ? 0 : (uint32_t)n;
}

int rnl_http_answer_make(struct rnl_http_answer *a, const struct rnl_http_content *c)
{
	char head[HEAD_MAX];
	unsigned int conn;
	uint8_t *mem;

	memset(a, 0, sizeof(*a));
	a->status = c->status;
	a->body_len = c->body_len;
	if (c->body_len <= RNL_HTTP_INLINE_MAX && c->body_len <= c->block_len) {
		a->inline_len = (uint32_t)c->body_len;
	} else {
		a->block = c->body;
		a->block_len = c->block_len;
	}
	mem = a->heads = malloc(RNL_HTTP_CONNS * (HEAD_MAX + a->inline_len));
	if (mem == NULL)
		return -ENOMEM;
	for (conn = 0; conn < RNL_HTTP_CONNS; conn++) {
		a->head_len[conn] = write_head(head, c, conn);
		if (a->head_len[conn] == 0)
			return -ENOMEM;
		a->head[conn] = mem;
		memcpy(mem, head, a->head_len[conn]);
		mem += a->head_len[conn];
		if (a->inline_len > 0)
			memcpy(mem, c->body, a->inline_len);
		mem += a->inline_len;
	}
	return 0;
}

int rnl_http_answer_error(struct rnl_http_answer *a, uint16_t status)
{
	char body[64];
	int n = snprintf(body, sizeof(body), "%u %s\n", status, rnl_http_status_text(status));
	const struct rnl_http_content c = {
	    .status = status,
	    .type = "text/plain",
	    .extra = status == 405 ? "Allow: GET, HEAD\r\n" : NULL,
	    .body = (const uint8_t *)body,
	    .block_len = (uint64_t)n,
	    .body_len = (uint64_t)n,
	};

	return rnl_http_answer_make(a, &c);
}

void rnl_http_answer_free(struct rnl_http_answer *a)
{
	free(a->heads);
	memset(a, 0, sizeof(*a));
}
