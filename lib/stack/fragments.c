/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns fragments until their packet is complete. rte_ip_frag writes into what it is given and
 * chains it, and a received packet may be its sender's (net_ring), so it is given copies: a plain
 * header of one family's shape, 20 octets or 40 and 8, and the fragment's octets. Options and
 * extension headers were stepped over by rnl_ip_parse() already and do not come along. Refuses:
 * parsing (wire/ip.c), other protocols than TCP. Floor 4. RFC 791 3.2, RFC 8200 4.5, RFC 5722 3,
 * RFC 6946 4 (an atomic fragment never gets here), RFC 3168 5.3. DEVIATES RFC 1122 3.3.2, RFC
 * 8200 4.5: fragments wait for 15 s, the first value of RFC 791 3.2, not 60 s: strangers can fill
 * the table, and IPv4's identifications come round sooner than that. When there is no room for
 * others they wait for 1 s. DEVIATES RFC 1122 3.3.2, RFC 8200 5: fragments of ICMP are dropped:
 * messages that anybody should send are shorter than any link's MTU. A packet of more than 8
 * fragments is dropped. DEVIATES RFC 792, RFC 8200 4.5: no ICMP error is sent about fragments.
 */
#include "stack/fragments.h"

#include <errno.h>

#include <rte_log.h>

#include "base/pkt.h"
#include "wire/ip.h"
#include "wire/octets.h"
#include "wire/tcphdr.h"

#define V4_HLEN 20
#define V6_HLEN 40
#define V6_FRAGMENT 44
#define V6_FRAGMENT_HLEN 8
#define BUCKET 8 /* packets with the same hash */
#define LOOK_US UINT64_C(1000000)
#define CROWDED_US UINT64_C(1000000) /* how long fragments wait when there is no room */
#define HELD_SHARE 4u                /* of max_held, one in so many */

enum { CE = 3 };

/* Where a fragment belongs. */
struct place {
	uint32_t off, len;
	bool more;
};

/* It announces its size as if somebody had asked; warnings and errors stay. */
static struct rte_ip_frag_tbl *create(uint32_t packets, int socket_id)
{
	int level = rte_log_get_level(RTE_LOGTYPE_USER1);
	struct rte_ip_frag_tbl *table;

	if (level > (int)RTE_LOG_NOTICE)
		rte_log_set_level(RTE_LOGTYPE_USER1, RTE_LOG_NOTICE);
	table = rte_ip_frag_table_create((packets + BUCKET - 1) / BUCKET, BUCKET, packets,
	                                 RNL_FRAGMENTS_WAIT_US, socket_id);
	if (level > (int)RTE_LOG_NOTICE)
		rte_log_set_level(RTE_LOGTYPE_USER1, (uint32_t)level);
	return table;
}

int rnl_fragments_init(struct rnl_fragments *f, struct rnl_core *core, uint32_t packets,
                       int socket_id)
{
	f->core = core;
	f->due_us = UINT64_MAX;
	if (packets == 0)
		return 0;
	f->table = create(packets, socket_id);
	return f->table != NULL ? 0 : -ENOMEM;
}

void rnl_fragments_fini(struct rnl_fragments *f)
{
	if (f->table == NULL)
		return;
	rte_ip_frag_table_destroy(f->table);
	f->table = NULL;
	f->core->held -= f->bufs;
	f->bufs = 0;
	f->due_us = UINT64_MAX;
}

/* Frees what the table gave up. @return packets and fragments in it. */
static uint32_t bury(struct rnl_fragments *f)
{
	uint32_t i, bufs = 0, n = f->row.cnt;

	for (i = 0; i < n; i++)
		bufs += f->row.row[i]->nb_segs;
	rte_ip_frag_free_death_row(&f->row, 0);
	f->bufs -= bufs;
	f->core->held -= bufs;
	return n;
}

/* Drops what is older than age_us, at most the whole wait. */
static void sweep(struct rnl_fragments *f, uint64_t age_us, enum rnl_counter why)
{
	uint32_t n;

	do {
		rte_ip_frag_table_del_expired_entries(
		    f->table, &f->row, f->core->now_us + RNL_FRAGMENTS_WAIT_US - age_us);
		n = bury(f);
		rnl_count_n(&f->core->counters, why, n);
	} while (n > 0);
}

void rnl_fragments_expire(struct rnl_fragments *f)
{
	sweep(f, RNL_FRAGMENTS_WAIT_US, RNL_C_ip_frag_timeout);
	f->due_us = f->bufs > 0 ? f->core->now_us + LOOK_US : UINT64_MAX;
}

/* ---- one fragment ---------------------------------------------------------------------------- */

/* For IPv6 only the first fragment tells: extension headers may come before TCP. */
static bool may_be_tcp(const struct rnl_ip *ip)
{
	return ip->proto == RNL_IPPROTO_TCP || (ip->version == 6 && rnl_ip_is_extension(ip->proto));
}

static struct place place_of(const struct rte_mbuf *m, uint16_t l3_off, const struct rnl_ip *ip)
{
	struct place at = {.len = ip->l4_len};
	uint8_t b[2];
	uint16_t word;

	rnl_pkt_copy_out(m, ip->version == 4 ? l3_off + 6u : ip->l4_off - 6u, 2, b);
	word = rnl_get16(b);
	if (ip->version == 4) {
		at.off = (word & 0x1fffu) * 8;
		at.more = word & 0x2000;
	} else {
		at.off = word & 0xfff8;
		at.more = word & 1;
	}
	return at;
}

/* RFC 791 3.2, RFC 8200 4.5: all but the last are multiples of eight, none passes 65,535 octets. */
static bool possible(const struct place *at, uint8_t version)
{
	uint32_t most = UINT16_MAX - (version == 4 ? V4_HLEN : 0);

	return at->len > 0 && at->off + at->len <= most && (!at->more || at->len % 8 == 0);
}

static bool room(const struct rnl_fragments *f)
{
	return f->bufs < f->core->held_max / HELD_SHARE && f->core->held < f->core->held_max;
}

/* Packets that lost a fragment would otherwise keep others out for the whole wait. */
static bool make_room(struct rnl_fragments *f)
{
	sweep(f, CROWDED_US, RNL_C_ip_frag_evicted);
	return room(f);
}

/* @return the fragment alone, behind a plain header, or NULL: no buffer. */
static struct rte_mbuf *copy(struct rnl_fragments *f, const struct rte_mbuf *m, uint16_t l3_off,
                             const struct rnl_ip *ip)
{
	uint16_t hlen = ip->version == 4 ? V4_HLEN : V6_HLEN + V6_FRAGMENT_HLEN;
	struct rte_mbuf *c = rte_pktmbuf_copy(m, f->core->pkt_pool, ip->l4_off, ip->l4_len), *s;
	uint8_t *h;

	if (c == NULL)
		return NULL;
	for (s = c; s != NULL; s = s->next)
		s->hash.usr = ip->tos & CE; /* finish() wants it of every fragment */
	h = (uint8_t *)rte_pktmbuf_prepend(c, hlen);
	if (ip->version == 4) {
		rnl_pkt_copy_out(m, l3_off, V4_HLEN, h);
		h[0] = 4 << 4 | V4_HLEN / 4;
		rnl_put16(h + 2, (uint16_t)(V4_HLEN + ip->l4_len));
	} else {
		rnl_pkt_copy_out(m, l3_off, V6_HLEN, h);
		rnl_put16(h + 4, (uint16_t)(V6_FRAGMENT_HLEN + ip->l4_len));
		h[6] = V6_FRAGMENT;
		rnl_pkt_copy_out(m, ip->l4_off - V6_FRAGMENT_HLEN, V6_FRAGMENT_HLEN, h + V6_HLEN);
	}
	/* The header was verified with its fragment; nobody has verified TCP's checksum. */
	c->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	c->tx_offload = 0;
	c->l3_len = hlen;
	return c;
}

/*
 * RFC 3168 5.3: a mark on any fragment is a mark on the packet, unless one says that its sender
 * knows no marks. Takes m. @return m or NULL.
 */
static struct rte_mbuf *finish(struct rnl_fragments *f, struct rte_mbuf *m)
{
	uint8_t *h = rte_pktmbuf_mtod(m, uint8_t *);
	bool marked = false, unable = false;

	for (const struct rte_mbuf *s = m; s != NULL; s = s->next) {
		marked |= s->hash.usr == CE;
		unable |= s->hash.usr == 0;
	}
	if (marked && unable) {
		rnl_core_count(f->core, RNL_C_ip_frag_bad);
		rte_pktmbuf_free(m);
		return NULL;
	}
	h[1] |= marked ? CE << (h[0] >> 4 == 4 ? 0 : 4) : 0;
	rnl_core_count(f->core, RNL_C_ip_frag_reassembled);
	return m;
}

static struct rte_mbuf *add(struct rnl_fragments *f, struct rte_mbuf *m)
{
	uint64_t now = f->core->now_us;
	void *h = rte_pktmbuf_mtod(m, void *);
	struct rte_mbuf *whole;
	uint32_t dropped;

	f->bufs += m->nb_segs;
	f->core->held += m->nb_segs;
	if (m->l3_len == V4_HLEN)
		whole = rte_ipv4_frag_reassemble_packet(f->table, &f->row, m, now, h);
	else
		whole = rte_ipv6_frag_reassemble_packet(
		    f->table, &f->row, m, now, h,
		    rte_pktmbuf_mtod_offset(m, struct rte_ipv6_fragment_ext *, V6_HLEN));
	dropped = bury(f);
	if (f->bufs > 0)
		f->due_us = RTE_MIN(f->due_us, now + RNL_FRAGMENTS_WAIT_US + 1);
	if (whole != NULL) {
		f->bufs -= whole->nb_segs;
		f->core->held -= whole->nb_segs;
		return finish(f, whole);
	}
	/* Alone, it found no room; with others, they contradict each other (RFC 5722 3). */
	rnl_core_count(f->core, dropped == 0   ? RNL_C_ip_frag_kept
	                        : dropped == 1 ? RNL_C_ip_frag_no_room
	                                       : RNL_C_ip_frag_overlap);
	if (dropped == 1)
		make_room(f);
	return NULL;
}

struct rte_mbuf *rnl_fragments_take(struct rnl_fragments *f, struct rte_mbuf *m, uint16_t l3_off,
                                    const struct rnl_ip *ip)
{
	enum rnl_counter why = RNL_C_ok;
	struct rte_mbuf *c = NULL;
	struct place at;

	if (f->table == NULL || !may_be_tcp(ip)) {
		why = RNL_C_ip_rx_fragment;
	} else {
		at = place_of(m, l3_off, ip);
		/* What add() drops is no matter of time then. */
		sweep(f, RNL_FRAGMENTS_WAIT_US, RNL_C_ip_frag_timeout);
		if (!possible(&at, ip->version))
			why = RNL_C_ip_frag_bad;
		else if ((!room(f) && !make_room(f)) || (c = copy(f, m, l3_off, ip)) == NULL)
			why = RNL_C_ip_frag_no_room;
	}
	rte_pktmbuf_free(m);
	if (why == RNL_C_ok)
		return add(f, c);
	rnl_core_count(f->core, why);
	return NULL;
}

/* RFC 1858 3, RFC 7112 5: else a filter on the way saw no ports. */
enum rnl_counter rnl_fragments_judge(const struct rte_mbuf *m, const struct rnl_ip *ip)
{
	if (ip->fragment || ip->proto != RNL_IPPROTO_TCP)
		return RNL_C_ip_rx_fragment;
	if (ip->l4_off + RNL_TCP_HLEN > m->data_len)
		return RNL_C_ip_frag_tiny;
	return RNL_C_ok;
}
