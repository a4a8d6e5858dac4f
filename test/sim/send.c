/* SPDX-License-Identifier: BSD-3-Clause */
/* The three ways to send, with an account of the releases that are owed. */
#include <errno.h>
#include <stdlib.h>

#include "sim.h"

/* What a release callback gives back. */
struct loan {
	struct side *side;
	uint8_t *data; /* zero-copy */
	uint64_t base; /* pull: stream offset of its first octet */
};

uint8_t send_octet(const struct side *s, uint64_t off)
{
	return (uint8_t)(((uint32_t)off * 2654435761u + s->conn->key + s->which * 77) >> 13);
}

static void fill(const struct side *s, uint8_t *p, uint64_t off, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		p[i] = send_octet(s, off + i);
}

static void on_release(struct rnl_stack *st, void *arg)
{
	struct loan *l = arg;

	if (l->side->closed)
		sim_fail(l->side->w, "conn %u.%u: release after closed", l->side->conn->id,
		         l->side->which);
	if (l->side->owed == 0)
		sim_fail(l->side->w, "conn %u.%u: released twice", l->side->conn->id,
		         l->side->which);
	else
		l->side->owed--;
	free(l->data);
	free(l);
}

static int on_produce(void *arg, uint64_t offset, void *dst, uint32_t len)
{
	struct loan *l = arg;
	struct side *s = l->side;

	if (l->base + offset + len > s->plan.length) {
		sim_fail(s->w, "conn %u.%u: asked for octets that do not exist", s->conn->id,
		         s->which);
		return -1;
	}
	if (l->base + offset + len > s->plan.fail_at)
		return -1;
	fill(s, dst, l->base + offset, len);
	return 0;
}

static struct loan *lend(struct side *s, uint64_t len)
{
	struct loan *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	l->side = s;
	l->base = s->sent;
	if (len > 0) {
		l->data = malloc(len);
		if (l->data == NULL)
			abort();
		fill(s, l->data, s->sent, len);
	}
	return l;
}

static int64_t send_copy(struct side *s, uint32_t len)
{
	struct rnl_stack *st = s->w->node[s->node].stack;
	uint8_t buf[16384];

	if (len > sizeof(buf))
		len = sizeof(buf);
	fill(s, buf, s->sent, len);
	return rnl_send(st, s->handle, buf, len);
}

static int64_t send_zc(struct side *s, uint32_t len)
{
	struct loan *l = lend(s, len);
	int64_t n;

	s->owed++;
	n = rnl_send_zc(s->w->node[s->node].stack, s->handle, l->data, len, on_release, l);
	if (n <= 0) {
		s->owed--;
		free(l->data);
		free(l);
	} else if (n != len) {
		sim_fail(s->w, "conn %u.%u: a part of a zero-copy send was taken", s->conn->id,
		         s->which);
	}
	return n;
}

static int64_t send_pull(struct side *s, uint32_t len)
{
	struct loan *l = lend(s, 0);
	int rc;

	s->owed++;
	rc = rnl_send_pull(s->w->node[s->node].stack, s->handle, on_produce, l, len, on_release);
	if (rc == 0)
		return len;
	s->owed--;
	free(l);
	return rc;
}

uint64_t send_some(struct side *s, uint32_t len)
{
	uint32_t mode = sim_below(s->w, SEND_MODES);
	int64_t n;

	while ((s->plan.modes & 1u << mode) == 0)
		mode = (mode + 1) % SEND_MODES;
	/* Zero-copy is all or nothing, so it must be possible at all. */
	if (mode == SEND_ZC && len > 1500)
		len = 1500;
	n = mode == SEND_COPY ? send_copy(s, len)
	    : mode == SEND_ZC ? send_zc(s, len)
	                      : send_pull(s, len);
	if (n == -ENOBUFS) {
		rnl_conn_timer(s->w->node[s->node].stack, s->handle, s->w->now_ns + 5 * SIM_MS);
		s->paused = true;
		return 0;
	}
	if (n == -ENOTCONN) /* it ended, and `closed` follows */
		return 0;
	if (n < 0) {
		sim_fail(s->w, "conn %u.%u: send returned %lld", s->conn->id, s->which,
		         (long long)n);
		return 0;
	}
	s->sent += (uint64_t)n;
	return (uint64_t)n;
}
