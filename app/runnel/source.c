/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Engine source: sends the octets of pattern.h, without end or `bytes` of them and then FIN. They
 * are made when they are sent (rnl_send_pull), so no send buffer is held; retransmissions make them
 * again. What comes in is discarded. No state per connection. Floor 6 (app).
 */
#include <errno.h>
#include <string.h>

#include "engines.h"
#include "pattern.h"

struct source_config {
	uint64_t bytes; /* UINT64_MAX: without end */
};

struct source {
	struct rnl_engine_ctx base;
	uint64_t bytes;
	uint32_t limit;
};

static int produce(void *arg, uint64_t offset, void *dst, uint32_t len)
{
	rnl_pattern_fill(offset, dst, len);
	rnl_engine_add(arg, RNL_ENGINE_TX_BYTES, len);
	return 0;
}

static bool source_admit(struct rnl_stack *st, void *listener_ctx, const struct rnl_tuple *tuple)
{
	struct source *s = listener_ctx;

	return rnl_engine_admit(&s->base, s->limit);
}

static void source_accepted(struct rnl_stack *st, rnl_conn_t c, void *listener_ctx)
{
	struct source *s = listener_ctx;

	rnl_engine_add(&s->base, RNL_ENGINE_ACCEPTED, 1);
	if (s->bytes > 0 && rnl_send_pull(st, c, produce, s, s->bytes, NULL) != 0) {
		rnl_abort(st, c);
		return;
	}
	if (s->bytes != UINT64_MAX)
		rnl_shutdown(st, c);
}

static size_t source_received(struct rnl_stack *st, rnl_conn_t c, void *ctx,
                              const struct rnl_span *spans, unsigned int n, size_t total)
{
	rnl_engine_add(ctx, RNL_ENGINE_RX_BYTES, total);
	return total;
}

/*
 * A client that has nothing to say may half-close at once; it still wants the stream. Without an
 * end the stream lives until the client resets it.
 */
static void source_peer_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	const struct source *s = ctx;

	if (s->bytes != UINT64_MAX)
		rnl_close(st, c);
}

static void source_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx, enum rnl_reason reason)
{
	rnl_engine_count_end(ctx, reason);
}

static const struct rnl_app_ops source_ops = {
    .size = sizeof(source_ops),
    .admit = source_admit,
    .accepted = source_accepted,
    .received = source_received,
    .peer_closed = source_peer_closed,
    .closed = source_closed,
};

static void source_defaults(void *config)
{
	((struct source_config *)config)->bytes = UINT64_MAX;
}

static int source_option(void *config, const char *key, const char *value, struct rnl_error *err)
{
	struct source_config *cfg = config;

	if (strcmp(key, "bytes") != 0)
		return 0;
	if (rnl_service_number(value, UINT64_MAX - 1, &cfg->bytes) != 0)
		return rnl_service_fail(err, -EINVAL,
		                        "bytes=%s: give a number of octets, such as 1G", value);
	return 1;
}

static int source_begin(const void *config, const struct rnl_engine_env *env,
                        struct rnl_engine_ctx **ctx, struct rnl_error *err)
{
	const struct source_config *cfg = config;
	struct source *s = rnl_engine_ctx_new(env, sizeof(*s), err);

	if (s == NULL)
		return -ENOMEM;
	s->bytes = cfg->bytes;
	s->limit = env->max_conns;
	*ctx = &s->base;
	return 0;
}

static void source_end(struct rnl_engine_ctx *ctx)
{
	rnl_engine_ctx_free(ctx);
}

const struct rnl_engine rnl_engine_source = {
    .name = "source",
    .help = "sends a known pattern (character generator)",
    .options = "bytes=N    close after N octets; without it: send for ever\n",
    .default_port = 19,
    .config_size = sizeof(struct source_config),
    .ops = &source_ops,
    .defaults = source_defaults,
    .option = source_option,
    .begin = source_begin,
    .end = source_end,
};
