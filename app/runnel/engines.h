/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engines there are, and what they share: the plain context of those that keep no state per
 * connection. Private to app/runnel's engine library. Floor 6 (app).
 */
#ifndef RNL_ENGINES_H
#define RNL_ENGINES_H

#include "engine.h"

extern const struct rnl_engine rnl_engine_echo;
extern const struct rnl_engine rnl_engine_sink;
extern const struct rnl_engine rnl_engine_source;
extern const struct rnl_engine rnl_engine_http;

/** Makes a context of `size` octets (struct rnl_engine_ctx first), zeroed. NULL: out of memory. */
void *rnl_engine_ctx_new(const struct rnl_engine_env *env, size_t size, struct rnl_error *err);
/** Frees it. */
void rnl_engine_ctx_free(void *ctx);
/** Counts the end of a connection. */
void rnl_engine_count_end(struct rnl_engine_ctx *ctx, enum rnl_reason reason);
/** `admit` under conns=: whether `limit` (0: none) allows one more. Counts a refusal. */
bool rnl_engine_admit(struct rnl_engine_ctx *ctx, uint32_t limit);

#endif /* RNL_ENGINES_H */
