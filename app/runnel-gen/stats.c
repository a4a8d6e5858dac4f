/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names and sums of what a lane counts. See stats.h.
 * Floor: 6 (application). Pure.
 */
#include <string.h>

#include "stats.h"

/* clang-format off */
static const struct {
	const char *name, *text;
} failures[GEN_FAIL_COUNT] = {
	[GEN_FAIL_NO_PORT] =        {"no_port", "no client port was free"},
	[GEN_FAIL_NO_BUFFER] =      {"no_buffer", "a pool was empty"},
	[GEN_FAIL_NO_ROUTE] =       {"no_route", "no route to the server"},
	[GEN_FAIL_CONNECT_OTHER] =  {"connect_other", "connect was refused by the stack"},
	[GEN_FAIL_PEER_CLOSED] =    {"peer_closed", "the server closed with answers outstanding"},
	[GEN_FAIL_UNEXPECTED] =     {"unexpected_data", "octets came that no request asked for"},
	[GEN_FAIL_VERIFY] =         {"verify", "octets differ from those expected"},
	[GEN_FAIL_HTTP_MALFORMED] = {"http_malformed", "the answer is not an HTTP/1 response"},
	[GEN_FAIL_HTTP_TOO_LONG] =  {"http_head_too_long", "the response head is over 16 KiB"},
	[GEN_FAIL_HTTP_CHUNKED] =   {"http_chunked", "chunked responses are not decoded"},
	[GEN_FAIL_HTTP_STATUS] =    {"http_status", "HTTP status other than 2xx"},
	[GEN_FAIL_SEND] =           {"send", "the stack refused to send"},
	[GEN_FAIL_NO_FIN] =         {"no_fin", "the server was to close and did not"},
	[GEN_FAIL_UNFINISHED] =     {"unfinished", "no answer by the end of the drain time"},
};
static const char *const reasons[RNL_REASON_COUNT] = {
	[RNL_REASON_NORMAL] =             "normal",
	[RNL_REASON_REFUSED] =            "refused",
	[RNL_REASON_RESET] =              "reset",
	[RNL_REASON_TIMEOUT_CONNECT] =    "timeout_connect",
	[RNL_REASON_TIMEOUT_RETRANSMIT] = "timeout_retransmit",
	[RNL_REASON_TIMEOUT_USER] =       "timeout_user",
	[RNL_REASON_TIMEOUT_KEEPALIVE] =  "timeout_keepalive",
	[RNL_REASON_TIMEOUT_IDLE] =       "timeout_idle",
	[RNL_REASON_UNREACHABLE] =        "unreachable",
	[RNL_REASON_NO_RESOURCES] =       "no_resources",
	[RNL_REASON_NOT_ADMITTED] =       "not_admitted",
	[RNL_REASON_LOCAL_ABORT] =        "local_abort",
	[RNL_REASON_PRODUCE_FAILED] =     "produce_failed",
	[RNL_REASON_DESTROYED] =          "destroyed",
};
/* clang-format on */

const char *gen_reason_name(enum rnl_reason reason)
{
	const char *name = (unsigned int)reason < RNL_REASON_COUNT ? reasons[reason] : NULL;

	return name != NULL ? name : "other";
}

const char *gen_failure_name(enum gen_failure f)
{
	return (unsigned int)f < GEN_FAIL_COUNT ? failures[f].name : "?";
}

const char *gen_failure_text(enum gen_failure f)
{
	return (unsigned int)f < GEN_FAIL_COUNT ? failures[f].text : "?";
}

void gen_stats_reset(struct gen_stats *s)
{
	memset(s, 0, offsetof(struct gen_stats, latency));
	gen_hist_reset(&s->latency);
	gen_hist_reset(&s->service);
	gen_hist_reset(&s->connect);
	gen_hist_reset(&s->lag);
}

static void add_all(uint64_t *to, const uint64_t *from, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		to[i] += from[i];
}

void gen_stats_merge(struct gen_stats *to, const struct gen_stats *from)
{
	to->sent += from->sent;
	to->completed += from->completed;
	to->failed += from->failed;
	to->done_in_time += from->done_in_time;
	to->opened_in_time += from->opened_in_time;
	to->rx_bytes += from->rx_bytes;
	to->tx_bytes += from->tx_bytes;
	to->live_done += from->live_done;
	to->live_rx_bytes += from->live_rx_bytes;
	to->live_tx_bytes += from->live_tx_bytes;
	to->connects += from->connects;
	to->connected += from->connected;
	to->closed += from->closed;
	add_all(to->failures, from->failures, GEN_FAIL_COUNT);
	add_all(to->reasons, from->reasons, RNL_REASON_COUNT);
	add_all(to->http_status, from->http_status, 5);
	if (from->window_ns > to->window_ns)
		to->window_ns = from->window_ns;
	gen_hist_merge(&to->latency, &from->latency);
	gen_hist_merge(&to->service, &from->service);
	gen_hist_merge(&to->connect, &from->connect);
	gen_hist_merge(&to->lag, &from->lag);
}

uint64_t gen_stats_errors(const struct gen_stats *s)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < GEN_FAIL_COUNT; i++)
		n += s->failures[i];
	for (i = 0; i < RNL_REASON_COUNT; i++)
		n += s->reasons[i];
	return n;
}
