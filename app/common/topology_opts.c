/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * topology_opts - the options that both programs have, from text to struct rnl_topo_opts. Floor 6.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "args_err.h"
#include "topology.h"

const char rnl_topo_usage[] =
    "  -p, --portmask MASK       ports to use, hexadecimal (all)\n"
    "  --config (P,Q,L)[,...]    queue Q of port P to lcore L (queue i to the i-th worker lcore)\n"
    "  --rxq N, --txq N          queues of each port (one for each worker lcore, where RSS "
    "exists)\n"
    "  --rxd N, --txd N          descriptors of each queue (1024)\n"
    "  --burst N                 packets of a receive burst, 1-256 (32)\n"
    "  --ip [P:]ADDR[-LAST]/LEN  address or addresses of port P (port 0), of IPv4 or IPv6;\n"
    "                            may be given several times\n"
    "  --gateway ADDR            default route; one for IPv4, one for IPv6\n"
    "  --ipv6-auto               IPv6 addresses and routes as routers advertise them\n"
    "  --ipv6-eui64              IPv6 identifiers from the Ethernet address, not opaque ones\n"
    "  --no-dad                  use IPv6 addresses at once, without looking for duplicates\n"
    "  --neigh [P:]ADDR=MAC      neighbour that is not asked for\n"
    "  --vlan N                  VLAN tag 1-4094 (none)\n"
    "  --mtu N                   largest IP packet (the device's)\n"
    "  --no-offload              checksums and segments in software\n"
    "  --promiscuous             receive frames for other Ethernet addresses too\n"
    "  --max-conns N             connections of each stack (65536)\n"
    "  --mbufs N                 data buffers of each stack (16384)\n"
    "  --rx-mbufs N              receive buffers beyond descriptors (8192)\n"
    "  --time-wait TIME          2 MSL (60s)\n"
    "  --max-hosts N             remote hosts whose path MTU is remembered (4096)\n"
    "  --pmtu-time TIME|never    how long a lowered path MTU counts, from 300s (600s)\n"
    "  --max-fragments N         packets that may be incomplete at once; 0: fragments are dropped\n"
    "                            (64)\n"
    "  --link-wait TIME          how long to wait for link up (9s)\n"
    "  --seed N                  of pseudo-random numbers (random)\n"
    "  --no-sack                 no selective acknowledgements (RFC 2018)\n"
    "  --no-timestamps           no timestamps (RFC 7323)\n"
    "  --no-wscale               no window scaling (RFC 7323)\n"
    "  --no-soft-errors          do not report ICMP errors\n"
    "  --no-black-hole           segments that time out again and again keep their size (RFC 4821)\n"
    "  --pacing                  spread what is sent over the round trip\n"
    "  --max-pacing-rate N       octets per second of each connection, such as 10M (no limit)\n"
    "  --ecn MODE                congestion notification: off, on (ask, RFC 3168), accurate (ask,\n"
    "                            RFC 9768), or default: agree to either, ask for none\n"
    "  --cc NAME                 congestion control: cubic, newreno, dctcp, ... (cubic)\n";

/* "1:10.0.0.1..." and "1:[...": steps over the port. A bare IPv6 address has neither form. */
static const char *port_of(const char *text, uint16_t *port)
{
	size_t digits = strspn(text, "0123456789");

	*port = 0;
	if (digits == 0 || digits > 2 || text[digits] != ':')
		return text;
	if (strchr(text, '.') == NULL && text[digits + 1] != '[')
		return text;
	*port = (uint16_t)strtoul(text, NULL, 10);
	return text + digits + 1;
}

/* Copies the part of text before `stop` (or all of it) without brackets. */
static void copy_part(const char *text, const char *stop, char *buf, size_t len)
{
	size_t n = stop == NULL ? strlen(text) : (size_t)(stop - text);

	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	snprintf(buf, len, "%.*s", (int)n, text);
}

static int take_ip(struct rnl_topo_opts *o, const struct rnl_arg *a)
{
	const char *slash = strchr(a->text, '/');
	struct rnl_topo_addr *to = &o->addrs[o->nb_addrs];
	char part[2 * RNL_ADDR_STRLEN];
	struct rnl_arg range = {.opt = a->opt, .text = part, .err = a->err};
	struct rnl_arg len = {.opt = a->opt, .text = slash == NULL ? "" : slash + 1, .err = a->err};
	uint64_t bits, most;

	if (o->nb_addrs == RTE_DIM(o->addrs))
		return rnl_arg_bad(a, "this option at most %zu times", RTE_DIM(o->addrs));
	if (slash == NULL)
		return rnl_arg_bad(a, "the prefix length too, such as 10.0.0.1/24");
	copy_part(port_of(a->text, &to->port), slash, part, sizeof(part));
	if (rnl_arg_addr_range(&range, &to->range) != 0)
		return -EINVAL;
	if (to->range.count > RNL_TOPO_MAX_ADDRS)
		return rnl_arg_bad(a, "at most %d addresses", RNL_TOPO_MAX_ADDRS);
	most = rnl_addr_is_v4(&to->range.first) ? 32 : 128;
	if (rnl_arg_uint(&len, 1, most, &bits) != 0)
		return rnl_arg_bad(a, "a prefix length from 1 to %u", (unsigned int)most);
	to->prefix_len = (uint8_t)bits;
	o->nb_addrs++;
	return 0;
}

static int take_neigh(struct rnl_topo_opts *o, const struct rnl_arg *a)
{
	const char *eq = strchr(a->text, '=');
	struct rnl_topo_neigh *to = &o->neighs[o->nb_neighs];
	char part[RNL_ADDR_STRLEN];
	struct rnl_arg addr = {.opt = a->opt, .text = part, .err = a->err};
	struct rnl_arg mac = {.opt = a->opt, .text = eq == NULL ? "" : eq + 1, .err = a->err};

	if (o->nb_neighs == RTE_DIM(o->neighs))
		return rnl_arg_bad(a, "this option at most %zu times", RTE_DIM(o->neighs));
	if (eq == NULL)
		return rnl_arg_bad(a, "an address and its Ethernet address, such as "
		                      "10.0.0.2=02:00:00:00:00:01");
	copy_part(port_of(a->text, &to->port), eq, part, sizeof(part));
	if (rnl_arg_addr(&addr, &to->addr) != 0 || rnl_arg_mac(&mac, to->mac) != 0)
		return -EINVAL;
	o->nb_neighs++;
	return 0;
}

static int take_ms(const struct rnl_arg *a, uint32_t max_ms, uint32_t *out)
{
	uint64_t ns;
	int rc = rnl_arg_duration(a, &ns);

	if (rc != 0)
		return rc;
	/* 0 means the default to the library, so it is no value here. */
	if (ns < 1000000 || ns / 1000000 > max_ms)
		return rnl_arg_bad(a, "a time from 1ms to %us", max_ms / 1000);
	*out = (uint32_t)(ns / 1000000);
	return 0;
}

static int take_config(struct rnl_topo_opts *o, const struct rnl_arg *a)
{
	int n = rnl_arg_config(a, o->map, RNL_TOPO_MAX_MAPS);

	if (n < 0)
		return n;
	o->nb_map = (unsigned int)n;
	return 0;
}

static int take_gateway(struct rnl_topo_opts *o, const struct rnl_arg *a)
{
	struct rnl_addr addr;
	int rc = rnl_arg_addr(a, &addr);
	unsigned int six;

	if (rc != 0)
		return rc;
	six = rnl_addr_is_v4(&addr) ? 0 : 1;
	if (o->has_gateway[six])
		return rnl_arg_bad(a, "one gateway for IPv4 and one for IPv6");
	o->gateway[six] = addr;
	o->has_gateway[six] = true;
	return 0;
}

static int take_link_wait(struct rnl_topo_opts *o, const struct rnl_arg *a)
{
	uint32_t ms = 0;
	int rc = take_ms(a, UINT16_MAX, &ms);

	if (rc == 0)
		o->link_wait_ms = (uint16_t)ms;
	return rc;
}

static int take_pmtu_time(struct rnl_topo_opts *o, const struct rnl_arg *a)
{
	uint32_t ms = 0;
	int rc;

	if (strcmp(a->text, "never") == 0) {
		o->pmtu_ms = UINT32_MAX;
		return 0;
	}
	rc = take_ms(a, 4000000000u, &ms);
	if (rc != 0)
		return rc;
	if (ms < 300000)
		return rnl_arg_bad(a, "at least 300s (RFC 8201 4), or never");
	o->pmtu_ms = ms;
	return 0;
}

static int take_max_fragments(struct rnl_topo_opts *o, const struct rnl_arg *a)
{
	int rc = rnl_arg_u32(a, 0, 65536, &o->max_fragments);

	if (rc == 0 && o->max_fragments == 0)
		o->max_fragments = UINT32_MAX; /* the library's word for none */
	return rc;
}

/* The options that are a plain number or switch; -ENOENT: it is another one. */
static int take_plain(struct rnl_topo_opts *o, int code, const struct rnl_arg *a)
{
	switch (code) {
	case RNL_TOPO_OPT_RXQ:
		return rnl_arg_u16(a, 1, 128, &o->rxq);
	case RNL_TOPO_OPT_TXQ:
		return rnl_arg_u16(a, 1, 128, &o->txq);
	case RNL_TOPO_OPT_RXD:
		return rnl_arg_u16(a, 32, 32768, &o->rxd);
	case RNL_TOPO_OPT_TXD:
		return rnl_arg_u16(a, 32, 32768, &o->txd);
	case RNL_TOPO_OPT_BURST:
		return rnl_arg_u16(a, 1, 256, &o->burst);
	case RNL_TOPO_OPT_VLAN:
		return rnl_arg_u16(a, 1, 4094, &o->vlan);
	case RNL_TOPO_OPT_MTU:
		return rnl_arg_u16(a, 68, 65535, &o->mtu);
	case RNL_TOPO_OPT_MAX_CONNS:
		return rnl_arg_u32(a, 1, 1u << 26, &o->max_conns);
	case RNL_TOPO_OPT_MBUFS:
		return rnl_arg_u32(a, 256, 1u << 26, &o->mbufs);
	case RNL_TOPO_OPT_RX_MBUFS:
		return rnl_arg_u32(a, 64, 1u << 26, &o->extra_rx);
	case RNL_TOPO_OPT_SEED:
		return rnl_arg_uint(a, 1, UINT64_MAX, &o->seed);
	case RNL_TOPO_OPT_NO_OFFLOAD:
		o->no_offloads = true;
		return 0;
	case RNL_TOPO_OPT_IPV6_AUTO:
		o->ipv6 |= RNL_IPV6_ROUTERS | RNL_IPV6_AUTOCONF;
		return 0;
	case RNL_TOPO_OPT_IPV6_EUI64:
		o->ipv6 |= RNL_IPV6_EUI64;
		return 0;
	case RNL_TOPO_OPT_NO_DAD:
		o->ipv6 |= RNL_IPV6_NO_DAD;
		return 0;
	case RNL_TOPO_OPT_PROMISCUOUS:
		o->promiscuous = true;
		return 0;
	case RNL_TOPO_OPT_NO_SACK:
		o->no_sack = true;
		return 0;
	case RNL_TOPO_OPT_NO_TIMESTAMPS:
		o->no_timestamps = true;
		return 0;
	case RNL_TOPO_OPT_NO_WSCALE:
		o->no_wscale = true;
		return 0;
	case RNL_TOPO_OPT_MAX_HOSTS:
		return rnl_arg_u32(a, 1, 1u << 24, &o->max_hosts);
	case RNL_TOPO_OPT_NO_SOFT_ERRORS:
		o->no_soft_errors = true;
		return 0;
	case RNL_TOPO_OPT_NO_BLACK_HOLE:
		o->no_black_hole = true;
		return 0;
	case RNL_TOPO_OPT_PACING:
		o->pacing = true;
		return 0;
	case RNL_TOPO_OPT_MAX_PACING_RATE:
		return rnl_arg_size(a, 256, UINT64_C(1) << 40, &o->max_pacing_rate);
	case RNL_TOPO_OPT_ECN:
		return rnl_arg_ecn(a, &o->ecn);
	case RNL_TOPO_OPT_CC:
		return rnl_arg_cc(a, &o->cc);
	default:
		return -ENOENT;
	}
}

static int take(struct rnl_topo_opts *o, int code, const struct rnl_arg *a)
{
	switch (code) {
	case 'p':
		return rnl_arg_portmask(a, &o->portmask);
	case RNL_TOPO_OPT_CONFIG:
		return take_config(o, a);
	case RNL_TOPO_OPT_IP:
		return take_ip(o, a);
	case RNL_TOPO_OPT_GATEWAY:
		return take_gateway(o, a);
	case RNL_TOPO_OPT_NEIGH:
		return take_neigh(o, a);
	case RNL_TOPO_OPT_TIME_WAIT:
		return take_ms(a, 600000, &o->time_wait_ms);
	case RNL_TOPO_OPT_LINK_WAIT:
		return take_link_wait(o, a);
	case RNL_TOPO_OPT_PMTU_TIME:
		return take_pmtu_time(o, a);
	case RNL_TOPO_OPT_MAX_FRAGMENTS:
		return take_max_fragments(o, a);
	default:
		return take_plain(o, code, a);
	}
}

static const char *name_of(int code)
{
	static const char *const names[] = {
	    "--rxq",      "--txq",        "--rxd",         "--txd",       "--burst",
	    "--config",   "--ip",         "--gateway",     "--ipv6-auto",
	    "--ipv6-eui64", "--no-dad",   "--neigh",     "--vlan",
	    "--mtu",      "--no-offload", "--promiscuous", "--max-conns", "--mbufs",
	    "--rx-mbufs", "--time-wait",  "--seed",        "--link-wait", "--no-sack",
	    "--no-timestamps", "--no-wscale", "--pacing", "--max-pacing-rate", "--cc", "--ecn",
	    "--max-hosts", "--pmtu-time", "--max-fragments", "--no-soft-errors", "--no-black-hole",
	};
	unsigned int i = (unsigned int)(code - RNL_TOPO_OPT_RXQ);

	return code == 'p' ? "-p" : i < RTE_DIM(names) ? names[i] : "?";
}

int rnl_topo_option(struct rnl_topo_opts *o, int code, const char *value, struct rnl_error *err)
{
	const struct rnl_arg a = {.opt = name_of(code), .text = value, .err = err};
	int rc = take(o, code, &a);

	return rc == 0 ? 1 : rc == -ENOENT ? 0 : rc;
}
