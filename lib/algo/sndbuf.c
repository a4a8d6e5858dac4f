/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The octets that the application gave and the peer has not acknowledged, and the packets that
 * carry them. A packet is made in one of three ways:
 *  - in place: the range is one whole copied chunk whose buffer nobody else holds. The packet is
 * the chunk's own buffer with one more reference; headers are prepended into its headroom.
 *  - copied: few octets, or a port that sends no chains. One buffer of pkt_pool.
 *  - chained: a header buffer, and behind it the octets, attached (copied chunks as indirect
 *    buffers, zero-copy ones as external buffers) or produced (pull).
 * A chunk's buffer that was handed out is never believed about its lengths or links: a ring's peer
 * may change them at any time. Where its octets are stands in the chunk. Refuses: sequence numbers,
 * deciding what to send, the heap. Floor 2.
 */
#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "algo/sndbuf.h"
#include "algo/zc.h"

/* Below this, copying is cheaper than a second buffer and its references. */
#define ATTACH_MIN 256
/* References that an external buffer may have; its 16-bit count never wraps. Copied beyond. */
#define EXT_REFS_MAX 60000

_Static_assert(RTE_PKTMBUF_HEADROOM >= 128, "headers of 118 octets are prepended in place");

static struct rnl_chunk *chunk_at(const struct rnl_pool *chunks, uint32_t i)
{
	return rnl_pool_at(chunks, i);
}

static uint32_t min3(uint32_t a, uint32_t b, uint32_t c)
{
	a = RTE_MIN(a, b);
	return RTE_MIN(a, c);
}

static uint64_t chunk_end(const struct rnl_chunk *c)
{
	return c->off + c->len;
}

/* ---- queueing ---- */

/* @return a new chunk of `len` octets at the end of the queue, or NULL. */
static struct rnl_chunk *chunk_add(struct rnl_sndbuf *b, struct rnl_pool *chunks, uint64_t len)
{
	uint32_t i = rnl_pool_get(chunks);
	struct rnl_chunk *c;

	if (i == RNL_NIL)
		return NULL;
	c = chunk_at(chunks, i);
	*c = (struct rnl_chunk){.off = b->end, .len = len};
	*(b->tail != RNL_NIL ? &chunk_at(chunks, b->tail)->next : &b->head) = i;
	b->tail = i;
	b->end += len;
	return c;
}

/* Puts what fits of `len` octets behind those of the last chunk. */
static uint32_t fill_tail(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env, const void *data,
                          uint32_t len, uint32_t mss)
{
	struct rnl_chunk *c = b->tail != RNL_NIL ? chunk_at(env->chunks, b->tail) : NULL;
	uint32_t room;

	if (c == NULL || c->kind != RNL_CHUNK_COPY || c->sent || c->len >= mss)
		return 0;
	room = c->u.m->buf_len - c->data_off - (uint32_t)c->len;
	len = min3(len, room, mss - (uint32_t)c->len);
	memcpy((uint8_t *)c->u.m->buf_addr + c->data_off + c->len, data, len);
	c->len += len;
	b->end += len;
	b->bytes += len;
	return len;
}

/* Puts what one buffer takes of `len` octets into a new chunk. @return 0: memory ran out. */
static uint32_t add_copy(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env, const void *data,
                         uint32_t len, uint32_t mss)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(env->pkt_pool);
	struct rnl_chunk *c;

	if (m == NULL)
		return 0;
	len = min3(len, mss, rte_pktmbuf_tailroom(m));
	c = chunk_add(b, env->chunks, len);
	if (c == NULL) {
		rte_pktmbuf_free(m);
		return 0;
	}
	c->kind = RNL_CHUNK_COPY;
	c->data_off = m->data_off;
	c->u.m = m;
	memcpy(rte_pktmbuf_mtod(m, void *), data, len);
	b->bytes += len;
	return len;
}

uint32_t rnl_sndbuf_copy(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env, const void *data,
                         uint32_t len, uint32_t mss)
{
	const uint8_t *from = data;
	uint32_t taken, n;

	len = (uint32_t)RTE_MIN((uint64_t)len, UINT64_MAX - b->end);
	if (len == 0 || mss == 0)
		return 0;
	taken = fill_tail(b, env, from, len, mss);
	while (taken < len) {
		n = add_copy(b, env, from + taken, len - taken, mss);
		if (n == 0)
			break;
		taken += n;
	}
	return taken;
}

static uint64_t iova_of(const void *data, uint32_t len)
{
	rte_iova_t first = rte_mem_virt2iova(data);
	rte_iova_t last = rte_mem_virt2iova((const uint8_t *)data + len - 1);

	if (first == RTE_BAD_IOVA || last - first != len - 1)
		return RNL_SNDBUF_NO_IOVA;
	return first;
}

int rnl_sndbuf_zc(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env,
                  const struct rnl_chunk *zc)
{
	struct rnl_zc *z;
	struct rnl_chunk *c;

	if (zc->len == 0 || zc->len > UINT32_MAX)
		return -EINVAL;
	if (zc->len > UINT64_MAX - b->end)
		return -ENOBUFS;
	z = rnl_zc_new(env->chunks, b->owner);
	if (z == NULL)
		return -ENOBUFS;
	c = chunk_add(b, env->chunks, zc->len);
	if (c == NULL) {
		rnl_pool_put(env->chunks, z->self);
		return -ENOBUFS;
	}
	z->release = zc->release;
	z->arg = zc->release_arg;
	c->kind = RNL_CHUNK_ZC;
	c->u.zc = z;
	c->v.data = zc->v.data;
	c->iova = iova_of(zc->v.data, (uint32_t)zc->len);
	b->bytes += (uint32_t)zc->len;
	return 0;
}

int rnl_sndbuf_pull(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env,
                    const struct rnl_chunk *pull)
{
	uint64_t room = UINT64_MAX - b->end;
	struct rnl_chunk *c;

	if (pull->len == 0)
		return -EINVAL;
	if (room == 0)
		return -ENOBUFS;
	c = chunk_add(b, env->chunks, RTE_MIN(pull->len, room));
	if (c == NULL)
		return -ENOBUFS;
	c->kind = RNL_CHUNK_PULL;
	c->u.produce = pull->u.produce;
	c->v.arg = pull->v.arg;
	c->release = pull->release;
	c->release_arg = pull->release_arg;
	return 0;
}

/* ---- packets ---- */

/* A packet in the making. */
struct build {
	const struct rnl_sndbuf_env *env;
	struct rte_mbuf *head, *tail;
};

/* The next octets of a range that lie in one chunk. */
struct piece {
	struct rnl_chunk *c;
	uint64_t at; /* offset in the chunk */
	uint32_t len;
};

/* Finds the chunk that holds `off` from the nearest place known before it, and remembers it. */
static struct rnl_chunk *find(struct rnl_sndbuf *b, const struct rnl_pool *chunks, uint64_t off)
{
	uint32_t i = b->head;
	uint32_t *remember = &b->rcursor;

	if (b->cursor == RNL_NIL || off >= chunk_at(chunks, b->cursor)->off)
		remember = &b->cursor;
	if (*remember != RNL_NIL && off >= chunk_at(chunks, *remember)->off)
		i = *remember;
	while (off - chunk_at(chunks, i)->off >= chunk_at(chunks, i)->len)
		i = chunk_at(chunks, i)->next;
	*remember = i;
	return chunk_at(chunks, i);
}

static struct piece piece_first(struct rnl_chunk *c, uint64_t off, uint32_t len)
{
	uint64_t at = off - c->off;

	return (struct piece){
	    .c = c, .at = at, .len = (uint32_t)RTE_MIN((uint64_t)len, c->len - at)};
}

/* The piece behind p, of at most `len` octets. */
static struct piece piece_next(const struct rnl_pool *chunks, const struct piece *p, uint32_t len)
{
	struct rnl_chunk *c = chunk_at(chunks, p->c->next);

	return piece_first(c, c->off, len);
}

/* Writes `len` octets of a chunk, from its octet `at` on, to dst. @return 0 or -EIO. */
static int chunk_read(const struct rnl_chunk *c, uint64_t at, uint32_t len, void *dst)
{
	switch (c->kind) {
	case RNL_CHUNK_COPY:
		memcpy(dst, (const uint8_t *)c->u.m->buf_addr + c->data_off + at, len);
		return 0;
	case RNL_CHUNK_ZC:
		memcpy(dst, c->v.data + at, len);
		return 0;
	default:
		return c->u.produce(c->v.arg, at, dst, len) == 0 ? 0 : -EIO;
	}
}

static void build_append(struct build *bld, struct rte_mbuf *m)
{
	if (bld->head == NULL) {
		bld->head = m;
		bld->head->pkt_len = m->data_len;
	} else {
		bld->tail->next = m;
		bld->head->nb_segs++;
		bld->head->pkt_len += m->data_len;
	}
	bld->tail = m;
}

/* @return a buffer for attached octets, behind a header buffer; or NULL. */
static struct rte_mbuf *attach_alloc(struct build *bld)
{
	struct rte_mbuf *hdr;

	if (bld->head == NULL) {
		hdr = rte_pktmbuf_alloc(bld->env->hdr_pool);
		if (hdr == NULL)
			return NULL;
		build_append(bld, hdr);
	}
	return rte_pktmbuf_alloc(bld->env->hdr_pool);
}

/* rte_pktmbuf_attach() would copy lengths and flags of the shared buffer, which are not ours to
 * read. */
static int attach_copy(struct build *bld, const struct piece *p)
{
	struct rte_mbuf *m = p->c->u.m, *mi = attach_alloc(bld);

	if (mi == NULL)
		return -ENOBUFS;
	rte_mbuf_refcnt_update(m, 1);
	mi->ol_flags = RTE_MBUF_F_INDIRECT;
	mi->priv_size = m->priv_size; /* how the direct buffer is found again */
	mi->buf_addr = m->buf_addr;
	rte_mbuf_iova_set(mi, rte_mbuf_iova_get(m));
	mi->buf_len = m->buf_len;
	mi->data_off = (uint16_t)(p->c->data_off + p->at);
	mi->data_len = (uint16_t)p->len;
	mi->pkt_len = p->len;
	build_append(bld, mi);
	return 0;
}

static int attach_zc(struct build *bld, const struct piece *p)
{
	struct rte_mbuf_ext_shared_info *shinfo = &p->c->u.zc->shinfo;
	struct rte_mbuf *mi = attach_alloc(bld);
	uintptr_t addr = (uintptr_t)(p->c->v.data + p->at);

	if (mi == NULL)
		return -ENOBUFS;
	rte_mbuf_ext_refcnt_update(shinfo, 1);
	rte_pktmbuf_attach_extbuf(mi, (void *)addr, p->c->iova + p->at, (uint16_t)p->len, shinfo);
	mi->data_len = (uint16_t)p->len;
	mi->pkt_len = p->len;
	build_append(bld, mi);
	return 0;
}

/* Appends buffers of pkt_pool that hold a piece's octets. */
static int append_read(struct build *bld, const struct piece *p)
{
	for (uint32_t done = 0, n; done < p->len; done += n) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(bld->env->pkt_pool);
		int rc;

		if (m == NULL)
			return -ENOBUFS;
		n = RTE_MIN(p->len - done, (uint32_t)rte_pktmbuf_tailroom(m));
		rc = chunk_read(p->c, p->at + done, n, rte_pktmbuf_mtod(m, void *));
		if (rc != 0) {
			rte_pktmbuf_free(m);
			return rc;
		}
		m->data_len = (uint16_t)n;
		build_append(bld, m);
	}
	return 0;
}

/* An external buffer's length has 16 bits, its count of references too. */
static bool zc_attachable(const struct rnl_chunk *c, uint32_t len)
{
	return c->iova != RNL_SNDBUF_NO_IOVA && len <= UINT16_MAX &&
	       rte_mbuf_ext_refcnt_read(&c->u.zc->shinfo) < EXT_REFS_MAX;
}

static int append_piece(struct build *bld, const struct piece *p)
{
	if (p->c->kind == RNL_CHUNK_COPY)
		return attach_copy(bld, p);
	if (p->c->kind == RNL_CHUNK_ZC && zc_attachable(p->c, p->len))
		return attach_zc(bld, p);
	return append_read(bld, p);
}

/* A header and the range's octets, attached or produced. */
static struct rte_mbuf *packet_chained(const struct rnl_sndbuf_env *env, struct piece p,
                                       uint32_t len, int *err)
{
	struct build bld = {.env = env};

	for (;;) {
		*err = append_piece(&bld, &p);
		if (*err != 0) {
			rte_pktmbuf_free(bld.head);
			return NULL;
		}
		p.c->sent = true;
		len -= p.len;
		if (len == 0)
			return bld.head;
		p = piece_next(env->chunks, &p, len);
	}
}

/* One buffer with a copy of the range. */
static struct rte_mbuf *packet_copied(const struct rnl_sndbuf_env *env, struct piece p,
                                      uint32_t len, int *err)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(env->pkt_pool);
	uint8_t *dst;

	*err = m == NULL ? -ENOBUFS : len > rte_pktmbuf_tailroom(m) ? -EMSGSIZE : 0;
	while (*err == 0) {
		dst = rte_pktmbuf_mtod(m, uint8_t *) + m->data_len;
		*err = chunk_read(p.c, p.at, p.len, dst);
		if (*err != 0)
			break;
		p.c->sent = true;
		m->data_len = (uint16_t)(m->data_len + p.len);
		if (m->data_len == len) {
			m->pkt_len = len;
			return m;
		}
		p = piece_next(env->chunks, &p, len - m->data_len);
	}
	rte_pktmbuf_free(m);
	return NULL;
}

/* @return whether the range is one copied chunk, and nobody but us holds its buffer. */
static bool is_in_place(const struct piece *p, uint32_t len)
{
	const struct rnl_chunk *c = p->c;

	if (c->kind != RNL_CHUNK_COPY || p->at != 0 || c->len != len)
		return false;
	/* Acquire: whatever the last holder wrote into the buffer is behind us. */
	return __atomic_load_n(&c->u.m->refcnt, __ATOMIC_ACQUIRE) == 1;
}

static struct rte_mbuf *packet_in_place(struct rnl_chunk *c)
{
	struct rte_mbuf *m = c->u.m;

	rte_pktmbuf_reset(m);
	m->data_off = c->data_off;
	m->data_len = (uint16_t)c->len;
	m->pkt_len = (uint32_t)c->len;
	rte_mbuf_refcnt_update(m, 1);
	c->sent = true;
	return m;
}

struct rte_mbuf *rnl_sndbuf_packet(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env,
                                   uint64_t off, uint32_t len, int *err)
{
	struct piece p = piece_first(find(b, env->chunks, off), off, len);

	*err = 0;
	if (is_in_place(&p, len))
		return packet_in_place(p.c);
	if (!env->multi_segs || len < ATTACH_MIN)
		return packet_copied(env, p, len, err);
	return packet_chained(env, p, len, err);
}

uint32_t rnl_sndbuf_fit(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env, uint64_t off,
                        uint32_t len, unsigned int max_segs)
{
	uint32_t room = rte_pktmbuf_data_room_size(env->pkt_pool) - RTE_PKTMBUF_HEADROOM;
	struct piece p = piece_first(find(b, env->chunks, off), off, len);
	uint32_t fits = 0, n;

	for (unsigned int segs = 1; segs < max_segs && fits < len; segs++) {
		bool attached = p.c->kind == RNL_CHUNK_COPY ||
		                (p.c->kind == RNL_CHUNK_ZC && zc_attachable(p.c, p.len));

		n = attached ? p.len : RTE_MIN(p.len, room);
		fits += n;
		p.at += n;
		p.len -= n;
		if (p.len == 0 && fits < len)
			p = piece_next(env->chunks, &p, len - fits);
	}
	return fits;
}

/* ---- acknowledgement ---- */

/* Turns a pull chunk, already out of the queue, into the record of its release. */
static void pull_finish(const struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env, uint32_t i)
{
	struct rnl_chunk was = *chunk_at(env->chunks, i);
	struct rnl_zc *z = rnl_pool_at(env->chunks, i);

	rnl_zc_init(z, i, b->owner);
	z->release = was.release;
	z->arg = was.release_arg;
	rnl_zc_finish(env->zc, env->chunks, z);
}

static void remove_head(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env)
{
	uint32_t i = b->head;
	struct rnl_chunk *c = chunk_at(env->chunks, i);

	b->head = c->next;
	b->tail = b->head == RNL_NIL ? RNL_NIL : b->tail;
	b->cursor = b->cursor == i ? RNL_NIL : b->cursor;
	b->rcursor = b->rcursor == i ? RNL_NIL : b->rcursor;
	if (c->kind == RNL_CHUNK_PULL) {
		pull_finish(b, env, i);
		return;
	}
	if (c->kind == RNL_CHUNK_ZC)
		rnl_zc_finish(env->zc, env->chunks, c->u.zc);
	else
		rte_pktmbuf_free_seg(c->u.m); /* its `next` may be a ring peer's: never follow it */
	rnl_pool_put(env->chunks, i);
}

void rnl_sndbuf_ack(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env, uint64_t una)
{
	while (b->una < una) {
		struct rnl_chunk *c = chunk_at(env->chunks, b->head);
		uint64_t upto = RTE_MIN(una, chunk_end(c));

		if (c->kind != RNL_CHUNK_PULL)
			b->bytes -= (uint32_t)(upto - b->una);
		b->una = upto;
		if (upto == chunk_end(c))
			remove_head(b, env);
	}
}

void rnl_sndbuf_clear(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env)
{
	while (b->head != RNL_NIL)
		remove_head(b, env);
	*b = (struct rnl_sndbuf){.owner = b->owner};
}

/* ---- checking ---- */

static const char *check_chunk(const struct rnl_sndbuf *b, const struct rnl_chunk *c, uint64_t off)
{
	if (c->len == 0 || c->kind > RNL_CHUNK_PULL)
		return "an empty chunk, or one of no kind";
	if (c->off != off)
		return "a gap or overlap between chunks";
	if (chunk_end(c) <= b->una)
		return "a chunk that is acknowledged";
	if (c->kind == RNL_CHUNK_COPY && rte_mbuf_refcnt_read(c->u.m) == 0)
		return "a chunk without its buffer";
	return NULL;
}

const char *rnl_sndbuf_check(const struct rnl_sndbuf *b, const struct rnl_pool *chunks)
{
	uint64_t off = b->head != RNL_NIL ? chunk_at(chunks, b->head)->off : b->una;
	uint32_t tail = RNL_NIL, cursors = (b->cursor != RNL_NIL) + (b->rcursor != RNL_NIL);
	uint64_t bytes = 0;
	const char *broken;

	if (off > b->una)
		return "a first chunk behind una";
	for (uint32_t i = b->head; i != RNL_NIL; i = chunk_at(chunks, i)->next) {
		const struct rnl_chunk *c = chunk_at(chunks, i);

		broken = check_chunk(b, c, off);
		if (broken != NULL)
			return broken;
		off = chunk_end(c);
		if (c->kind != RNL_CHUNK_PULL)
			bytes += off - (c->off > b->una ? c->off : b->una);
		cursors -= (i == b->cursor) + (i == b->rcursor);
		tail = i;
	}
	if (off != b->end || tail != b->tail)
		return "a wrong end or tail";
	if (bytes != b->bytes)
		return "a wrong sum of octets";
	return cursors != 0 ? "a cursor outside the queue" : NULL;
}
