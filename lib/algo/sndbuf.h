/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The octets that the application gave and the peer has not acknowledged: a queue of chunks, each
 * copied (one buffer of at most an MSS, laid out so that headers can be prepended in place),
 * zero-copy (the application's memory until released) or pull (asked of a producer when sent).
 * Gives the payload of any range [off, off + len) as a packet, for the first and for every later
 * transmission. Offsets are 64-bit positions in the sent stream: octet 0 is the first after SYN.
 *
 * Ownership: once a chunk's buffer is handed to a port it is immutable until its reference count is
 * 1 (net_ring gives the peer the very buffer, and the peer trims it: the chunk remembers where its
 * octets are and never trusts the buffer's own lengths). While it is shared, a retransmission is a new
 * header with the octets attached, or copied when they are few.
 *
 * Zero-copy memory is attached to packets as an external buffer. It must be IOVA-contiguous when the
 * EAL runs with physical addresses: its address is looked up once for each rnl_sndbuf_zc(). Memory
 * that DPDK cannot translate, or that is seen not to be contiguous, is copied into packets instead.
 * Refuses: sequence numbers, deciding what to send. Floor 2.
 */
#ifndef RNL_ALGO_SNDBUF_H
#define RNL_ALGO_SNDBUF_H

#include <stdbool.h>
#include <stdint.h>

#include "runnel.h"
#include "base/pool.h"

struct rte_mbuf;
struct rte_mempool;

enum rnl_chunk_kind { RNL_CHUNK_COPY, RNL_CHUNK_ZC, RNL_CHUNK_PULL };

/** A contiguous part of the stream; lives in the worker's pool. */
struct rnl_chunk {
	uint32_t next;     /* towards the tail; RNL_NIL ends. Links free chunks */
	uint8_t kind;      /* enum rnl_chunk_kind */
	bool sent;         /* a packet was made of a part of it: COPY is not filled up any more */
	uint16_t data_off; /* COPY: offset of the octets in the buffer */
	uint64_t off;      /* stream offset of its first octet */
	uint64_t len;      /* octets; UINT64_MAX - off at most for an endless pull */
	union {
		struct rte_mbuf *m; /* COPY */
		struct rnl_zc *zc;  /* ZC: see sndbuf.c */
		rnl_produce_fn produce; /* PULL */
	} u;
	union {
		const uint8_t *data; /* ZC */
		void *arg;           /* PULL */
	} v;
	rnl_release_fn release; /* ZC, PULL; may be NULL */
	void *release_arg;
	uint64_t iova; /* ZC: of data; RNL_SNDBUF_NO_IOVA: it is copied */
};

_Static_assert(sizeof(struct rnl_chunk) == 64, "a chunk is one cache line");

#define RNL_SNDBUF_NO_IOVA UINT64_MAX

/** A connection's queue. All zero: empty, stream offset 0; una == end > 0: empty, later. */
struct rnl_sndbuf {
	uint32_t head, tail; /* chunks */
	uint32_t cursor;     /* chunk of the farthest packet so far: where new data is; or RNL_NIL */
	uint32_t rcursor;    /* chunk of the last packet before that: retransmissions; or RNL_NIL */
	uint32_t owner;      /* whose the releases are, for rnl_zc_owned(); set by the user */
	uint32_t bytes;      /* octets of COPY and ZC chunks from una on: counts against sndbuf_bytes */
	uint64_t una;        /* offset of the first unacknowledged octet */
	uint64_t end;        /* offset past the last queued octet */
};

/** What the functions need of their worker. */
struct rnl_sndbuf_env {
	struct rnl_pool *chunks;      /* struct rnl_chunk; also the records of releases */
	struct rte_mempool *pkt_pool; /* copied data: room for headers and one MSS */
	struct rte_mempool *hdr_pool; /* headers; attached buffers */
	struct rnl_zc_list *zc;       /* zero-copy sends that wait for a driver */
	bool multi_segs;              /* the port sends chains */
};

/**
 * Zero-copy sends whose octets are acknowledged but whose memory a driver (or a ring's peer) still
 * reads; polled by the owner worker. And releases that are due: their callbacks run at the
 * application stage. All zero: empty.
 */
struct rnl_zc_list {
	struct rnl_zc *waiting, *waiting_tail;
	struct rnl_zc *due_head, *due_tail;
	struct rnl_pool *pool; /* the records'; set with the first of them */
};

/** Queues a copy of at most `len` octets, cut into buffers of at most `mss`. The last, unsent, writable
 * chunk is filled up first. @return octets taken; fewer than asked: memory ran out, or an endless
 * pull stands before. */
uint32_t rnl_sndbuf_copy(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env, const void *data,
			 uint32_t len, uint32_t mss);
/** Queues zero-copy data: of *zc, len (32 bits), v.data, release (may be NULL) and release_arg are
 * read. Takes two records of env->chunks. @return 0, -EINVAL (len) or -ENOBUFS. */
int rnl_sndbuf_zc(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env,
		  const struct rnl_chunk *zc);
/** Queues pull data: of *pull, len, u.produce, v.arg, release and release_arg are read. len past the
 * stream's end (UINT64_MAX) is an endless pull. @return 0, -EINVAL (len 0) or -ENOBUFS. */
int rnl_sndbuf_pull(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env,
		    const struct rnl_chunk *pull);

/** @return the most octets, at most len, from off on that make a packet of at most max_segs segments
 * (at least 3). For packets that are cut by the port. */
uint32_t rnl_sndbuf_fit(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env, uint64_t off,
			uint32_t len, unsigned int max_segs);
/**
 * Makes the packet that carries [off, off + len): payload only, with headroom for all headers in
 * its first segment. len >= 1; the range is inside [una, end). Without multi_segs the range must fit
 * a buffer of pkt_pool.
 * @return the packet, or NULL: *err is -ENOBUFS (a pool is empty), -EIO (the producer failed) or
 * -EMSGSIZE (no multi_segs, and the range does not fit). Nothing is lost or held then.
 */
struct rte_mbuf *rnl_sndbuf_packet(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env,
				   uint64_t off, uint32_t len, int *err);
/** Frees everything before `una` (<= end); zero-copy and pull releases become due. */
void rnl_sndbuf_ack(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env, uint64_t una);
/** Frees everything; releases become due (when the driver is done). All zero then, but for owner. */
void rnl_sndbuf_clear(struct rnl_sndbuf *b, const struct rnl_sndbuf_env *env);
/** Verifies every invariant. @return NULL, or which one is broken. For tests and debug builds. */
const char *rnl_sndbuf_check(const struct rnl_sndbuf *b, const struct rnl_pool *chunks);

/** Moves what the drivers are done with from waiting to due; looks at a bounded number and goes on
 * with the others next time. @return whether anything is due. */
bool rnl_zc_poll(struct rnl_zc_list *l);
/** Takes one release that is due. @return false: none. */
bool rnl_zc_next(struct rnl_zc_list *l, rnl_release_fn *release, void **arg);
/** @return whether a release of `owner` is waiting or due (or memory without one still read). Walks
 * the list: for the end of a connection. */
bool rnl_zc_owned(const struct rnl_zc_list *l, uint32_t owner);
/** Whether anything is waiting or due. */
static inline bool rnl_zc_pending(const struct rnl_zc_list *l)
{
	return l->waiting != NULL || l->due_head != NULL;
}

/** @return queued octets from `off` on. */
static inline uint64_t rnl_sndbuf_left(const struct rnl_sndbuf *b, uint64_t off)
{
	return b->end - off;
}

#endif /* RNL_ALGO_SNDBUF_H */
