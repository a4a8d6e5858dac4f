/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two halves of engine http share: its configuration (http.c) and one stack's server
 * (http_serve.c). Private to the engine library. Floor 6 (app).
 */
#ifndef RNL_HTTP_SERVE_H
#define RNL_HTTP_SERVE_H

#include "engines.h"
#include "http_parse.h"
#include "slots.h"

/** Statuses of the answers that are made for errors; the last one stands for those not listed. */
#define RNL_HTTP_ERRORS 7
extern const uint16_t rnl_http_error_status[RNL_HTTP_ERRORS];

/** The user's options, and what they made. */
struct rnl_http_config {
	char root[256]; /**< "": one body for every path */
	char type[64];
	uint64_t body_len;
	bool has_body; /**< body= was given */
	bool close;    /**< close after each answer */
	uint32_t idle_s, head_timeout_s;
	uint32_t head_max;
	struct rnl_http_files files;
	struct rnl_http_answer fixed;
	void *block; /**< DPDK memory of the fixed body */
	struct rnl_http_answer error[RNL_HTTP_ERRORS];
};

/** One stack's server. */
struct rnl_http {
	struct rnl_engine_ctx base;
	const struct rnl_http_config *cfg;
	struct rnl_http_rules rules;
	uint64_t idle_ns, head_timeout_ns; /**< 0: never */
	struct rnl_slots conns;
};

/** Size of a connection's state, for the pool. */
extern const uint32_t rnl_http_conn_size;
/** The callbacks; listener_ctx is a struct rnl_http. */
extern const struct rnl_app_ops rnl_http_ops;

#endif /* RNL_HTTP_SERVE_H */
