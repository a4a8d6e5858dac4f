/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The feasibility sum. See plan.h.
 * Floor: 6 (application). Pure.
 *
 * A server that closes first keeps TIME-WAIT itself, and a SYN may end that early (RFC 6191), so
 * the client's tuple counts as free; after RST neither side keeps anything.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "plan.h"

/** Ports 1024-65535: what one address can give at most without the well-known ones. */
#define PORTS_MAX UINT64_C(64512)

static uint64_t sat_mul(uint64_t a, uint64_t b)
{
	uint64_t r;

	return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

static uint64_t sat_add(uint64_t a, uint64_t b)
{
	uint64_t r;

	return __builtin_add_overflow(a, b, &r) ? UINT64_MAX : r;
}

static uint64_t div_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* per_s x ms / 1000, rounded up. */
static uint64_t over_time(uint64_t per_s, uint64_t ms)
{
	uint64_t r = sat_mul(per_s, ms);

	return r == UINT64_MAX ? r : div_up(r, 1000);
}

void gen_plan_make(const struct gen_plan_in *in, struct gen_plan *out)
{
	uint64_t free_tuples;

	*out = (struct gen_plan){.sustained_per_s = UINT64_MAX};
	out->tuples = sat_mul(sat_mul(in->client_addrs, in->client_ports), in->server_endpoints);
	out->needed = in->connections;
	if (in->short_lived && in->close == GEN_CLOSE_CLIENT)
		out->hold_ms = min_u64(in->time_wait_ms, in->run_ms);
	if (in->short_lived && in->rate != 0)
		out->conns_per_s = div_up(in->rate, in->requests_per_conn);
	if (out->hold_ms != 0) {
		free_tuples = out->tuples > in->connections ? out->tuples - in->connections : 0;
		out->sustained_per_s = free_tuples > UINT64_MAX / 1000
		                           ? UINT64_MAX
		                           : free_tuples * 1000 / out->hold_ms;
		out->time_waits = over_time(out->conns_per_s, out->hold_ms);
		if (out->conns_per_s == 0) /* closed loop: as many as there are tuples for */
			out->time_waits = min_u64(free_tuples, in->max_tuples);
		else
			out->needed = sat_add(out->needed, out->time_waits);
	}
	out->feasible = out->needed <= out->tuples && out->needed <= in->max_tuples;
}

/* Appends to a line of fixed room; what does not fit is cut. */
struct line {
	char *buf;
	size_t len, room;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->buf + l->len, l->room - l->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->len += min_u64((uint64_t)n, l->room - l->len - 1);
}

static void explain_sum(struct line *l, const struct gen_plan_in *in, const struct gen_plan *p)
{
	add(l, "plan: %" PRIu64 " tuples are needed (", p->needed);
	if (p->conns_per_s != 0 && p->hold_ms != 0)
		add(l, "%" PRIu64 " connections/s x %" PRIu64 ".%03" PRIu64 " s of TIME-WAIT + ",
		    p->conns_per_s, p->hold_ms / 1000, p->hold_ms % 1000);
	add(l, "%" PRIu64 " open)", in->connections);
	if (p->needed > p->tuples)
		add(l,
		    ", there are %" PRIu64 " (%" PRIu64 " client addresses x %" PRIu64
		    " ports x %" PRIu64 " server endpoints)",
		    p->tuples, in->client_addrs, in->client_ports, in->server_endpoints);
	else
		add(l, ", there is memory for %" PRIu64, in->max_tuples);
}

/* What would do, each alone, smallest change first. */
static void explain_fixes(struct line *l, const struct gen_plan_in *in, const struct gen_plan *p)
{
	uint64_t limit = min_u64(p->tuples, in->max_tuples);
	uint64_t per_addr = sat_mul(in->client_ports, in->server_endpoints);
	uint64_t wide = sat_mul(sat_mul(in->client_addrs, PORTS_MAX), in->server_endpoints);
	uint64_t rate;
	const char *sep = ": ";

	if (p->needed <= p->tuples && p->needed > in->max_tuples) {
		add(l, "%sgive --max-conns %" PRIu64, sep, p->needed);
		sep = ", or ";
	}
	if (p->needed <= in->max_tuples) {
		if (in->client_ports < PORTS_MAX && wide >= p->needed) {
			add(l, "%sgive --client-ports 1024-65535", sep);
			sep = ", or ";
		}
		if (per_addr != 0) {
			add(l, "%sgive %" PRIu64 " client addresses (--client-addr FIRST-LAST)",
			    sep, div_up(p->needed, per_addr));
			sep = ", or ";
		}
	}
	if (p->hold_ms != 0 && p->conns_per_s != 0 && limit > in->connections) {
		rate =
		    sat_mul((limit - in->connections) * 1000 / p->hold_ms, in->requests_per_conn);
		if (rate != 0) {
			add(l, "%slower --rate to %" PRIu64, sep, rate);
			sep = ", or ";
		}
	}
	if (p->hold_ms != 0 && in->connections <= limit)
		add(l, "%slet the server close (--close server) or reset (--close rst)", sep);
	else if (in->connections > limit && limit != 0)
		add(l, "%slower --connections to %" PRIu64, sep, limit);
}

size_t gen_plan_explain(const struct gen_plan_in *in, const struct gen_plan *p, char *buf,
                        size_t len)
{
	struct line l = {.buf = buf, .room = len};

	buf[0] = '\0';
	explain_sum(&l, in, p);
	explain_fixes(&l, in, p);
	return l.len;
}
