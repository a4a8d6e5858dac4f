/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The groups that own addresses are looked for in (ip6.h): the port's filter lets them in, and
 * snooping switches hear of them. All groups are reported together, in mode EXCLUDE {}, so a report
 * that was lost costs nothing but time.
 * Refuses: groups of applications, sources.
 * Floor 4. RFC 4291 2.7.1, RFC 3810 6, 8.2.1; RFC 2710 4; RFC 3590 4.
 *
 * DEVIATES RFC 3810 6.1, 6.2: leaving is not reported (membership times out, which costs the link a
 * few packets), and a query about one group is answered with all.
 */
#include <string.h>

#include "stack/ip6_pvt.h"
#include "wire/ip.h"
#include "wire/octets.h"

#define ROBUSTNESS 2              /* RFC 3810 9.1 */
#define REPORT_US 1000000u        /* Unsolicited Report Interval (RFC 3810 9.11) */
#define OLDER_QUERIER_US UINT64_C(260000000) /* RFC 3810 9.12, with its defaults */
#define MAX_RESPONSE_MS 30000u    /* a querier that asks for more waits for less */
#define QUERY1_LEN 24
#define QUERY2_LEN 28

bool rnl_ip6_group_is(const struct rnl_ip6 *v, unsigned int port, const struct rnl_addr *group)
{
	unsigned int i;

	if (rnl_addr_equal(group, &rnl_nd_all_nodes))
		return true;
	for (i = 0; i < v->routes->addrs; i++) {
		const struct rnl_route_addr *own = &v->routes->addr[i];
		const struct rnl_addr its = rnl_nd_solicited_node(&own->addr);

		if (own->port == port && own->state != RNL_ADDR_DUPLICATE &&
		    !rnl_addr_is_v4(&own->addr) && rnl_addr_equal(&its, group))
			return true;
	}
	return false;
}

static bool listed(const struct rnl_addr *groups, unsigned int n, const struct rnl_addr *g)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (rnl_addr_equal(&groups[i], g))
			return true;
	}
	return false;
}

/* The solicited-node groups of a port, each once. @return how many. */
static unsigned int collect(const struct rnl_ip6 *v, unsigned int port,
                            struct rnl_addr groups[RNL_ROUTE_ADDR_MAX])
{
	unsigned int i, n = 0;

	for (i = 0; i < v->routes->addrs; i++) {
		const struct rnl_route_addr *own = &v->routes->addr[i];
		const struct rnl_addr g = rnl_nd_solicited_node(&own->addr);

		if (own->port == port && own->state != RNL_ADDR_DUPLICATE &&
		    !rnl_addr_is_v4(&own->addr) && !listed(groups, n, &g))
			groups[n++] = g;
	}
	return n;
}

void rnl_ip6_groups_changed(struct rnl_ip6 *v, unsigned int port)
{
	v->ports[port].groups_changed = true;
	rnl_ip6_wake(v, v->core->now_us);
}

/* RFC 2464 7 */
static void set_filter(struct rnl_ip6 *v, unsigned int port)
{
	const struct rnl_ip6_port *p = &v->ports[port];
	struct rnl_addr groups[RNL_ROUTE_ADDR_MAX];
	uint8_t macs[RNL_ROUTE_ADDR_MAX + 1][6];
	unsigned int i, n;

	if (p->ops == NULL || p->ops->groups == NULL)
		return;
	n = collect(v, port, groups);
	rnl_nd_group_mac(&rnl_nd_all_nodes, macs[0]);
	for (i = 0; i < n; i++)
		rnl_nd_group_mac(&groups[i], macs[i + 1]);
	p->ops->groups(p->ctx, (const uint8_t(*)[6])macs, n + 1);
}

/* ---- reports -------------------------------------------------------------------------------- */

static bool send(struct rnl_ip6 *v, unsigned int port, const struct rnl_mld_report *r)
{
	const bool v1 = v->ports[port].mld1_until_us > v->core->now_us;
	struct rte_mbuf *m = rnl_neigh_alloc(v->neigh, port, v->core->pkt_pool);
	struct rnl_addr from = {.b = {0}};
	uint8_t packet[RNL_MLD_LEN(RNL_MLD_GROUPS)], mac[6];
	uint16_t len;

	if (m == NULL)
		return false;
	/* RFC 3590 4: from nowhere, as long as the link-local address is being checked. */
	if (!rnl_ip6_has_link_local(v, port, &from))
		memset(&from, 0, sizeof(from));
	len = v1 ? rnl_mld1_write(packet, r->groups, &from) : rnl_mld_write(packet, r, &from);
	memcpy(rte_pktmbuf_append(m, len), packet, len);
	rnl_core_count(v->core, RNL_C_mld_tx_report);
	rnl_nd_group_mac(v1 ? r->groups : &rnl_mld_all_routers, mac);
	return rnl_neigh_send_to(v->neigh, port, mac, m);
}

/* @return false when not all could be sent. */
static bool report(struct rnl_ip6 *v, unsigned int port)
{
	const struct rnl_ip6_port *p = &v->ports[port];
	const unsigned int step = p->mld1_until_us > v->core->now_us ? 1 : RNL_MLD_GROUPS;
	struct rnl_addr groups[RNL_ROUTE_ADDR_MAX];
	const unsigned int n = collect(v, port, groups);
	unsigned int i;

	for (i = 0; i < n; i += step) {
		const struct rnl_mld_report r = {
		    .groups = groups + i, .n = RTE_MIN(n - i, step), .change = !p->answer};

		if (!send(v, port, &r))
			return false;
	}
	return true;
}

static void report_due(struct rnl_ip6 *v, unsigned int port)
{
	struct rnl_ip6_port *p = &v->ports[port];

	p->report_due_us = 0;
	if (!report(v, port)) {
		p->report_due_us = v->core->now_us + RNL_IP6_RETRY_US;
		return;
	}
	p->answer = false;
	if (p->reports_left > 0 && --p->reports_left > 0)
		p->report_due_us = v->core->now_us + 1 + rnl_prng_below(&v->core->prng, REPORT_US);
}

void rnl_ip6_group_expire(struct rnl_ip6 *v, unsigned int port)
{
	struct rnl_ip6_port *p = &v->ports[port];
	const uint64_t now = v->core->now_us;

	if (!p->used)
		return;
	if (p->groups_changed) {
		p->groups_changed = false;
		set_filter(v, port);
		p->reports_left = ROBUSTNESS;
		p->report_due_us = RTE_MAX(now, p->start_us);
	}
	if (p->report_due_us != 0 && p->report_due_us <= now)
		report_due(v, port);
	if (p->report_due_us != 0)
		rnl_ip6_wake(v, p->report_due_us);
}

/* ---- queries -------------------------------------------------------------------------------- */

/* RFC 3810 5.1.3: above 32767 the code is a number with an exponent. */
static uint32_t response_ms(uint16_t code)
{
	if (code < 32768)
		return code;
	return (uint32_t)((code & 0xfff) | 0x1000) << ((code >> 12 & 7) + 3);
}

/* RFC 3810 6.2: link-local, one hop, router alert; 8.1: the length tells the version. */
void rnl_ip6_mld_query(struct rnl_ip6 *v, unsigned int port, const struct rnl_ip *ip,
                       const struct rte_mbuf *m, const struct rnl_icmp *icmp)
{
	struct rnl_ip6_port *p = &v->ports[port];
	const uint64_t now = v->core->now_us;
	uint8_t scratch[8];
	const uint8_t *h;
	uint64_t at;

	if (!p->used || ip->ttl != 1 || !ip->router_alert || !rnl_addr_is_link_local(&ip->src) ||
	    (icmp->len != QUERY1_LEN && icmp->len < QUERY2_LEN)) {
		rnl_core_count(v->core, RNL_C_icmp_rx_bad);
		return;
	}
	rnl_core_count(v->core, RNL_C_mld_rx_query);
	h = rte_pktmbuf_read(m, icmp->off, sizeof(scratch), scratch);
	if (icmp->len == QUERY1_LEN)
		p->mld1_until_us = now + OLDER_QUERIER_US;
	at = now + 1 +
	     rnl_prng_below(&v->core->prng,
	                    RTE_MIN(response_ms(rnl_get16(h + 4)), MAX_RESPONSE_MS) * 1000 + 1);
	if (p->report_due_us == 0 || at < p->report_due_us)
		p->report_due_us = at;
	p->answer = true;
	rnl_ip6_wake(v, p->report_due_us);
}
