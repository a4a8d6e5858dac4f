/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads ICMP errors: their meaning by type and code, and the headers that they quote. Every length is
 * proved against the message's. Checksums of what is quoted are not asked: it may be cut.
 * Refuses: acting on them. Floor 1. RFC 792, RFC 4443, RFC 1191 4, RFC 8201 4, RFC 9293 3.9.2.2.
 */
#include "wire/icmperr.h"

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#include "wire/ip.h"
#include "wire/octets.h"

#define HLEN 8      /* of the message, in front of what it quotes */
#define TCP_QUOTE 8 /* ports and sequence number */
#define V6_EXT_MAX 8

enum v4_type { V4_UNREACHABLE = 3, V4_QUENCH = 4, V4_EXCEEDED = 11, V4_PARAMETER = 12 };
enum v6_type { V6_UNREACHABLE = 1, V6_TOO_BIG = 2, V6_EXCEEDED = 3, V6_PARAMETER = 4 };

struct meaning {
	uint8_t kind, err;
};

/* RFC 9293 3.9.2.2: codes 0, 1, 5 are soft, 2 to 4 hard. Of those that came later, what was forbidden
 * by an administrator is hard (RFC 1122 3.2.2.1, RFC 1812 5.2.7.1: 9, 10, 13), the rest soft. */
static const struct meaning v4_unreachable[] = {
    [0] = {RNL_ICMP_SOFT, ENETUNREACH},   [1] = {RNL_ICMP_SOFT, EHOSTUNREACH},
    [2] = {RNL_ICMP_HARD, ENOPROTOOPT},   [3] = {RNL_ICMP_HARD, ECONNREFUSED},
    [4] = {RNL_ICMP_TOO_BIG, EMSGSIZE},   [5] = {RNL_ICMP_SOFT, EOPNOTSUPP},
    [6] = {RNL_ICMP_SOFT, ENETUNREACH},   [7] = {RNL_ICMP_SOFT, EHOSTDOWN},
    [8] = {RNL_ICMP_SOFT, ENONET},        [9] = {RNL_ICMP_HARD, EACCES},
    [10] = {RNL_ICMP_HARD, EACCES},       [11] = {RNL_ICMP_SOFT, ENETUNREACH},
    [12] = {RNL_ICMP_SOFT, EHOSTUNREACH}, [13] = {RNL_ICMP_HARD, EACCES},
    [14] = {RNL_ICMP_SOFT, EHOSTUNREACH}, [15] = {RNL_ICMP_SOFT, EHOSTUNREACH},
};

/* RFC 9293 3.9.2.2: codes 0 and 3 are soft. RFC 5927 5.1: codes 1 and 4 are hard; RFC 4443 3.1: 5
 * and 6 are subsets of 1. */
static const struct meaning v6_unreachable[] = {
    [0] = {RNL_ICMP_SOFT, ENETUNREACH},  [1] = {RNL_ICMP_HARD, EACCES},
    [2] = {RNL_ICMP_SOFT, EHOSTUNREACH}, [3] = {RNL_ICMP_SOFT, EHOSTUNREACH},
    [4] = {RNL_ICMP_HARD, ECONNREFUSED}, [5] = {RNL_ICMP_HARD, EACCES},
    [6] = {RNL_ICMP_HARD, EACCES},
};

bool rnl_icmp_is_error(const struct rnl_ip *ip, const struct rnl_icmp *icmp)
{
	if (ip->version == 6)
		return icmp->type < 128; /* RFC 4443 2.1 */
	return icmp->type == V4_UNREACHABLE || icmp->type == V4_QUENCH ||
	       icmp->type == V4_EXCEEDED || icmp->type == V4_PARAMETER;
}

static bool look_up(const struct meaning *table, size_t n, uint8_t code, struct rnl_icmp_error *out)
{
	if (code >= n)
		return false;
	out->kind = table[code].kind;
	out->err = table[code].err;
	return true;
}

static bool soft(struct rnl_icmp_error *out, uint8_t err)
{
	out->kind = RNL_ICMP_SOFT;
	out->err = err;
	return true;
}

static enum rnl_counter v4_meaning(const struct rnl_icmp *icmp, const uint8_t *h,
				   struct rnl_icmp_error *out)
{
	bool known = false;

	if (icmp->type == V4_QUENCH)
		return RNL_C_icmp_rx_quench; /* RFC 6633 5, RFC 9293 3.9.2.2 (MUST-55) */
	if (icmp->type == V4_UNREACHABLE)
		known = look_up(v4_unreachable, RTE_DIM(v4_unreachable), icmp->code, out);
	else if (icmp->type == V4_EXCEEDED)
		known = soft(out, EHOSTUNREACH);
	else if (icmp->type == V4_PARAMETER)
		known = soft(out, EPROTO);
	if (out->kind == RNL_ICMP_TOO_BIG)
		out->mtu = rnl_get16(h + 6);
	return known ? RNL_C_ok : RNL_C_icmp_rx_other;
}

static enum rnl_counter v6_meaning(const struct rnl_icmp *icmp, const uint8_t *h,
				   struct rnl_icmp_error *out)
{
	bool known = false;

	if (icmp->type == V6_UNREACHABLE) {
		known = look_up(v6_unreachable, RTE_DIM(v6_unreachable), icmp->code, out);
	} else if (icmp->type == V6_TOO_BIG) { /* RFC 4443 3.2: the code is ignored */
		out->kind = RNL_ICMP_TOO_BIG;
		out->err = EMSGSIZE;
		out->mtu = rnl_get32(h + 4);
		known = true;
	} else if (icmp->type == V6_EXCEEDED) {
		known = soft(out, EHOSTUNREACH);
	} else if (icmp->type == V6_PARAMETER) {
		known = soft(out, EPROTO);
	}
	return known ? RNL_C_ok : RNL_C_icmp_rx_other;
}

/* What is quoted, as far as it goes. */
struct quote {
	const struct rte_mbuf *m;
	uint32_t off, end;
};

static const uint8_t *get(const struct quote *q, uint32_t off, uint32_t len, uint8_t *scratch)
{
	return off + len <= q->end ? rte_pktmbuf_read(q->m, off, len, scratch) : NULL;
}

static void map_v4(struct rnl_addr *a, const uint8_t *p)
{
	*a = rnl_addr_v4(p[0], p[1], p[2], p[3]);
}

/* @return where its TCP header is; 0: it is no TCP segment, or not its beginning. */
static uint32_t v4_quote(const struct quote *q, struct rnl_icmp_error *out)
{
	uint8_t scratch[20];
	const uint8_t *h = get(q, q->off, 20, scratch);
	uint32_t hlen;

	if (h == NULL || h[0] >> 4 != 4)
		return 0;
	hlen = (h[0] & 15u) * 4;
	if (hlen < 20 || h[9] != RNL_IPPROTO_TCP || (rnl_get16(h + 6) & 0x1fff) != 0)
		return 0;
	map_v4(&out->key.laddr, h + 12);
	map_v4(&out->key.raddr, h + 16);
	out->size = rnl_get16(h + 2);
	return q->off + hlen;
}

static bool v6_extension(uint8_t next)
{
	return next == 0 || next == 43 || next == 44 || next == 60;
}

static uint32_t v6_quote(const struct quote *q, struct rnl_icmp_error *out)
{
	uint8_t scratch[40], next;
	const uint8_t *h = get(q, q->off, 40, scratch);
	uint32_t off = q->off + 40;
	unsigned int n;

	if (h == NULL || h[0] >> 4 != 6)
		return 0;
	memcpy(&out->key.laddr, h + 8, 16);
	memcpy(&out->key.raddr, h + 24, 16);
	out->size = (uint16_t)RTE_MIN(40u + rnl_get16(h + 4), 65535u);
	next = h[6];
	for (n = 0; v6_extension(next); n++) {
		bool fragment = next == 44;

		h = get(q, off, 8, scratch);
		if (h == NULL || n == V6_EXT_MAX || (fragment && rnl_get16(h + 2) >> 3 != 0))
			return 0;
		next = h[0];
		off += fragment ? 8 : 8u * h[1] + 8;
	}
	/* A mapped address would pass for an IPv4 one. */
	if (rnl_addr_is_v4(&out->key.laddr) || rnl_addr_is_v4(&out->key.raddr))
		return 0;
	return next == RNL_IPPROTO_TCP ? off : 0;
}

enum rnl_counter rnl_icmp_error_parse(const struct rte_mbuf *m, const struct rnl_ip *ip,
				      const struct rnl_icmp *icmp, struct rnl_icmp_error *out)
{
	struct quote q = {m, icmp->off + HLEN, (uint32_t)icmp->off + icmp->len};
	uint8_t scratch[TCP_QUOTE];
	const uint8_t *h = rte_pktmbuf_read(m, icmp->off, HLEN, scratch);
	enum rnl_counter why;
	uint32_t tcp;

	memset(out, 0, sizeof(*out));
	if (h == NULL || icmp->len < HLEN)
		return RNL_C_icmp_rx_bad;
	why = ip->version == 4 ? v4_meaning(icmp, h, out) : v6_meaning(icmp, h, out);
	if (why != RNL_C_ok)
		return why;
	tcp = ip->version == 4 ? v4_quote(&q, out) : v6_quote(&q, out);
	h = tcp != 0 ? get(&q, tcp, TCP_QUOTE, scratch) : NULL;
	if (h == NULL)
		return RNL_C_icmp_error_bad_quote;
	out->key.lport = rnl_get16(h);
	out->key.rport = rnl_get16(h + 2);
	out->seq = rnl_get32(h + 4);
	return RNL_C_ok;
}
