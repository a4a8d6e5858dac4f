/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Engine sink (RFC 863): takes everything, answers nothing, counts. No state per connection.
 * Floor 6 (app).
 */
#include <errno.h>

#include "engines.h"

struct sink {
	struct rnl_engine_ctx base;
	uint32_t limit;
};

static bool sink_admit(struct rnl_stack *st, void *listener_ctx, const struct rnl_tuple *tuple)
{
	struct sink *s = listener_ctx;

	return rnl_engine_admit(&s->base, s->limit);
}

static void sink_accepted(struct rnl_stack *st, rnl_conn_t c, void *listener_ctx)
{
	rnl_engine_add(listener_ctx, RNL_ENGINE_ACCEPTED, 1);
}

static size_t sink_received(struct rnl_stack *st, rnl_conn_t c, void *ctx,
                            const struct rnl_span *spans, unsigned int n, size_t total)
{
	rnl_engine_add(ctx, RNL_ENGINE_RX_BYTES, total);
	return total;
}

static void sink_peer_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	rnl_close(st, c);
}

static void sink_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx, enum rnl_reason reason)
{
	rnl_engine_count_end(ctx, reason);
}

static const struct rnl_app_ops sink_ops = {
    .size = sizeof(sink_ops),
    .admit = sink_admit,
    .accepted = sink_accepted,
    .received = sink_received,
    .peer_closed = sink_peer_closed,
    .closed = sink_closed,
};

static int sink_begin(const void *config, const struct rnl_engine_env *env,
                      struct rnl_engine_ctx **ctx, struct rnl_error *err)
{
	struct sink *s = rnl_engine_ctx_new(env, sizeof(*s), err);

	if (s == NULL)
		return -ENOMEM;
	s->limit = env->max_conns;
	*ctx = &s->base;
	return 0;
}

static void sink_end(struct rnl_engine_ctx *ctx)
{
	rnl_engine_ctx_free(ctx);
}

const struct rnl_engine rnl_engine_sink = {
    .name = "sink",
    .help = "takes everything and answers nothing",
    .default_port = 9,
    .ops = &sink_ops,
    .begin = sink_begin,
    .end = sink_end,
};
