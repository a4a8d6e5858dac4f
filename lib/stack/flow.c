/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connection table (flow.h tells how it works). The hash is three folded multiplications under
 * a secret key: who does not know the key cannot choose tuples that meet in one bucket. Floor 4.
 */
#include "stack/flow.h"

#include <errno.h>
#include <string.h>

#include <rte_branch_prediction.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define LANES_HIGH 0x8000800080008000ull

_Static_assert(sizeof(struct rnl_flow_bucket) == 64, "a bucket is a cache line");
_Static_assert(sizeof(struct rnl_tuple) == 36, "a tuple is compared as 36 octets without holes");

/* ---- pieces with twins ---------------------------------------------------------------------- */

uint64_t rnl_flow_fold_portable(uint64_t a, uint64_t b)
{
	const uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
	const uint64_t ll = al * bl, lh = al * bh, hl = ah * bl, hh = ah * bh;
	const uint64_t mid = (ll >> 32) + (uint32_t)lh + (uint32_t)hl;
	const uint64_t lo = mid << 32 | (uint32_t)ll;
	const uint64_t hi = hh + (lh >> 32) + (hl >> 32) + (mid >> 32);

	return lo ^ hi;
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	const unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
#else
	return rnl_flow_fold_portable(a, b);
#endif
}

uint64_t rnl_flow_fold(uint64_t a, uint64_t b)
{
	return fold(a, b);
}

/* Bit 15 of each 16-bit lane of the result is set where the lane of x is zero, exactly. */
static inline uint64_t zero_lanes(uint64_t x)
{
	return ~(((x & ~LANES_HIGH) + ~LANES_HIGH) | x) & LANES_HIGH;
}

static inline uint32_t match4(const uint16_t *t, uint64_t tags)
{
	const uint64_t x =
	    (uint64_t)t[0] | (uint64_t)t[1] << 16 | (uint64_t)t[2] << 32 | (uint64_t)t[3] << 48;
	const uint64_t b = zero_lanes(x ^ tags) >> 15;

	return (uint32_t)(b | b >> 14 | b >> 28 | b >> 42) & 0x55;
}

uint32_t rnl_flow_match_portable(const uint16_t tags[RNL_FLOW_SLOTS], uint16_t tag)
{
	const uint64_t all = tag * 0x0001000100010001ull;

	return match4(tags, all) | match4(tags + 4, all) << 8;
}

static inline uint32_t match(const uint16_t *tags, uint16_t tag)
{
#ifdef __SSE2__
	const __m128i t = _mm_loadu_si128((const __m128i *)(const void *)tags);
	const __m128i eq = _mm_cmpeq_epi16(t, _mm_set1_epi16((short)tag));

	return (uint32_t)_mm_movemask_epi8(eq) & 0x5555;
#else
	return rnl_flow_match_portable(tags, tag);
#endif
}

uint32_t rnl_flow_match(const uint16_t tags[RNL_FLOW_SLOTS], uint16_t tag)
{
	return match(tags, tag);
}

static inline unsigned int slot_of(uint32_t matches)
{
	return (unsigned int)__builtin_ctz(matches) / 2;
}

/* The bucket takes the low bits of the hash, the tag the high ones; 0 means a free slot. */
static inline uint16_t tag_of(uint32_t hash)
{
	const uint16_t tag = (uint16_t)(hash >> 16);

	return (uint16_t)(tag + !tag);
}

/* ---- set-up --------------------------------------------------------------------------------- */

static size_t bucket_count(uint32_t max_entries)
{
	const size_t wanted =
	    ((size_t)max_entries * 4 + RNL_FLOW_SLOTS * 3 - 1) / (RNL_FLOW_SLOTS * 3);
	size_t n = 1;

	while (n < wanted)
		n *= 2;
	return n;
}

size_t rnl_flow_bytes(uint32_t max_entries)
{
	return bucket_count(max_entries) * sizeof(struct rnl_flow_bucket);
}

void rnl_flow_init(struct rnl_flow *f, void *mem, uint32_t max_entries, const uint8_t secret[16])
{
	uint64_t s[2];

	memcpy(s, secret, sizeof(s));
	*f = (struct rnl_flow){
	    .buckets = mem, .mask = (uint32_t)(bucket_count(max_entries) - 1), .max = max_entries};
	/* The constants (digits of pi) keep an all-zero secret from making the hash constant. */
	f->key[0] = s[0] ^ 0x243f6a8885a308d3ull;
	f->key[1] = s[1] ^ 0x13198a2e03707344ull;
	f->key[2] = fold(f->key[0] ^ 0xa4093822299f31d0ull, f->key[1] ^ 0x082efa98ec4e6c89ull) | 1;
	f->key[3] = fold(f->key[1] ^ 0x452821e638d01377ull, f->key[2] ^ 0xbe5466cf34e90c6cull) | 1;
}

void rnl_flow_pools(struct rnl_flow *f, const struct rnl_pool *conns, const struct rnl_pool *minis)
{
	f->conns = conns;
	f->minis = minis;
}

/* ---- look-up -------------------------------------------------------------------------------- */

uint32_t rnl_flow_hash(const struct rnl_flow *f, const struct rnl_tuple *key)
{
	uint64_t l[2], r[2], ports, h;

	memcpy(l, &key->laddr, sizeof(l));
	memcpy(r, &key->raddr, sizeof(r));
	/* Ports that count up would only step through the last product: they are spread first. */
	ports = ((uint64_t)key->lport << 16 | key->rport) * 0x9e3779b97f4a7c15ull;
	/* The first half of an IPv4 address is constant: keys 0 and 2 then are the multipliers. */
	h = fold(fold(l[0] ^ f->key[0], l[1] ^ f->key[1]) ^ ports,
	         fold(r[0] ^ f->key[2], r[1] ^ f->key[3]) ^ f->key[1]);
	return (uint32_t)(h ^ h >> 32);
}

static inline const struct rnl_tuple *key_of(const struct rnl_flow *f, uint32_t ref)
{
	const struct rnl_pool *p = ref & RNL_FLOW_MINI ? f->minis : f->conns;

	return rnl_pool_at(p, ref & ~RNL_FLOW_MINI);
}

/* Without a branch in between: addresses mostly differ in their last octets. */
static inline bool same_key(const struct rnl_tuple *a, const struct rnl_tuple *b)
{
	uint64_t x[4], y[4];
	uint32_t p, q;

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	memcpy(&p, &a->lport, sizeof(p));
	memcpy(&q, &b->lport, sizeof(q));
	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (p ^ q)) == 0;
}

uint32_t rnl_flow_find(const struct rnl_flow *f, const struct rnl_tuple *key, uint32_t hash)
{
	const uint16_t tag = tag_of(hash);
	uint32_t i, matches;

	/* i runs around the table once at most: every bucket may have been passed. */
	for (i = 0; i <= f->mask; i++) {
		const struct rnl_flow_bucket *b = &f->buckets[(hash + i) & f->mask];

		for (matches = match(b->tag, tag); matches != 0; matches &= matches - 1) {
			const uint32_t ref = b->ref[slot_of(matches)];

			if (likely(same_key(key_of(f, ref), key)))
				return ref;
		}
		if (likely(b->overflow == 0))
			break;
	}
	return 0;
}

void rnl_flow_prefetch_entry(const struct rnl_flow *f, uint32_t hash)
{
	const struct rnl_flow_bucket *b = &f->buckets[hash & f->mask];
	const uint32_t matches = match(b->tag, tag_of(hash));

	if (matches != 0)
		rte_prefetch0(key_of(f, b->ref[slot_of(matches)]));
}

/* ---- changes -------------------------------------------------------------------------------- */

int rnl_flow_insert(struct rnl_flow *f, uint32_t hash, uint32_t ref)
{
	uint32_t i = hash;

	/* Below the maximum a quarter of all slots is free, so the walk ends. */
	if (f->count >= f->max)
		return -ENOSPC;
	for (;; i++) {
		struct rnl_flow_bucket *b = &f->buckets[i & f->mask];
		const uint32_t unused = match(b->tag, 0);

		if (likely(unused != 0)) {
			b->tag[slot_of(unused)] = tag_of(hash);
			b->ref[slot_of(unused)] = ref;
			f->count++;
			return 0;
		}
		b->overflow++;
	}
}

/* Finds an entry by its reference. @return its slot, and its distance from home in *dist; or NULL.
 */
static uint32_t *locate(const struct rnl_flow *f, uint32_t hash, uint32_t ref, uint32_t *dist)
{
	const uint16_t tag = tag_of(hash);
	uint32_t matches;

	for (*dist = 0; *dist <= f->mask; ++*dist) {
		struct rnl_flow_bucket *b = &f->buckets[(hash + *dist) & f->mask];

		for (matches = match(b->tag, tag); matches != 0; matches &= matches - 1) {
			if (b->ref[slot_of(matches)] == ref)
				return &b->ref[slot_of(matches)];
		}
		if (b->overflow == 0)
			break;
	}
	return NULL;
}

int rnl_flow_remove(struct rnl_flow *f, uint32_t hash, uint32_t ref)
{
	struct rnl_flow_bucket *b;
	uint32_t dist, *slot = locate(f, hash, ref, &dist);

	if (slot == NULL)
		return -ENOENT;
	b = &f->buckets[(hash + dist) & f->mask];
	b->tag[slot - b->ref] = 0;
	*slot = 0;
	f->count--;
	while (dist-- > 0)
		f->buckets[(hash + dist) & f->mask].overflow--;
	return 0;
}

int rnl_flow_replace(struct rnl_flow *f, uint32_t hash, uint32_t old_ref, uint32_t new_ref)
{
	uint32_t dist, *slot = locate(f, hash, old_ref, &dist);

	if (slot == NULL)
		return -ENOENT;
	*slot = new_ref;
	return 0;
}
