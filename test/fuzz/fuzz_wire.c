/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes every parser of lib/wire: any octets as a frame, in any chain shape, with any verdict of
 * the device. Besides what the sanitizers see, it demands that
 * - a chain and the same octets in one buffer give the same answers, and no octet is written;
 * - what was accepted lies inside the packet;
 * - options and segments that were accepted, written again and read again, are the same.
 * Input: four octets that choose shape and verdicts, then the frame.
 */
#include "frames.h"

#include <stdlib.h>

#include "wire/arp.h"
#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/icmperr.h"
#include "wire/ip.h"
#include "wire/nd.h"
#include "wire/tcphdr.h"
#include "wire/tcpopt.h"

#define CONTROL 4

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

/* All that the parsers say of one frame. Zeroed first, so that two can be compared. */
struct answers {
	enum rnl_counter eth_verdict, arp_verdict, ip_verdict, icmp_verdict, tcp_verdict;
	struct rnl_eth eth;
	struct rnl_arp arp;
	struct rnl_ip ip;
	struct rnl_icmp icmp;
	enum rnl_counter quote_verdict;
	struct rnl_icmp_error error;
	enum rnl_counter nd_verdict;
	struct rnl_nd nd;
	struct rnl_seg seg;
	uint32_t pkt_len;
};

static void demand(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return rnl_test_env_init();
}

/* ---- mutation: luck alone would hardly ever meet a checksum ---- */

/* A sound frame of one of eight kinds: TCP or echo, IPv4 or IPv6, tagged or not. */
static size_t fresh_frame(uint8_t *p, unsigned int kind)
{
	static const uint8_t options[20] = {2, 4, 5, 0xb4, 4, 2, 8, 10, [16] = 1, 3, 3, 7};
	bool v6 = kind & 2;
	uint32_t l2 = kind & 4 ? 18 : 14;

	memset(p, 2, 12);
	frame_put(p + 12, 4, 0x81000005);
	frame_put(p + l2 - 2, 2, v6 ? 0x86dd : 0x0800);
	return l2 + (kind & 1 ? frame_tcp(p + l2, v6, options, 20, 9) : frame_echo(p + l2, v6, 9));
}

/* Makes the lengths and checksums of an untagged IPv4 frame, and of ICMP in it, right again. */
static void repair(uint8_t *p, size_t size)
{
	uint32_t len = (uint32_t)size - 14, hlen;

	if (size < 34 || p[12] != 8 || p[13] != 0 || p[14] >> 4 != 4)
		return;
	p += 14;
	hlen = RTE_MAX(p[0] & 15u, 5u) * 4;
	if (hlen + 8 > len)
		return;
	p[0] = (uint8_t)(0x40 | hlen / 4);
	frame_put(p + 2, 2, len);
	frame_cksum(p, hlen, 0, 10);
	if (p[9] == 1)
		frame_cksum(p + hlen, len - hlen, 0, 2);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	if (max >= CONTROL + 128 && seed % 64 == 0) {
		memset(data, (int)(seed >> 16 & 0xff), CONTROL);
		size = CONTROL + fresh_frame(data + CONTROL, seed >> 8);
	}
	size = LLVMFuzzerMutate(data, size, max);
	if (seed % 2 != 0 && size > CONTROL)
		repair(data + CONTROL, size - CONTROL);
	return size;
}

static void set_verdicts(struct rte_mbuf *m, const uint8_t *control)
{
	static const uint64_t ip[] = {RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN, RTE_MBUF_F_RX_IP_CKSUM_BAD,
	                              RTE_MBUF_F_RX_IP_CKSUM_GOOD, RTE_MBUF_F_RX_IP_CKSUM_NONE};
	static const uint64_t l4[] = {RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN, RTE_MBUF_F_RX_L4_CKSUM_BAD,
	                              RTE_MBUF_F_RX_L4_CKSUM_GOOD, RTE_MBUF_F_RX_L4_CKSUM_NONE};

	/* Twice as often GOOD, or nothing but luck would get past the checksums. */
	m->ol_flags |= ip[control[0] & 4 ? 2 : control[0] & 3];
	m->ol_flags |= l4[control[0] & 32 ? 2 : control[0] >> 3 & 3];
	if (control[0] & 64)
		m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = control[1];
}

static struct rte_mbuf *make(const uint8_t *control, const uint8_t *p, uint32_t len, bool chained)
{
	uint32_t cuts[FRAME_MAX], n = 0, step = control[2] % 64u;
	struct rte_mbuf *m;

	for (uint32_t at = control[3]; chained && at < len && n < FRAME_MAX; at += step) {
		cuts[n++] = at;
		if (step == 0 && n >= 3) /* empty segments, then the rest */
			break;
	}
	m = rnl_test_exact(p, len, cuts, n);
	set_verdicts(m, control);
	return m;
}

static void parse_l4(struct rte_mbuf *m, struct answers *a)
{
	struct rte_mbuf *reply;

	demand(a->ip.l4_off + a->ip.l4_len == m->pkt_len);
	a->tcp_verdict = rnl_tcphdr_parse(m, &a->ip, &a->seg);
	if (a->tcp_verdict == RNL_C_ok)
		demand(a->seg.off + a->seg.len == m->pkt_len);
	a->seg.m = NULL;
	a->icmp_verdict = rnl_icmp_parse(m, &a->ip, &a->icmp);
	if (a->icmp_verdict != RNL_C_ok)
		return;
	if (rnl_icmp_is_error(&a->ip, &a->icmp))
		a->quote_verdict = rnl_icmp_error_parse(m, &a->ip, &a->icmp, &a->error);
	if (a->ip.version == 6)
		a->nd_verdict = rnl_nd_parse(m, &a->ip, &a->icmp, &a->nd);
	reply = rte_pktmbuf_alloc(rnl_test_hdr_pool());
	rnl_icmp_echo_reply(reply, m, &a->ip, &a->icmp, 64);
	rte_pktmbuf_free(reply);
}

static void parse(struct rte_mbuf *m, const uint8_t *octets, struct answers *a)
{
	const char *reason;

	memset(a, 0, sizeof(*a));
	a->eth_verdict = rnl_eth_parse(m, &a->eth);
	if (a->eth_verdict == RNL_C_ok) {
		demand(a->eth.l3_off <= m->pkt_len);
		a->arp_verdict = rnl_arp_parse(m, a->eth.l3_off, &a->arp);
		a->ip_verdict = rnl_ip_parse(m, a->eth.l3_off, &a->ip);
		if (a->ip_verdict == RNL_C_ok)
			parse_l4(m, a);
	}
	a->pkt_len = m->pkt_len;
	demand(memcmp(rnl_test_octets(m), octets, m->pkt_len) == 0);
	demand(rte_mbuf_check(m, 1, &reason) == 0);
}

static void options_round_trip(const struct rnl_tcpopt *opt)
{
	struct rnl_tcpopt in = *opt, out = {0};
	uint8_t p[RNL_TCPOPT_MAXLEN];
	unsigned int len;

	in.has &= (uint16_t)~RNL_OPT_BAD;
	len = rnl_tcpopt_write(p, &in);
	demand(len <= sizeof(p) && len % 4 == 0);
	rnl_tcpopt_parse(p, len, &out);
	/* These give way where there is no room. */
	demand((out.has | RNL_OPT_SACK | RNL_OPT_UTO | RNL_OPT_TFO | RNL_OPT_ACCECN) ==
	       (in.has | RNL_OPT_SACK | RNL_OPT_UTO | RNL_OPT_TFO | RNL_OPT_ACCECN));
	demand((out.has & ~in.has) == 0);
	if (out.has & RNL_OPT_TFO)
		demand(out.tfo_len == in.tfo_len && memcmp(out.tfo, in.tfo, in.tfo_len) == 0);
	demand(out.nsack <= in.nsack);
	demand(memcmp(out.sack, in.sack, out.nsack * sizeof(in.sack[0])) == 0);
}

/* The segment that was read, written without payload, reads the same. */
static void segment_round_trip(const struct rnl_seg *seg)
{
	struct rnl_tcphdr_out h = {
	    .key = {seg->key.raddr, seg->key.laddr, seg->key.rport, seg->key.lport},
	    .seq = seg->seq,
	    .ack = seg->ack,
	    .flags = seg->flags,
	    .wnd = seg->wnd,
	    .urp = seg->urp,
	    .ttl = seg->ttl,
	    .tos = seg->tos,
	    .opt = seg->opt};
	struct rte_mbuf *m = rte_pktmbuf_alloc(rnl_test_hdr_pool());
	struct rnl_ip ip;
	struct rnl_seg back;

	h.opt.has &= (uint16_t)~RNL_OPT_BAD;
	rnl_tcphdr_write(m, &h, 0);
	demand(rnl_ip_parse(m, 0, &ip) == RNL_C_ok);
	demand(rnl_tcphdr_parse(m, &ip, &back) == RNL_C_ok);
	demand(memcmp(&back.key, &seg->key, sizeof(back.key)) == 0);
	demand(back.seq == seg->seq && back.ack == seg->ack && back.flags == seg->flags);
	demand(back.wnd == seg->wnd && back.urp == seg->urp && back.len == 0);
	rte_pktmbuf_free(m);
}

/* The frame's octets as bare options, in a buffer without an octet to spare. */
static void parse_options(const uint8_t *p, uint32_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct rnl_tcpopt opt = {0};

	demand(copy != NULL);
	memcpy(copy, p, len);
	rnl_tcpopt_parse(copy, len, &opt);
	free(copy);
	demand(opt.nsack <= RNL_SACK_MAX);
	if (opt.has & RNL_OPT_TFO)
		demand(opt.tfo_len <= RNL_TFO_COOKIE_MAX && opt.tfo_len % 2 == 0 && opt.tfo_len != 2);
	options_round_trip(&opt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct answers whole, chain;
	const uint8_t *p = data + CONTROL;
	uint32_t len;

	if (size < CONTROL || size > CONTROL + FRAME_MAX)
		return 0;
	len = (uint32_t)size - CONTROL;
	for (int chained = 0; chained < 2; chained++) {
		struct rte_mbuf *m = make(data, p, len, chained);

		parse(m, p, chained ? &chain : &whole);
		rte_pktmbuf_free(m);
	}
	demand(memcmp(&whole, &chain, sizeof(whole)) == 0);
	parse_options(p, len);
	if (whole.ip_verdict == RNL_C_ok && whole.eth_verdict == RNL_C_ok &&
	    whole.tcp_verdict == RNL_C_ok && !rnl_addr_is_unspecified(&whole.seg.key.raddr))
		segment_round_trip(&whole.seg);
	demand(rnl_test_mbufs_out() == 0);
	return 0;
}
