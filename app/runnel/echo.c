/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Engine echo (RFC 862): what comes in goes out. It consumes only what the send buffer took, so a
 * client that does not read closes its own send window: no buffer here, no state per connection.
 * Floor 6 (app).
 */
#include <errno.h>

#include "engines.h"

struct echo {
	struct rnl_engine_ctx base;
	uint32_t limit;
};

static bool echo_admit(struct rnl_stack *st, void *listener_ctx, const struct rnl_tuple *tuple)
{
	struct echo *e = listener_ctx;

	return rnl_engine_admit(&e->base, e->limit);
}

static void echo_accepted(struct rnl_stack *st, rnl_conn_t c, void *listener_ctx)
{
	rnl_engine_add(listener_ctx, RNL_ENGINE_ACCEPTED, 1);
}

static size_t echo_received(struct rnl_stack *st, rnl_conn_t c, void *ctx,
                            const struct rnl_span *spans, unsigned int n, size_t total)
{
	size_t done = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		ssize_t sent = rnl_send(st, c, spans[i].data, spans[i].len);

		if (sent < 0) { /* nobody to echo to any more */
			done = total;
			break;
		}
		rnl_engine_add(ctx, RNL_ENGINE_TX_BYTES, (uint64_t)sent);
		done += (size_t)sent;
		if ((size_t)sent < spans[i].len)
			break;
	}
	rnl_engine_add(ctx, RNL_ENGINE_RX_BYTES, done);
	return done;
}

static void echo_writable(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	rnl_receive_resume(st, c);
}

static void echo_peer_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	rnl_close(st, c); /* all was consumed, so all is queued: FIN goes after it */
}

static void echo_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx, enum rnl_reason reason)
{
	rnl_engine_count_end(ctx, reason);
}

static const struct rnl_app_ops echo_ops = {
    .size = sizeof(echo_ops),
    .admit = echo_admit,
    .accepted = echo_accepted,
    .received = echo_received,
    .writable = echo_writable,
    .peer_closed = echo_peer_closed,
    .closed = echo_closed,
};

static int echo_begin(const void *config, const struct rnl_engine_env *env,
                      struct rnl_engine_ctx **ctx, struct rnl_error *err)
{
	struct echo *e = rnl_engine_ctx_new(env, sizeof(*e), err);

	if (e == NULL)
		return -ENOMEM;
	e->limit = env->max_conns;
	*ctx = &e->base;
	return 0;
}

static void echo_end(struct rnl_engine_ctx *ctx)
{
	rnl_engine_ctx_free(ctx);
}

const struct rnl_engine rnl_engine_echo = {
    .name = "echo",
    .help = "sends back what it receives",
    .default_port = 7,
    .ops = &echo_ops,
    .begin = echo_begin,
    .end = echo_end,
};
