/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/tcphdr: the parser against hand-made packets, the writers against the parser and each other.
 */
#include "frames.h"

#include <rte_byteorder.h>

#include "wire/ip.h"
#include "wire/tcphdr.h"

static const uint8_t ts_option[12] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};

/* What a parse found, without the packet's address. */
struct found {
	enum rnl_counter verdict;
	struct rnl_seg seg;
};

/* Parses a packet that begins with IP in every chain shape; all agree. */
static struct found parse(const uint8_t *p, uint32_t len, uint64_t ol_flags)
{
	struct found first = {.verdict = RNL_C_COUNT};

	for (uint32_t shape = 0; shape < FRAME_SHAPES(len); shape++) {
		struct rte_mbuf *m = frame_shape(p, len, shape);
		struct found f;
		struct rnl_ip ip;

		memset(&f, 0, sizeof(f));
		m->ol_flags |= ol_flags;
		assert_int_equal(rnl_ip_parse(m, 0, &ip), RNL_C_ok);
		f.verdict = rnl_tcphdr_parse(m, &ip, &f.seg);
		assert_memory_equal(rnl_test_octets(m), p, m->pkt_len);
		if (f.verdict == RNL_C_ok) {
			assert_ptr_equal(f.seg.m, m);
			assert_int_equal(f.seg.off + f.seg.len, m->pkt_len);
		}
		f.seg.m = NULL;
		rte_pktmbuf_free(m);
		if (shape == 0)
			first = f;
		assert_memory_equal(&f, &first, sizeof(f));
	}
	return first;
}

static void tcphdr__every_field(void **state)
{
	uint8_t p[FRAME_MAX];

	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t l3 = v6 ? 40 : 20, len = frame_tcp(p, v6, ts_option, 12, 9);
		struct rnl_seg seg;
		struct found f;

		frame_put(p + l3 + 18, 2, 0x0102);
		frame_cksum(p + l3, len - l3, frame_pseudo(v6, 6, len - l3), 16);
		f = parse(p, len, 0);
		seg = f.seg;
		assert_int_equal(f.verdict, RNL_C_ok);
		assert_int_equal(seg.key.rport, 40000);
		assert_int_equal(seg.key.lport, 443);
		assert_memory_equal(seg.key.raddr.b + (v6 ? 0 : 12), p + (v6 ? 8 : 12),
		                    v6 ? 16 : 4);
		assert_memory_equal(seg.key.laddr.b + (v6 ? 0 : 12), p + (v6 ? 24 : 16),
		                    v6 ? 16 : 4);
		assert_int_equal(seg.seq, 0x11223344);
		assert_int_equal(seg.ack, 0x55667788);
		assert_int_equal(seg.flags, RNL_TH_ACK | RNL_TH_PSH);
		assert_int_equal(seg.wnd, 0xabcd);
		assert_int_equal(seg.urp, 0x0102);
		assert_int_equal(seg.len, 9);
		assert_int_equal(seg.off, l3 + 32);
		assert_int_equal(seg.tos, 0x29);
		assert_int_equal(seg.ttl, 61);
		assert_int_equal(seg.opt.has, RNL_OPT_TS);
		assert_int_equal(seg.opt.tsval, 1);
		assert_int_equal(seg.opt.tsecr, 2);
	}
}

/* Nine control bits; the three reserved ones are ignored (RFC 9293 3.1). */
static void tcphdr__control_bits(void **state)
{
	uint8_t p[FRAME_MAX];

	for (uint32_t bits = 0; bits < 0x1000; bits += 0x11) {
		uint32_t len = frame_tcp(p, false, NULL, 0, 0);

		frame_put(p + 32, 2, 0x5000 | bits);
		frame_cksum(p + 20, 20, frame_pseudo(false, 6, 20), 16);
		assert_int_equal(parse(p, len, 0).seg.flags, bits & 0x1ff);
	}
}

/* The IP header says that there is less than the TCP header needs. */
static void tcphdr__every_truncation(void **state)
{
	uint8_t p[FRAME_MAX];

	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t l3 = v6 ? 40 : 20;

		for (uint32_t n = 0; n < 32; n++) {
			frame_tcp(p, v6, ts_option, 12, 0);
			if (v6)
				frame_v6(p, 6, n);
			else
				frame_v4(p, 6, n, NULL, 0);
			frame_cksum(p + l3, n < 18 ? 18 : n, frame_pseudo(v6, 6, n), 16);
			assert_int_equal(parse(p, l3 + n, 0).verdict, RNL_C_tcp_rx_bad_header);
		}
	}
}

/* RFC 9293 3.1. */
static void tcphdr__data_offsets_that_lie(void **state)
{
	uint8_t p[FRAME_MAX];

	for (uint32_t words = 0; words < 16; words++) {
		uint32_t len = frame_tcp(p, false, NULL, 0, 12);

		memset(p + 40, 1, 12); /* NOP where options may be */
		p[32] = (uint8_t)(words << 4);
		frame_cksum(p + 20, 32, frame_pseudo(false, 6, 32), 16);
		if (words < 5 || words > 8)
			assert_int_equal(parse(p, len, 0).verdict, RNL_C_tcp_rx_bad_header);
		else
			assert_int_equal(parse(p, len, 0).seg.len, 32 - 4 * words);
	}
}

static void tcphdr__every_corrupt_octet(void **state)
{
	uint8_t p[FRAME_MAX];

	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t len = frame_tcp(p, v6, ts_option, 12, 5);

		for (uint32_t i = v6 ? 40 : 20; i < len; i++) {
			p[i] ^= 0x10;
			assert_int_not_equal(parse(p, len, 0).verdict, RNL_C_ok);
			p[i] ^= 0x10;
		}
		p[v6 ? 39 : 19] ^= 1; /* an address: only the pseudo header knows */
		if (!v6)
			frame_cksum(p, 20, 0, 10);
		assert_int_equal(parse(p, len, 0).verdict, RNL_C_tcp_rx_bad_checksum);
	}
}

/* RFC 9293 3.1. */
static void tcphdr__device_verdict(void **state)
{
	uint8_t good[FRAME_MAX], wrong[FRAME_MAX];
	uint32_t len = frame_tcp(good, true, NULL, 0, 3);

	memcpy(wrong, good, len);
	wrong[56] ^= 1;
	assert_int_equal(parse(good, len, RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN).verdict, RNL_C_ok);
	assert_int_equal(parse(good, len, RTE_MBUF_F_RX_L4_CKSUM_BAD).verdict, RNL_C_ok);
	assert_int_equal(parse(wrong, len, RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN).verdict,
	                 RNL_C_tcp_rx_bad_checksum);
	assert_int_equal(parse(wrong, len, RTE_MBUF_F_RX_L4_CKSUM_BAD).verdict,
	                 RNL_C_tcp_rx_bad_checksum);
	assert_int_equal(parse(wrong, len, RTE_MBUF_F_RX_L4_CKSUM_GOOD).verdict, RNL_C_ok);
	assert_int_equal(parse(wrong, len, RTE_MBUF_F_RX_L4_CKSUM_NONE).verdict, RNL_C_ok);
}

static void tcphdr__fragments_are_no_segments(void **state)
{
	uint8_t p[FRAME_MAX];
	uint32_t len = frame_tcp(p, false, NULL, 0, 4);

	frame_put(p + 6, 2, 0x2000);
	frame_cksum(p, 20, 0, 10);
	assert_int_equal(parse(p, len, 0).verdict, RNL_C_tcp_rx_bad_header);
}

static void tcphdr__bad_option_is_no_verdict(void **state)
{
	static const uint8_t bad[4] = {2, 0, 0, 0};
	uint8_t p[FRAME_MAX];
	struct found f = parse(p, frame_tcp(p, false, bad, 4, 1), 0);

	assert_int_equal(f.verdict, RNL_C_ok);
	assert_int_equal(f.seg.opt.has, RNL_OPT_BAD);
}

/* ---- writing ---- */

static struct rnl_tuple tuple(bool v6)
{
	struct rnl_tuple key = {.lport = 443, .rport = 50123};

	rnl_addr_parse(v6 ? "2001:db8:1::1" : "192.0.2.200", &key.laddr);
	rnl_addr_parse(v6 ? "2001:db8:ffff::fe" : "198.51.100.250", &key.raddr);
	return key;
}

static struct rnl_tcphdr_out header(bool v6)
{
	return (struct rnl_tcphdr_out){.key = tuple(v6),
	                               .seq = 0xfffffff0,
	                               .ack = 0x80000001,
	                               .flags = RNL_TH_ACK | RNL_TH_PSH | RNL_TH_AE,
	                               .wnd = 0xffee,
	                               .ip_id = 0x4321,
	                               .ttl = 64,
	                               .tos = 0x2a};
}

static const uint8_t *some_octets(void)
{
	static uint8_t p[4096];

	for (unsigned int i = 0; i < sizeof(p); i++)
		p[i] = (uint8_t)(i * 11 + 5);
	return p;
}

/* A payload with headroom; shape 0: one segment, else cut at two places. */
static struct rte_mbuf *payload(uint32_t len, uint32_t shape)
{
	uint32_t cuts[2] = {shape, shape * 2 + 1};

	return rnl_test_chain(some_octets(), len, cuts, shape == 0 ? 0 : 2);
}

/* The packet is what `h` said, with checksums that a third party finds right. */
static void check_written(struct rte_mbuf *m, const struct rnl_tcphdr_out *h, uint32_t len)
{
	uint32_t l3 = rnl_ip_hlen(&h->key.raddr);
	struct rnl_ip ip;
	struct rnl_seg seg;

	assert_int_equal(rte_mbuf_check(m, 1, &(const char *){NULL}), 0);
	assert_int_equal(rnl_ip_parse(m, 0, &ip), RNL_C_ok);
	assert_int_equal(ip.l4_off, l3);
	assert_int_equal(ip.tos, h->tos);
	assert_int_equal(ip.ttl, h->ttl);
	assert_int_equal(rnl_tcphdr_parse(m, &ip, &seg), RNL_C_ok);
	assert_true(rnl_addr_equal(&seg.key.raddr, &h->key.laddr));
	assert_true(rnl_addr_equal(&seg.key.laddr, &h->key.raddr));
	assert_int_equal(seg.key.rport, h->key.lport);
	assert_int_equal(seg.key.lport, h->key.rport);
	assert_int_equal(seg.seq, h->seq);
	assert_int_equal(seg.ack, h->ack);
	assert_int_equal(seg.flags, h->flags);
	assert_int_equal(seg.wnd, h->wnd);
	assert_int_equal(seg.urp, h->urp);
	assert_int_equal(seg.len, len);
	assert_int_equal(seg.opt.has, h->opt.has);
	assert_memory_equal(rnl_test_octets(m) + seg.off, some_octets(), len);
}

/* RFC 9293 3.1 (MUST-2). */
static void tcphdr__write_is_read_back(void **state)
{
	for (int v6 = 0; v6 < 2; v6++)
		for (uint32_t shape = 0; shape < 4; shape++)
			for (uint32_t len = 0; len < 1500; len = len * 3 + 1) {
				struct rnl_tcphdr_out h = header(v6);
				struct rte_mbuf *m = payload(len, shape);

				h.urp = 7;
				h.opt = (struct rnl_tcpopt){.has = RNL_OPT_MSS | RNL_OPT_TS,
				                            .mss = 1400,
				                            .tsval = 0xdeadbeef,
				                            .tsecr = shape};
				rnl_tcphdr_write(m, &h, 0);
				assert_int_equal(m->ol_flags, 0);
				check_written(m, &h, len);
				rte_pktmbuf_free(m);
			}
}

static uint16_t tcp_field(const struct rte_mbuf *m, uint32_t off)
{
	const uint8_t *p = rnl_test_octets(m);

	return (uint16_t)(p[off] << 8 | p[off + 1]);
}

static uint32_t pseudo_of(const struct rte_mbuf *m, bool v6, uint32_t len)
{
	const uint8_t *p = rnl_test_octets(m);
	uint32_t sum = v6 ? frame_sum(p + 8, 32, 0) : frame_sum(p + 12, 8, 0);

	return (sum + 6 + len - 1) % 0xffff + 1;
}

/* What rte_mbuf.h asks for: the pseudo header's sum in the field, lengths, family, zero IP
 * checksum. */
static void tcphdr__write_with_offloads(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct rnl_tcphdr_out h = header(v6);
		struct rte_mbuf *m = payload(100, 3);
		uint32_t l3 = v6 ? 40 : 20;

		rnl_tcphdr_write(m, &h, RNL_CAP_TX_IPV4_CKSUM | RNL_CAP_TX_TCP_CKSUM);
		assert_int_equal(
		    m->ol_flags,
		    RTE_MBUF_F_TX_TCP_CKSUM |
			(v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM));
		assert_int_equal(m->l2_len, 0);
		assert_int_equal(m->l3_len, l3);
		assert_int_equal(m->l4_len, 20);
		assert_int_equal(tcp_field(m, l3 + 16), pseudo_of(m, v6, 120));
		if (!v6)
			assert_int_equal(tcp_field(m, 10), 0);
		rte_pktmbuf_free(m);
	}
}

static void tcphdr__write_with_one_offload(void **state)
{
	struct rnl_tcphdr_out h = header(false);
	struct rte_mbuf *m = payload(10, 0);

	rnl_tcphdr_write(m, &h, RNL_CAP_TX_TCP_CKSUM);
	assert_int_equal(m->ol_flags, RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4);
	assert_int_equal(frame_sum(rnl_test_octets(m), 20, 0), 0xffff);
	rte_pktmbuf_free(m);
	m = payload(10, 0);
	rnl_tcphdr_write(m, &h, RNL_CAP_TX_IPV4_CKSUM);
	assert_int_equal(m->ol_flags, RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4);
	assert_int_equal(frame_sum(rnl_test_octets(m) + 20, 30, pseudo_of(m, false, 30)), 0xffff);
	rte_pktmbuf_free(m);
}

/* ---- the template ---- */

struct tmpl_case {
	bool v6, ts;
	uint8_t nsack, ecn;
	uint32_t len, shape, caps;
};

static struct rte_mbuf *by_template(const struct tmpl_case *c, const struct rnl_tcphdr_out *h)
{
	struct rte_mbuf *m = payload(c->len, c->shape);
	struct rnl_tcpopt sack = h->opt;
	struct rnl_tmpl_fields f = {.seq = h->seq,
	                            .ack = h->ack,
	                            .tsval = h->opt.tsval,
	                            .tsecr = h->opt.tsecr,
	                            .flags = h->flags,
	                            .wnd = h->wnd,
	                            .ip_id = h->ip_id,
	                            .sack = c->nsack > 0 ? &sack : NULL};
	struct rnl_tmpl t;

	sack.has = RNL_OPT_SACK;
	memset(&t, 0xa5, sizeof(t));
	rnl_tmpl_init(&t, &h->key, c->ts, h->ttl, (uint8_t)(h->tos & ~c->ecn));
	rnl_tmpl_write(&t, m, &f, c->ecn, c->caps);
	return m;
}

/* The template and the writer of whole headers make the same packet, octet by octet. */
static void same_as_whole(const struct tmpl_case *c)
{
	struct rnl_tcphdr_out h = header(c->v6);
	struct rte_mbuf *m, *w = payload(c->len, c->shape);
	uint8_t expected[2048];

	h.opt.has = (c->ts ? RNL_OPT_TS : 0) | (c->nsack > 0 ? RNL_OPT_SACK : 0);
	h.opt.nsack = c->nsack;
	h.opt.tsval = 0xffff0000 + c->len;
	h.opt.tsecr = 0x12ff34;
	for (uint32_t i = 0; i < RNL_SACK_MAX; i++)
		h.opt.sack[i] = (struct rnl_sack){0xfff00000 + 777 * i, 0xfff00100 + 777 * i};
	rnl_tcphdr_write(w, &h, c->caps);
	m = by_template(c, &h);
	assert_int_equal(m->pkt_len, w->pkt_len);
	memcpy(expected, rnl_test_octets(w), w->pkt_len);
	assert_memory_equal(rnl_test_octets(m), expected, m->pkt_len);
	assert_int_equal(m->ol_flags, w->ol_flags);
	assert_int_equal(m->tx_offload, w->tx_offload);
	if (c->caps == 0)
		check_written(m, &h, c->len);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(w);
}

static void tmpl__same_as_whole_header(void **state)
{
	static const uint32_t caps[] = {0, RNL_CAP_TX_TCP_CKSUM, RNL_CAP_TX_IPV4_CKSUM,
	                                RNL_CAP_TX_IPV4_CKSUM | RNL_CAP_TX_TCP_CKSUM};
	struct tmpl_case c;

	for (unsigned int n = 0; n < 2 * 2 * 5 * 2 * 4 * 3; n++)
		for (c.len = 0; c.len < 1400; c.len = c.len * 4 + 1) {
			unsigned int rest = n;

			c.v6 = rest % 2;
			c.ts = (rest /= 2) % 2;
			c.nsack = (rest /= 2) % 5;
			c.ecn = (rest /= 5) % 2 ? 2 : 0;
			c.caps = caps[(rest /= 2) % 4];
			c.shape = (rest / 4) % 3 * 5;
			same_as_whole(&c);
		}
}

/* TSO: the sum without the length, the segment size, both checksums asked for. */
static void tmpl__tso(void **state)
{
	uint32_t caps = RNL_CAP_TX_TSO | RNL_CAP_TX_TCP_CKSUM;

	for (int v6 = 0; v6 < 2; v6++) {
		struct rnl_tuple key = tuple(v6);
		struct rnl_tmpl_fields f = {.flags = RNL_TH_ACK, .tso_mss = 1000};
		uint32_t l3 = v6 ? 40 : 20;
		struct rte_mbuf *m = payload(3500, 1000);
		struct rnl_tmpl t;

		rnl_tmpl_init(&t, &key, true, 64, 0);
		rnl_tmpl_write(&t, m, &f, 0, caps);
		assert_int_equal(
		    m->ol_flags,
		    RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM |
			(v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM));
		assert_int_equal(m->tso_segsz, 1000);
		assert_int_equal(m->l3_len, l3);
		assert_int_equal(m->l4_len, 32);
		assert_int_equal(tcp_field(m, l3 + 16), pseudo_of(m, v6, 0));
		if (!v6)
			assert_int_equal(tcp_field(m, 10), 0);
		rte_pktmbuf_free(m);
		/* What fits into one segment is an ordinary one; so is all without the device. */
		m = payload(1000, 0);
		rnl_tmpl_write(&t, m, &f, 0, caps);
		assert_int_equal(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG, 0);
		assert_int_equal(m->tso_segsz, 0);
		rte_pktmbuf_free(m);
		m = payload(1001, 0);
		rnl_tmpl_write(&t, m, &f, 0, 0);
		assert_int_equal(m->ol_flags, 0);
		rte_pktmbuf_free(m);
	}
}

/* A buffer that was sent before keeps no request of that time. */
static void tmpl__old_requests_are_replaced(void **state)
{
	struct rnl_tuple key = tuple(false);
	struct rnl_tmpl_fields f = {.flags = RNL_TH_ACK};
	struct rte_mbuf *m = payload(20, 0);
	struct rnl_tmpl t;

	rnl_tmpl_init(&t, &key, false, 64, 0);
	m->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_VLAN;
	m->tx_offload = UINT64_MAX;
	rnl_tmpl_write(&t, m, &f, 0, 0);
	assert_int_equal(m->ol_flags, 0);
	assert_int_equal(m->tso_segsz, 0);
	assert_int_equal(m->l2_len, 0);
	rte_pktmbuf_free(m);
}

/* All that is written in front of the payload lies within the headroom that was promised. */
static void tmpl__stays_within_headroom(void **state)
{
	struct tmpl_case c = {.nsack = 4};

	for (unsigned int n = 0; n < 4; n++) {
		struct rnl_tcphdr_out h = header(n & 1);
		struct rte_mbuf *m;
		uint32_t least = RTE_PKTMBUF_HEADROOM - 114;

		c.v6 = n & 1;
		c.ts = n & 2;
		h.opt.nsack = 4;
		m = rte_pktmbuf_alloc(rnl_test_pkt_pool());
		memset(m->buf_addr, 0xee, RTE_PKTMBUF_HEADROOM);
		rte_pktmbuf_free(m); /* the pool's cache hands the same one out again */
		m = by_template(&c, &h);
		for (uint32_t i = 0; i < least; i++)
			assert_int_equal(((const uint8_t *)m->buf_addr)[i], 0xee);
		rte_pktmbuf_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rnl_unit_test(tcphdr__every_field),
	    rnl_unit_test(tcphdr__control_bits),
	    rnl_unit_test(tcphdr__every_truncation),
	    rnl_unit_test(tcphdr__data_offsets_that_lie),
	    rnl_unit_test(tcphdr__every_corrupt_octet),
	    rnl_unit_test(tcphdr__device_verdict),
	    rnl_unit_test(tcphdr__fragments_are_no_segments),
	    rnl_unit_test(tcphdr__bad_option_is_no_verdict),
	    rnl_unit_test(tcphdr__write_is_read_back),
	    rnl_unit_test(tcphdr__write_with_offloads),
	    rnl_unit_test(tcphdr__write_with_one_offload),
	    rnl_unit_test(tmpl__same_as_whole_header),
	    rnl_unit_test(tmpl__tso),
	    rnl_unit_test(tmpl__old_requests_are_replaced),
	    rnl_unit_test(tmpl__stays_within_headroom),
	};

	return cmocka_run_group_tests(tests, rnl_test_group_setup, NULL);
}
