/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns what a stack says by itself: once a second at most, which of the outcomes that somebody
 * should act on happened since, how often, and what to do. The counters are the source, so nothing on
 * the data path formats text. Floor 4.
 */
#include <stdio.h>

#include <rte_log.h>

#include "stack/stack.h"

#define REPORT_US 1000000

static const struct {
	uint16_t counter;
	uint8_t level; /* enum rnl_log_level */
	const char *advice;
} reports[RNL_LOG_REPORTS] = {
    {RNL_C_arp_rx_conflict, RNL_LOG_WARNING, "give one of the two hosts another address"},
    {RNL_C_nd_rx_conflict, RNL_LOG_WARNING, "give one of the two hosts another address"},
    {RNL_C_dad_conflict, RNL_LOG_ERR, "not used: give one of the two hosts another address"},
    {RNL_C_nd_table_full, RNL_LOG_WARNING, "have fewer routers or prefixes advertised"},
    {RNL_C_neigh_failed, RNL_LOG_INFO, "check that they are up and in this network"},
    {RNL_C_neigh_full, RNL_LOG_WARNING, "use a gateway, or fewer peers on link"},
    {RNL_C_pool_conns_empty, RNL_LOG_WARNING, "raise max_conns"},
    {RNL_C_pool_minis_empty, RNL_LOG_WARNING, "raise max_minis"},
    {RNL_C_pool_busy_empty, RNL_LOG_WARNING, "raise max_busy"},
    {RNL_C_pool_ranges_empty, RNL_LOG_WARNING, "raise max_busy"},
    {RNL_C_pool_chunks_empty, RNL_LOG_WARNING, "raise max_busy, or send larger pieces"},
    {RNL_C_pool_timers_empty, RNL_LOG_WARNING, "share timers between connections"},
    {RNL_C_tx_no_mbuf, RNL_LOG_WARNING, "make pkt_pool and hdr_pool larger"},
    {RNL_C_tcp_rx_no_buffer, RNL_LOG_WARNING, "consume faster, or raise max_held"},
    {RNL_C_tcp_syn_dropped_backlog, RNL_LOG_WARNING, "raise the listener's backlog"},
    {RNL_C_tcp_syncookies_sent, RNL_LOG_INFO,
     "a SYN flood, or a backlog that is too small, unless cookies are asked for"},
};

static void say(const struct rnl_stack *st, enum rnl_log_level level, const char *text)
{
	if (st->cfg.log != NULL)
		st->cfg.log(st->cfg.log_ctx, level, "stack", text);
	else
		rte_log((uint32_t)level, (uint32_t)st->logtype, "runnel: %s\n", text);
}

void rnl_log_init(struct rnl_stack *st)
{
	st->logtype = rte_log_register_type_and_pick_level("runnel.stack", RTE_LOG_WARNING);
	if (st->logtype < 0)
		st->logtype = RTE_LOGTYPE_USER1;
}

/* RFC 4862 5.4.5: a system management error. */
static void say_duplicate(const struct rnl_stack *st)
{
	char addr[RNL_ADDR_STRLEN], text[96];

	snprintf(text, sizeof(text), "stack %u: another host has %s", st->cfg.id,
		 rnl_addr_format(&st->ip6.duplicate, addr));
	say(st, RNL_LOG_ERR, text);
}

void rnl_log_report(struct rnl_stack *st)
{
	char text[192];
	unsigned int i;

	st->report_at_us = st->core.now_us + REPORT_US;
	for (i = 0; i < RNL_LOG_REPORTS; i++) {
		uint64_t now = st->core.counters.v[reports[i].counter];
		uint64_t news = now - st->reported[i];

		if (news == 0)
			continue;
		st->reported[i] = now;
		snprintf(text, sizeof(text), "stack %u: %s (%s): %llu more; %s", st->cfg.id,
			 rnl_counter_text(reports[i].counter), rnl_counter_name(reports[i].counter),
			 (unsigned long long)news, reports[i].advice);
		say(st, reports[i].level, text);
		if (reports[i].counter == RNL_C_dad_conflict)
			say_duplicate(st);
	}
}
