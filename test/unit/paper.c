/* SPDX-License-Identifier: BSD-3-Clause */
/* A stack made of paper: see paper.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>

#include "paper.h"

struct paper_stack fake;
struct rnl_stack *const no_stack = NULL;

int rnl_addr_parse(const char *text, struct rnl_addr *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	memcpy(out->b, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, text, out->b + 12) == 1)
		return 0;
	return inet_pton(AF_INET6, text, out->b) == 1 ? 0 : -EINVAL;
}

bool rnl_addr_is_v4(const struct rnl_addr *addr)
{
	return addr->b[10] == 0xff && addr->b[11] == 0xff;
}

int rnl_listen(struct rnl_stack *st, const struct rnl_listen_config *cfg, rnl_listener_t *out,
               struct rnl_error *err)
{
	fake.ctx = cfg->ctx;
	*out = 1;
	return 0;
}

int rnl_listener_set_opts(struct rnl_stack *st, rnl_listener_t l, const struct rnl_conn_opts *opts,
                          struct rnl_error *err)
{
	return 0;
}

int rnl_unlisten(struct rnl_stack *st, rnl_listener_t l)
{
	return 0;
}

uint64_t rnl_now_ns(const struct rnl_stack *st)
{
	return fake.now;
}

int rnl_set_ctx(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	fake.ctx = ctx;
	return 0;
}

static ssize_t fake_take(const void *data, size_t len)
{
	if (fake.fin || fake.closed)
		return -EPIPE;
	assert_true(fake.out_len + len <= OUT_MAX);
	memcpy(fake.out + fake.out_len, data, len);
	fake.out_len += len;
	fake.room -= len;
	return (ssize_t)len;
}

ssize_t rnl_send(struct rnl_stack *st, rnl_conn_t c, const void *data, size_t len)
{
	fake.want_writable |= len > fake.room;
	return fake_take(data, len > fake.room ? fake.room : len);
}

ssize_t rnl_send_zc(struct rnl_stack *st, rnl_conn_t c, const void *data, size_t len,
                    rnl_release_fn release, void *arg)
{
	assert_true(len > 0);
	fake.zc_calls++;
	if (len > fake.room) {
		fake.want_writable = true;
		return 0;
	}
	return fake_take(data, len);
}

int rnl_send_pull(struct rnl_stack *st, rnl_conn_t c, rnl_produce_fn produce, void *arg,
                  uint64_t len, rnl_release_fn release)
{
	fake.produce = produce;
	fake.produce_arg = arg;
	fake.produce_len = len;
	return 0;
}

size_t rnl_send_room(struct rnl_stack *st, rnl_conn_t c)
{
	return fake.room;
}

int rnl_receive_resume(struct rnl_stack *st, rnl_conn_t c)
{
	fake.resumed = true;
	return 0;
}

int rnl_shutdown(struct rnl_stack *st, rnl_conn_t c)
{
	assert_false(fake.fin);
	fake.fin = true;
	return 0;
}

int rnl_close(struct rnl_stack *st, rnl_conn_t c)
{
	fake.closed = true;
	return 0;
}

int rnl_abort(struct rnl_stack *st, rnl_conn_t c)
{
	fake.closed = fake.aborted = true;
	return 0;
}

int rnl_conn_timer(struct rnl_stack *st, rnl_conn_t c, uint64_t at_ns)
{
	fake.timer = at_ns;
	return 0;
}

void peer_open(struct peer *p, const char *text)
{
	struct rnl_engine_env env = {.socket_id = -1, .max_conns = 4};
	struct rnl_error err = {0};
	uint8_t *out = fake.out;

	memset(&fake, 0, sizeof(fake));
	fake.out = out != NULL ? out : malloc(OUT_MAX);
	fake.now = 1000;
	fake.room = OUT_MAX;
	p->in_len = 0;
	if (rnl_service_parse(text, &p->service, &err) != 0 ||
	    rnl_service_prepare(&p->service, &err) != 0 ||
	    rnl_service_begin(&p->service, &env, &p->run, &err) != 0 ||
	    rnl_service_listen(&p->run, &err) != 0)
		fail_msg("%s", err.text);
	p->listener_ctx = fake.ctx;
	p->ops = p->service.engine->ops;
	assert_true(p->ops->admit(no_stack, fake.ctx, NULL));
	p->ops->accepted(no_stack, CONN, fake.ctx);
}

void peer_close(struct peer *p)
{
	p->ops->closed(no_stack, CONN, fake.ctx, RNL_REASON_NORMAL);
	rnl_service_unlisten(&p->run);
	rnl_service_end(&p->run);
	rnl_service_free(&p->service);
}

void peer_offer(struct peer *p)
{
	while (p->in_len > 0) {
		size_t cut = p->in_len / 2, took;
		struct rnl_span spans[2] = {
		    {.data = p->in, .len = (uint32_t)cut},
		    {.data = p->in + cut, .len = (uint32_t)(p->in_len - cut)},
		};

		took = p->ops->received(no_stack, CONN, fake.ctx, spans + (cut == 0),
		                        cut == 0 ? 1 : 2, p->in_len);
		assert_true(took <= p->in_len);
		memmove(p->in, p->in + took, p->in_len - took);
		p->in_len -= took;
		if (took == 0 || fake.closed)
			break;
	}
}

void peer_input(struct peer *p, const void *data, size_t len)
{
	memcpy(p->in + p->in_len, data, len);
	p->in_len += len;
	peer_offer(p);
}

void peer_say(struct peer *p, const char *text)
{
	peer_input(p, text, strlen(text));
}

void peer_drain(struct peer *p, size_t step)
{
	while (fake.want_writable && !fake.closed) {
		fake.want_writable = false;
		fake.room += step;
		p->ops->writable(no_stack, CONN, fake.ctx);
		if (fake.resumed) {
			fake.resumed = false;
			peer_offer(p);
		}
	}
}

const char *peer_heard(void)
{
	fake.out[fake.out_len] = '\0';
	return (const char *)fake.out;
}

bool heard(const char *text)
{
	return strstr(peer_heard(), text) != NULL;
}

int paper_init(void)
{
	static char words[] =
	    "paper --no-huge --no-pci --no-shconf --no-telemetry -m 64 -l 0 --log-level=error";
	char *eal[16], *save;
	int n = 0;

	for (eal[n] = strtok_r(words, " ", &save); eal[n] != NULL;
	     eal[n] = strtok_r(NULL, " ", &save))
		n++;
	return rte_eal_init(n, eal);
}
