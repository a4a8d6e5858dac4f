/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The send buffer: cases by hand; each allocation made to fail in turn; then random queueing,
 * packets and acknowledgements with a port that keeps packets and alters their buffers as a ring's
 * peer may, compared octet by octet with a model of the stream.
 */
#include "env.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_mempool.h>

#include "algo/sndbuf.h"
#include "base/prng.h"

#define MSS 1448
#define HEADERS 54

struct world {
	struct rnl_sndbuf b;
	struct rnl_sndbuf_env env;
	struct rnl_zc_list zc;
	struct rnl_pool chunks;
	void *mem;
	int produce_rc;
	uint64_t pull_off; /* stream offset of the pull chunk that is queued in cases by hand */
};

/* The octet at stream offset `off`. */
static uint8_t octet(uint64_t off)
{
	return (uint8_t)((off * 0x9e3779b97f4a7c15u) >> 29);
}

static void fill(uint8_t *dst, uint64_t off, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		dst[i] = octet(off + i);
}

static void world_init(struct world *w, uint32_t chunks, bool multi_segs)
{
	memset(w, 0, sizeof(*w));
	w->mem = calloc(1, rnl_pool_bytes(chunks, sizeof(struct rnl_chunk)));
	assert_non_null(w->mem);
	rnl_pool_init(&w->chunks, w->mem, chunks, sizeof(struct rnl_chunk),
	              offsetof(struct rnl_chunk, next));
	w->env = (struct rnl_sndbuf_env){.chunks = &w->chunks,
	                                 .pkt_pool = rnl_test_pkt_pool(),
	                                 .hdr_pool = rnl_test_hdr_pool(),
	                                 .zc = &w->zc,
	                                 .multi_segs = multi_segs};
}

static void check(const struct world *w)
{
	const char *broken = rnl_sndbuf_check(&w->b, &w->chunks);

	if (broken != NULL)
		fail_msg("sndbuf: %s", broken);
}

/* @return how many releases were due; calls them. */
static int run_releases(struct world *w)
{
	rnl_release_fn release;
	void *arg;
	int n = 0;

	/* A poll looks at 32 records: enough polls for all. */
	for (uint32_t i = 0; i <= w->chunks.used / 32; i++)
		rnl_zc_poll(&w->zc);
	for (; rnl_zc_next(&w->zc, &release, &arg); n++)
		release(NULL, arg);
	return n;
}

static void world_end(struct world *w)
{
	rnl_sndbuf_clear(&w->b, &w->env);
	check(w);
	run_releases(w);
	assert_false(rnl_zc_pending(&w->zc));
	assert_int_equal(w->chunks.used, 0);
	free(w->mem);
}

static uint32_t copy(struct world *w, uint32_t len)
{
	static uint8_t data[1 << 17];
	uint32_t n;

	assert_true(len <= sizeof(data));
	fill(data, w->b.end, len);
	n = rnl_sndbuf_copy(&w->b, &w->env, data, len, MSS);
	check(w);
	return n;
}

static void count_release(struct rnl_stack *st, void *arg)
{
	(void)st;
	(*(int *)arg)++;
}

static int zc(struct world *w, const void *data, uint32_t len, int *released)
{
	struct rnl_chunk c = {
	    .len = len, .v.data = data, .release = count_release, .release_arg = released};
	int rc = rnl_sndbuf_zc(&w->b, &w->env, &c);

	check(w);
	return rc;
}

static int produce(void *arg, uint64_t offset, void *dst, uint32_t len)
{
	struct world *w = arg;

	fill(dst, w->pull_off + offset, len);
	return w->produce_rc;
}

static int pull(struct world *w, uint64_t len, int *released)
{
	struct rnl_chunk c = {.len = len,
	                      .u.produce = produce,
	                      .v.arg = w,
	                      .release = released != NULL ? count_release : NULL,
	                      .release_arg = released};
	int rc;

	w->pull_off = w->b.end;
	rc = rnl_sndbuf_pull(&w->b, &w->env, &c);
	check(w);
	return rc;
}

static struct rte_mbuf *try_packet(struct world *w, uint64_t off, uint32_t len, int *err)
{
	struct rte_mbuf *m = rnl_sndbuf_packet(&w->b, &w->env, off, len, err);
	const uint8_t *octets;
	const char *reason;

	check(w);
	assert_true((m == NULL) == (*err != 0));
	if (m == NULL)
		return NULL;
	assert_int_equal(rte_mbuf_check(m, 1, &reason), 0);
	assert_int_equal(m->pkt_len, len);
	assert_true(rte_pktmbuf_headroom(m) >= 118);
	assert_int_equal(m->ol_flags & ~(RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL), 0);
	assert_int_equal(m->tx_offload, 0);
	assert_int_equal(m->packet_type, 0);
	assert_true(w->env.multi_segs || m->nb_segs == 1);
	octets = rnl_test_octets(m);
	for (uint64_t at = 0; at < len; at++)
		if (octets[at] != octet(off + at))
			fail_msg("octet %u of the packet at %u is wrong", (unsigned)at,
			         (unsigned)off);
	return m;
}

static struct rte_mbuf *packet(struct world *w, uint64_t off, uint32_t len)
{
	int err;
	struct rte_mbuf *m = try_packet(w, off, len, &err);

	assert_non_null(m);
	return m;
}

/* ---- cases by hand ---- */

static void sndbuf__whole_chunk_is_sent_in_place(void **state)
{
	struct rte_mbuf *m, *again;
	struct world w;

	world_init(&w, 8, true);
	assert_int_equal(copy(&w, MSS), MSS);
	assert_int_equal(rnl_test_mbufs_out(), 1);
	m = packet(&w, 0, MSS);
	assert_int_equal(rnl_test_mbufs_out(), 1);
	assert_int_equal(rte_mbuf_refcnt_read(m), 2);
	assert_non_null(rte_pktmbuf_prepend(m, HEADERS));
	rte_pktmbuf_trim(m, 100); /* the port leaves the buffer's fields as it likes */
	m->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	m->packet_type = RTE_PTYPE_L4_TCP;
	m->tx_offload = UINT64_MAX;
	m->nb_segs = 2;
	rte_pktmbuf_free_seg(m);
	again = packet(&w, 0, MSS);
	assert_ptr_equal(again, m);
	rte_pktmbuf_free(again);
	world_end(&w);
}

static void sndbuf__shared_chunk_is_attached_again(void **state)
{
	struct rte_mbuf *m, *again;
	struct world w;

	world_init(&w, 8, true);
	copy(&w, MSS);
	m = packet(&w, 0, MSS);
	/* The peer of a ring trims what it got, and links it into a chain of its own. */
	rte_pktmbuf_adj(m, 100);
	rte_pktmbuf_trim(m, 100);
	m->next = m;
	m->nb_segs = 7;
	m->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM;
	again = packet(&w, 0, MSS);
	assert_int_equal(again->nb_segs, 2);
	assert_int_equal(again->data_len, 0);
	assert_ptr_equal(again->next->buf_addr, m->buf_addr);
	rnl_sndbuf_ack(&w.b, &w.env, MSS); /* while both are out */
	check(&w);
	m->next = NULL;
	rte_pktmbuf_free_seg(m);
	rte_pktmbuf_free(again);
	world_end(&w);
}

static void sndbuf__no_chains_means_copies(void **state)
{
	struct rte_mbuf *m, *again;
	struct world w;
	int err;

	world_init(&w, 8, false);
	copy(&w, 3 * MSS);
	m = packet(&w, 0, MSS);
	again = packet(&w, 0, MSS);
	assert_int_equal(again->nb_segs, 1);
	assert_ptr_not_equal(again->buf_addr, m->buf_addr);
	rte_pktmbuf_free(again);
	again = packet(&w, MSS - 10, MSS);
	assert_null(try_packet(&w, 0, 3 * MSS, &err));
	assert_int_equal(err, -EMSGSIZE);
	rte_pktmbuf_free(again);
	rte_pktmbuf_free(m);
	world_end(&w);
}

static void sndbuf__few_octets_are_copied(void **state)
{
	struct rte_mbuf *m;
	struct world w;

	world_init(&w, 8, true);
	copy(&w, 3 * MSS);
	m = packet(&w, MSS - 100, 255);
	assert_int_equal(m->nb_segs, 1);
	rte_pktmbuf_free(m);
	m = packet(&w, MSS - 100, 256);
	assert_int_equal(m->nb_segs, 3);
	rte_pktmbuf_free(m);
	world_end(&w);
}

static void sndbuf__small_sends_share_a_buffer(void **state)
{
	struct rte_mbuf *m;
	struct world w;

	world_init(&w, 8, true);
	for (int i = 0; i < MSS / 8; i++)
		assert_int_equal(copy(&w, 8), 8);
	assert_int_equal(w.chunks.used, 1);
	assert_int_equal(w.b.bytes, MSS);
	copy(&w, 10);
	assert_int_equal(w.chunks.used, 2);
	m = packet(&w, MSS, 4); /* a part of it was sent: it is closed */
	copy(&w, 10);
	assert_int_equal(w.chunks.used, 3);
	rte_pktmbuf_free(m);
	m = packet(&w, 0, MSS);
	assert_int_equal(m->nb_segs, 1);
	rte_pktmbuf_free(m);
	world_end(&w);
}

static void sndbuf__acks_inside_chunks(void **state)
{
	struct rte_mbuf *m;
	struct world w;

	world_init(&w, 8, true);
	copy(&w, 3 * MSS);
	rnl_sndbuf_ack(&w.b, &w.env, MSS - 1);
	check(&w);
	assert_int_equal(w.b.bytes, 2 * MSS + 1);
	assert_int_equal(rnl_test_mbufs_out(), 3);
	m = packet(&w, MSS - 1, 2 * MSS + 1);
	rte_pktmbuf_free(m);
	rnl_sndbuf_ack(&w.b, &w.env, MSS);
	check(&w);
	assert_int_equal(rnl_test_mbufs_out(), 2);
	rnl_sndbuf_ack(&w.b, &w.env, 3 * MSS);
	check(&w);
	assert_int_equal(w.b.bytes, 0);
	assert_int_equal(rnl_sndbuf_left(&w.b, 3 * MSS), 0);
	world_end(&w);
}

static void sndbuf__zc_waits_for_the_port(void **state)
{
	struct rte_mbuf *m, *clone;
	uint8_t *data = malloc(20000);
	struct world w;
	int released = 0;

	world_init(&w, 8, true);
	w.b.owner = 7;
	fill(data, 0, 20000);
	assert_int_equal(zc(&w, data, 20000, &released), 0);
	assert_int_equal(w.b.bytes, 20000);
	m = packet(&w, 0, 20000);
	assert_int_equal(m->nb_segs, 2);
	assert_ptr_equal(m->next->buf_addr, data);
	clone = rte_pktmbuf_clone(m, rnl_test_hdr_pool());
	rnl_sndbuf_ack(&w.b, &w.env, 20000);
	assert_int_equal(run_releases(&w), 0);
	assert_true(rnl_zc_pending(&w.zc));
	assert_true(rnl_zc_owned(&w.zc, 7));
	assert_false(rnl_zc_owned(&w.zc, 8));
	rte_pktmbuf_free(m);
	assert_int_equal(run_releases(&w), 0);
	rte_pktmbuf_free(clone);
	assert_true(rnl_zc_poll(&w.zc));
	assert_true(rnl_zc_owned(&w.zc, 7));
	assert_int_equal(run_releases(&w), 1);
	assert_int_equal(released, 1);
	assert_false(rnl_zc_owned(&w.zc, 7));
	world_end(&w);
	assert_int_equal(released, 1);
	free(data);
}

static void sndbuf__zc_without_release(void **state)
{
	uint8_t data[1000];
	struct rnl_chunk c = {.len = sizeof(data), .v.data = data};
	struct rte_mbuf *m;
	struct world w;

	world_init(&w, 8, true);
	fill(data, 0, sizeof(data));
	assert_int_equal(rnl_sndbuf_zc(&w.b, &w.env, &c), 0);
	m = packet(&w, 0, sizeof(data));
	rnl_sndbuf_clear(&w.b, &w.env);
	assert_true(rnl_zc_pending(&w.zc));
	rte_pktmbuf_free(m);
	assert_int_equal(run_releases(&w), 0);
	world_end(&w);
}

static void sndbuf__zc_without_an_iova_is_copied(void **state)
{
	uint8_t *data = malloc(5000);
	struct rte_mbuf *m;
	struct world w;
	int released = 0;

	world_init(&w, 8, true);
	fill(data, 0, 5000);
	assert_int_equal(zc(&w, data, 5000, &released), 0);
	((struct rnl_chunk *)rnl_pool_at(&w.chunks, w.b.head))->iova = RNL_SNDBUF_NO_IOVA;
	m = packet(&w, 0, 5000);
	assert_int_equal(m->nb_segs, 3); /* buffers of 2048 */
	rnl_sndbuf_ack(&w.b, &w.env, 5000);
	assert_int_equal(run_releases(&w), 1);
	free(data);
	rte_pktmbuf_free(m);
	world_end(&w);
}

static void sndbuf__pull_asks_again(void **state)
{
	struct rte_mbuf *m, *again;
	struct world w;
	int released = 0;

	world_init(&w, 8, true);
	copy(&w, 100);
	assert_int_equal(pull(&w, 10000, &released), 0);
	assert_int_equal(w.b.bytes, 100);
	copy(&w, 100);
	m = packet(&w, 100, MSS);
	assert_int_equal(m->nb_segs, 1);
	again = packet(&w, 100, MSS);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(again);
	m = packet(&w, 0, 10200);
	rte_pktmbuf_free(m);
	rnl_sndbuf_ack(&w.b, &w.env, 10099);
	assert_int_equal(run_releases(&w), 0);
	rnl_sndbuf_ack(&w.b, &w.env, 10100);
	assert_int_equal(run_releases(&w), 1);
	world_end(&w);
}

static void sndbuf__producer_fails(void **state)
{
	struct world w;
	int err;

	world_init(&w, 8, true);
	copy(&w, 1000);
	pull(&w, 10000, NULL);
	w.produce_rc = -1;
	assert_null(try_packet(&w, 0, 9000, &err));
	assert_int_equal(err, -EIO);
	assert_null(try_packet(&w, 1000, 100, &err));
	assert_int_equal(err, -EIO);
	assert_int_equal(rnl_test_mbufs_out(), 1);
	world_end(&w);
}

static void sndbuf__endless_pull(void **state)
{
	struct rte_mbuf *m;
	struct world w;
	int released = 0;

	world_init(&w, 8, true);
	copy(&w, 10);
	assert_int_equal(pull(&w, UINT64_MAX, &released), 0);
	assert_int_equal(w.b.end, UINT64_MAX);
	assert_int_equal(copy(&w, 10), 0);
	assert_int_equal(pull(&w, 1, &released), -ENOBUFS);
	assert_int_equal(zc(&w, "x", 1, &released), -ENOBUFS);
	w.pull_off = 10;
	rnl_sndbuf_ack(&w.b, &w.env, UINT64_C(1) << 40);
	check(&w);
	m = packet(&w, (UINT64_C(1) << 40) + 5, MSS);
	rte_pktmbuf_free(m);
	rnl_sndbuf_clear(&w.b, &w.env);
	assert_int_equal(run_releases(&w), 1);
	world_end(&w);
}

static void sndbuf__fit_counts_segments(void **state)
{
	uint8_t *data = malloc(10000);
	struct rte_mbuf *m;
	struct world w;
	uint32_t n;
	int released = 0;

	world_init(&w, 32, true);
	copy(&w, 10 * MSS);
	fill(data, w.b.end, 10000);
	zc(&w, data, 10000, &released);
	pull(&w, 10000, NULL);
	assert_int_equal(rnl_sndbuf_fit(&w.b, &w.env, 0, 10 * MSS, 5), 4 * MSS);
	assert_int_equal(rnl_sndbuf_fit(&w.b, &w.env, 1, 10 * MSS - 1, 5), 4 * MSS - 1);
	assert_int_equal(rnl_sndbuf_fit(&w.b, &w.env, 9 * MSS, 60000 - 9 * MSS, 3), MSS + 10000);
	for (unsigned int segs = 3; segs < 30; segs++) {
		n = rnl_sndbuf_fit(&w.b, &w.env, 100, (uint32_t)(w.b.end - 100), segs);
		m = packet(&w, 100, n);
		assert_true(m->nb_segs <= segs);
		assert_true(m->nb_segs == segs || n == w.b.end - 100);
		rte_pktmbuf_free(m);
	}
	world_end(&w);
	free(data);
}

static void sndbuf__wrong_arguments(void **state)
{
	struct rnl_chunk empty = {0};
	struct world w;

	world_init(&w, 8, true);
	assert_int_equal(rnl_sndbuf_zc(&w.b, &w.env, &empty), -EINVAL);
	assert_int_equal(rnl_sndbuf_pull(&w.b, &w.env, &empty), -EINVAL);
	assert_int_equal(rnl_sndbuf_copy(&w.b, &w.env, "x", 1, 0), 0);
	assert_int_equal(rnl_sndbuf_copy(&w.b, &w.env, "", 0, MSS), 0);
	assert_int_equal(w.chunks.used, 0);
	world_end(&w);
}

/* ---- each allocation fails in turn ---- */

/* Holds all but `left` objects of a mempool. @return how many are held. */
static unsigned int starve(struct rte_mempool *mp, struct rte_mbuf **held, unsigned int left)
{
	unsigned int n = rte_mempool_avail_count(mp), i;

	n = n > left ? n - left : 0;
	for (i = 0; i < n; i++) {
		held[i] = rte_pktmbuf_alloc(mp);
		assert_non_null(held[i]);
	}
	return n;
}

static void feed(struct rte_mbuf **held, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		rte_pktmbuf_free(held[i]);
}

static struct rte_mempool *small_pool(const char *name, unsigned int n, uint16_t room)
{
	struct rte_mempool *mp = rte_pktmbuf_pool_create(
	    name, n, 0, 0, (uint16_t)(room + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);

	assert_non_null(mp);
	return mp;
}

/* With `left` buffers in one pool and plenty in the other: @return whether the packet was made. */
static bool packet_with(struct world *w, struct rte_mempool *mp, unsigned int left)
{
	unsigned int out =
	    rte_mempool_in_use_count(w->env.pkt_pool) + rte_mempool_in_use_count(w->env.hdr_pool);
	struct rte_mbuf *held[64], *m;
	unsigned int n = starve(mp, held, left);
	int err;

	m = try_packet(w, 10, (uint32_t)w->b.end - 20, &err);
	if (m == NULL)
		assert_int_equal(err, -ENOBUFS);
	rte_pktmbuf_free(m);
	feed(held, n);
	assert_int_equal(out, rte_mempool_in_use_count(w->env.pkt_pool) +
	                          rte_mempool_in_use_count(w->env.hdr_pool));
	return m != NULL;
}

static void sndbuf__each_packet_allocation_fails_once(void **state)
{
	struct rte_mempool *pkt = small_pool("fail_pkt", 31, 2048);
	struct rte_mempool *hdr = small_pool("fail_hdr", 31, 256);
	uint8_t *data = malloc(5000);
	unsigned int need_pkt = 0, need_hdr = 0;
	struct world w;
	int released = 0;

	world_init(&w, 32, true);
	w.env.pkt_pool = pkt;
	w.env.hdr_pool = hdr;
	copy(&w, 3 * MSS);
	fill(data, w.b.end, 5000);
	zc(&w, data, 5000, &released);
	pull(&w, 5000, &released);
	while (!packet_with(&w, hdr, need_hdr))
		need_hdr++;
	while (!packet_with(&w, pkt, need_pkt))
		need_pkt++;
	assert_int_equal(need_hdr, 1 + 3 + 1); /* header, three copied chunks, zero-copy */
	assert_int_equal(need_pkt, 3);         /* pull */
	world_end(&w);
	assert_int_equal(released, 2);
	assert_int_equal(rte_mempool_in_use_count(pkt), 0);
	assert_int_equal(rte_mempool_in_use_count(hdr), 0);
	rte_mempool_free(pkt);
	rte_mempool_free(hdr);
	free(data);
}

static void sndbuf__no_record_is_free(void **state)
{
	uint8_t data[100];
	struct world w;
	int released = 0;

	for (uint32_t chunks = 1; chunks <= 4; chunks++) {
		world_init(&w, chunks, true);
		assert_int_equal(copy(&w, 10 * MSS), chunks * MSS);
		assert_int_equal(copy(&w, MSS), 0);
		fill(data, w.b.end, sizeof(data));
		assert_int_equal(zc(&w, data, sizeof(data), &released), -ENOBUFS);
		assert_int_equal(pull(&w, 100, &released), -ENOBUFS);
		rnl_sndbuf_ack(&w.b, &w.env, MSS);
		assert_int_equal(zc(&w, data, sizeof(data), &released), -ENOBUFS); /* needs two */
		assert_int_equal(pull(&w, 100, &released), 0);
		assert_int_equal(w.b.end, chunks * MSS + 100);
		world_end(&w);
		assert_int_equal(released, chunks);
	}
}

static void sndbuf__no_buffer_is_free(void **state)
{
	struct rte_mempool *pkt = small_pool("tiny_pkt", 3, 2048);
	struct world w;

	world_init(&w, 32, true);
	w.env.pkt_pool = pkt;
	assert_int_equal(copy(&w, 10 * MSS), 3 * MSS);
	assert_int_equal(w.chunks.used, 3);
	rnl_sndbuf_ack(&w.b, &w.env, MSS);
	assert_int_equal(copy(&w, 10 * MSS), MSS);
	world_end(&w);
	assert_int_equal(rte_mempool_in_use_count(pkt), 0);
	rte_mempool_free(pkt);
}

/* ---- random steps ---- */

#define MAX_HELD 48
#define MAX_LENT 512

/* A packet that the port keeps: where its octets were when it got it. */
struct held {
	struct rte_mbuf *m;
	uint64_t off;
	uint32_t len;
	uint16_t segs;
	const uint8_t *at[80];
	uint32_t seg_len[80];
};

/* Memory lent by a zero-copy or pull send. */
struct lent {
	struct chaos *chaos;
	uint8_t *data; /* zero-copy */
	uint64_t off, len;
	bool released;
};

struct chaos {
	struct world w;
	struct rnl_prng prng;
	uint64_t nxt; /* end of what was sent once */
	struct held held[MAX_HELD];
	unsigned int nheld;
	struct lent lent[MAX_LENT];
	unsigned int nlent;
	bool cleared, fail_produce;
};

static uint32_t below(struct chaos *c, uint32_t n)
{
	return rnl_prng_below(&c->prng, n);
}

static bool inside(const uint8_t *p, const struct lent *l)
{
	return l->data != NULL && p >= l->data && p < l->data + l->len;
}

static bool is_read(const struct chaos *c, const struct lent *l)
{
	for (unsigned int h = 0; h < c->nheld; h++)
		for (unsigned int s = 0; s < c->held[h].segs; s++)
			if (inside(c->held[h].at[s], l))
				return true;
	return false;
}

static void on_release(struct rnl_stack *st, void *arg)
{
	struct lent *l = arg;
	struct chaos *c = l->chaos;

	assert_false(l->released);
	assert_true(c->cleared || c->w.b.una >= l->off + l->len);
	assert_false(is_read(c, l));
	l->released = true;
	if (l->data != NULL)
		memset(l->data, 0xee, l->len);
	free(l->data);
	l->data = NULL;
}

static int on_produce(void *arg, uint64_t offset, void *dst, uint32_t len)
{
	struct lent *l = arg;

	assert_false(l->released);
	assert_true(offset + len <= l->len);
	fill(dst, l->off + offset, len);
	return l->chaos->fail_produce && below(l->chaos, 4) == 0 ? -1 : 0;
}

static void chaos_copy(struct chaos *c)
{
	copy(&c->w, below(c, 2) ? 1 + below(c, 100) : 1 + below(c, 8000));
}

static struct lent *lend(struct chaos *c, uint64_t len)
{
	struct lent *l = &c->lent[c->nlent++];

	*l = (struct lent){.chaos = c, .off = c->w.b.end, .len = len};
	return l;
}

static void chaos_zc(struct chaos *c)
{
	struct rnl_chunk chunk = {.release = on_release};
	struct lent *l;

	if (c->nlent == MAX_LENT)
		return;
	l = lend(c, 1 + below(c, below(c, 2) ? 300 : 90000));
	l->data = malloc(l->len);
	fill(l->data, l->off, l->len);
	chunk.len = l->len;
	chunk.v.data = l->data;
	chunk.release_arg = l;
	if (rnl_sndbuf_zc(&c->w.b, &c->w.env, &chunk) == 0)
		return;
	free(l->data);
	c->nlent--;
}

static void chaos_pull(struct chaos *c)
{
	struct rnl_chunk chunk = {.u.produce = on_produce, .release = on_release};
	struct lent *l;

	if (c->nlent == MAX_LENT)
		return;
	l = lend(c, 1 + below(c, below(c, 2) ? 300 : 60000));
	chunk.len = l->len;
	chunk.v.arg = l;
	chunk.release_arg = l;
	if (rnl_sndbuf_pull(&c->w.b, &c->w.env, &chunk) != 0)
		c->nlent--;
}

/* What a ring's peer does to a buffer that it shares with the sender: anything but write octets. */
static void alter(struct chaos *c, struct rte_mbuf *m)
{
	rte_pktmbuf_adj(m, (uint16_t)below(c, m->data_len + 1u));
	rte_pktmbuf_trim(m, (uint16_t)below(c, rte_pktmbuf_lastseg(m)->data_len + 1u));
	m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	m->packet_type = RTE_PTYPE_L4_TCP;
	m->tx_offload = UINT64_MAX;
}

static void hold(struct chaos *c, struct rte_mbuf *m, uint64_t off, uint32_t len)
{
	struct held *h = &c->held[c->nheld++];

	*h = (struct held){.m = m, .off = off, .len = len};
	for (const struct rte_mbuf *s = m; s != NULL; s = s->next) {
		assert_true(h->segs < 80);
		h->at[h->segs] = rte_pktmbuf_mtod(s, const uint8_t *);
		h->seg_len[h->segs++] = s->data_len;
	}
	/* TCP and floor 4 prepend headers. */
	memset(rte_pktmbuf_prepend(m, HEADERS), 0x55, HEADERS);
	if (below(c, 2))
		alter(c, m);
}

/* The peer reads what it was given, late, and lets go. */
static void let_go(struct chaos *c, unsigned int i)
{
	struct held *h = &c->held[i];
	uint64_t off = h->off;

	for (unsigned int s = 0; s < h->segs; s++)
		for (uint32_t k = 0; k < h->seg_len[s]; k++)
			if (h->at[s][k] != octet(off++))
				fail_msg("a packet changed in the hands of the port");
	assert_int_equal(off, h->off + h->len);
	rte_pktmbuf_free(h->m);
	c->held[i] = c->held[--c->nheld];
}

static void chaos_let_go(struct chaos *c)
{
	if (c->nheld == 0)
		return;
	/* Sometimes the peer has two packets in one chain of its own, and frees them together. */
	if (c->nheld >= 2 && below(c, 3) == 0) {
		struct rte_mbuf *first = c->held[c->nheld - 1].m;

		rte_pktmbuf_lastseg(first)->next = c->held[c->nheld - 2].m;
		c->held[c->nheld - 2].m = NULL;
		let_go(c, c->nheld - 1);
		let_go(c, c->nheld - 1);
		return;
	}
	let_go(c, below(c, c->nheld));
}

static uint32_t packet_len(struct chaos *c, uint64_t room)
{
	static const uint32_t lens[] = {MSS, MSS, 1, 200, 300, 20000, 60000};
	uint32_t len = lens[below(c, RTE_DIM(lens))];

	if (below(c, 3) == 0)
		len = 1 + below(c, len);
	if (!c->w.env.multi_segs)
		len = RTE_MIN(len, (uint32_t)MSS);
	return (uint32_t)RTE_MIN((uint64_t)len, room);
}

/* The octets of the whole copied chunk that begins at `off`, as TCP cuts them; 0: none begins
 * there. */
static uint32_t whole_chunk(const struct chaos *c, uint64_t off)
{
	for (uint32_t i = c->w.b.head; i != RNL_NIL;) {
		const struct rnl_chunk *chunk = rnl_pool_at(&c->w.chunks, i);

		if (chunk->off == off && chunk->kind == RNL_CHUNK_COPY)
			return (uint32_t)chunk->len;
		i = chunk->next;
	}
	return 0;
}

/* A range to send: new, or sent before. @return its length, 0: none. */
static uint32_t choose_range(struct chaos *c, bool again, uint64_t *off)
{
	uint64_t sent = c->nxt - c->w.b.una, room;
	uint32_t len;

	*off = c->nxt;
	if (again && sent > 0)
		*off = c->w.b.una + (below(c, 2) ? below(c, (uint32_t)sent) : 0);
	room = (*off < c->nxt ? c->nxt : c->w.b.end) - *off;
	if (room == 0)
		return 0;
	len = whole_chunk(c, *off);
	if (len == 0 || len > room || below(c, 4) == 0)
		len = packet_len(c, room);
	if (c->w.env.multi_segs && len > MSS)
		len = rnl_sndbuf_fit(&c->w.b, &c->w.env, *off, len, 3 + below(c, 70));
	return len;
}

static void chaos_packet(struct chaos *c, bool again)
{
	uint64_t off;
	uint32_t len = choose_range(c, again, &off);
	struct rte_mbuf *m;
	int err;

	if (len == 0 || c->nheld == MAX_HELD)
		return;
	m = try_packet(&c->w, off, len, &err);
	if (m == NULL) {
		assert_true(err == -ENOBUFS || (err == -EIO && c->fail_produce));
		return;
	}
	hold(c, m, off, len);
	if (off + len > c->nxt)
		c->nxt = off + len;
}

static void chaos_ack(struct chaos *c)
{
	uint64_t sent = c->nxt - c->w.b.una;

	rnl_sndbuf_ack(&c->w.b, &c->w.env, c->w.b.una + below(c, (uint32_t)sent + 1));
	check(&c->w);
}

static void chaos_clear(struct chaos *c)
{
	c->cleared = true;
	rnl_sndbuf_clear(&c->w.b, &c->w.env);
	c->nxt = 0;
}

/* What may be released has been, after the polls: nothing early (on_release), nothing late. */
static void check_releases(struct chaos *c)
{
	unsigned int keep = 0;

	run_releases(&c->w);
	for (unsigned int i = 0; i < c->nlent; i++) {
		struct lent *l = &c->lent[i];
		bool gone = c->cleared || c->w.b.una >= l->off + l->len;

		assert_int_equal(l->released, gone && !is_read(c, l));
		keep += !l->released;
	}
	if (keep == 0)
		c->nlent = 0;
}

static void chaos_step(struct chaos *c)
{
	switch (below(c, 14)) {
	case 0:
	case 1:
		chaos_copy(c);
		break;
	case 2:
		chaos_zc(c);
		break;
	case 3:
		chaos_pull(c);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		chaos_packet(c, false);
		break;
	case 8:
	case 9:
		chaos_packet(c, true);
		break;
	case 10:
		chaos_ack(c);
		break;
	default:
		chaos_let_go(c);
		break;
	}
	check(&c->w);
	check_releases(c);
}

static void run_seed(uint64_t seed, struct rte_mempool *pkt, struct rte_mempool *hdr)
{
	struct chaos *c = calloc(1, sizeof(*c));
	bool tiny = pkt != rnl_test_pkt_pool();

	assert_non_null(c);
	world_init(&c->w, tiny ? 12 : 2000, seed % 3 != 0);
	c->w.env.pkt_pool = pkt;
	c->w.env.hdr_pool = hdr;
	c->fail_produce = tiny;
	rnl_prng_seed(&c->prng, seed);
	for (int n = 0; n < 300; n++)
		chaos_step(c);
	if (seed % 2 == 0) { /* an end with octets queued and packets out */
		chaos_clear(c);
		check_releases(c);
	}
	while (c->nheld > 0)
		let_go(c, 0);
	rnl_sndbuf_ack(&c->w.b, &c->w.env, c->w.b.end);
	check_releases(c);
	assert_int_equal(c->nlent, 0);
	world_end(&c->w);
	assert_int_equal(rte_mempool_in_use_count(pkt), 0);
	assert_int_equal(rte_mempool_in_use_count(hdr), 0);
	free(c);
}

static void sndbuf__random_steps_equal_the_model(void **state)
{
	for (uint64_t seed = 0; seed < 60; seed++)
		run_seed(seed, rnl_test_pkt_pool(), rnl_test_hdr_pool());
}

static void sndbuf__random_steps_with_tiny_pools(void **state)
{
	struct rte_mempool *pkt = small_pool("chaos_pkt", 9, 2048);
	struct rte_mempool *hdr = small_pool("chaos_hdr", 9, 256);

	for (uint64_t seed = 1000; seed < 1060; seed++)
		run_seed(seed, pkt, hdr);
	rte_mempool_free(pkt);
	rte_mempool_free(hdr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rnl_unit_test(sndbuf__whole_chunk_is_sent_in_place),
	    rnl_unit_test(sndbuf__shared_chunk_is_attached_again),
	    rnl_unit_test(sndbuf__no_chains_means_copies),
	    rnl_unit_test(sndbuf__few_octets_are_copied),
	    rnl_unit_test(sndbuf__small_sends_share_a_buffer),
	    rnl_unit_test(sndbuf__acks_inside_chunks),
	    rnl_unit_test(sndbuf__zc_waits_for_the_port),
	    rnl_unit_test(sndbuf__zc_without_release),
	    rnl_unit_test(sndbuf__zc_without_an_iova_is_copied),
	    rnl_unit_test(sndbuf__pull_asks_again),
	    rnl_unit_test(sndbuf__producer_fails),
	    rnl_unit_test(sndbuf__endless_pull),
	    rnl_unit_test(sndbuf__fit_counts_segments),
	    rnl_unit_test(sndbuf__wrong_arguments),
	    rnl_unit_test(sndbuf__each_packet_allocation_fails_once),
	    rnl_unit_test(sndbuf__no_record_is_free),
	    rnl_unit_test(sndbuf__no_buffer_is_free),
	    rnl_unit_test(sndbuf__random_steps_equal_the_model),
	    rnl_unit_test(sndbuf__random_steps_with_tiny_pools),
	};
	return cmocka_run_group_tests(tests, rnl_test_group_setup, NULL);
}
