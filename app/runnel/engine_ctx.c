/* SPDX-License-Identifier: BSD-3-Clause */
/* What engines share: their per-stack context, admission and the count of ends. Floor 6 (app). */
#include <errno.h>

#include <rte_malloc.h>

#include "engines.h"

void *rnl_engine_ctx_new(const struct rnl_engine_env *env, size_t size, struct rnl_error *err)
{
	void *ctx = rte_zmalloc_socket("runnel_engine", size, RTE_CACHE_LINE_SIZE, env->socket_id);

	if (ctx == NULL)
		rnl_service_fail(err, -ENOMEM,
		                 "no DPDK memory for an engine (%zu octets): give EAL more with -m "
		                 "or reserve more hugepages",
		                 size);
	return ctx;
}

void rnl_engine_ctx_free(void *ctx)
{
	rte_free(ctx);
}

void rnl_engine_count_end(struct rnl_engine_ctx *ctx, enum rnl_reason reason)
{
	rnl_engine_add(ctx, RNL_ENGINE_CLOSED, 1);
	if (reason != RNL_REASON_NORMAL)
		rnl_engine_add(ctx, RNL_ENGINE_FAILED, 1);
}

bool rnl_engine_admit(struct rnl_engine_ctx *ctx, uint32_t limit)
{
	if (limit == 0 || ctx->count[RNL_ENGINE_ACCEPTED] - ctx->count[RNL_ENGINE_CLOSED] < limit)
		return true;
	rnl_engine_add(ctx, RNL_ENGINE_REFUSED, 1);
	return false;
}
