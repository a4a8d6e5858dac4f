/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pools - makes and frees packet-buffer pools. Floor 5.
 */
#include <errno.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "err.h"
#include "pools.h"

#define NAME_MAX_CHARS 16
/* Buffers that lcore caches may keep from each other, as a share of the pool. */
#define CACHE_SHARE 8
#define CACHE_MAX 256

/* Cached buffers are invisible to other lcores, so a small pool gets a small cache. */
static unsigned int cache_size(uint32_t count)
{
	uint32_t n = RTE_MIN(count / CACHE_SHARE, (uint32_t)CACHE_MAX);

	return RTE_MIN(n, (uint32_t)RTE_MEMPOOL_CACHE_MAX_SIZE);
}

static int make_failed(const struct rnl_pools_spec *s, int why, struct rnl_error *err)
{
	uint64_t mib = ((uint64_t)s->count * (s->data_room + RTE_PKTMBUF_HEADROOM + 256)) >> 20;

	if (why == EEXIST)
		return rnl_port_err(err, -EEXIST, "pool %s exists: choose another name", s->name);
	if (why == ENOMEM)
		return rnl_port_err(
		    err, -ENOMEM,
		    "no memory for %u packet buffers of pool %s (about %u MiB): give "
		    "the EAL more (-m), or ask for fewer buffers",
		    s->count, s->name, (unsigned int)mib + 1);
	return rnl_port_err(err, -EINVAL,
	                    "pool %s of %u buffers cannot be made (%s): is the EAL "
	                    "initialised, and is the name short enough?",
	                    s->name, s->count, rte_strerror(why));
}

int rnl_pools_make(const struct rnl_pools_spec *s, struct rte_mempool **out, struct rnl_error *err)
{
	if (s->count == 0 || s->data_room > UINT16_MAX - RTE_PKTMBUF_HEADROOM)
		return make_failed(s, EINVAL, err);
	*out =
	    rte_pktmbuf_pool_create(s->name, s->count, cache_size(s->count), 0,
	                            (uint16_t)(s->data_room + RTE_PKTMBUF_HEADROOM), s->socket_id);
	return *out != NULL ? 0 : make_failed(s, rte_errno, err);
}

void rnl_pools_drop(struct rte_mempool *pool)
{
	if (pool != NULL && rte_mempool_full(pool))
		rte_mempool_free(pool);
}

int rnl_pools_create(const char *name, uint32_t count, int socket_id, struct rte_mempool **pkt_pool,
                     struct rte_mempool **hdr_pool, struct rnl_error *err)
{
	char text[RTE_MEMPOOL_NAMESIZE];
	struct rnl_pools_spec s = {
	    .name = text, .count = count, .data_room = RNL_POOLS_DATA_ROOM, .socket_id = socket_id};
	int rc;

	if (name == NULL || name[0] == '\0' || strlen(name) > NAME_MAX_CHARS)
		return rnl_port_err(err, -EINVAL, "pool name '%s': give 1 to %d characters",
		                    name == NULL ? "" : name, NAME_MAX_CHARS);
	if (count > UINT32_MAX / 2)
		return rnl_port_err(err, -EINVAL, "%u packet buffers: give fewer than 2^31", count);
	snprintf(text, sizeof(text), "rnl_%s_pkt", name);
	rc = rnl_pools_make(&s, pkt_pool, err);
	if (rc != 0)
		return rc;
	snprintf(text, sizeof(text), "rnl_%s_hdr", name);
	s.count = 2 * count;
	s.data_room = RNL_POOLS_HDR_ROOM;
	rc = rnl_pools_make(&s, hdr_pool, err);
	if (rc != 0) {
		rnl_pools_drop(*pkt_pool);
		*pkt_pool = NULL;
	}
	return rc;
}

void rnl_pools_free(struct rte_mempool *pkt_pool, struct rte_mempool *hdr_pool)
{
	/* Header buffers may be attached to data buffers: headers first. */
	rnl_pools_drop(hdr_pool);
	rnl_pools_drop(pkt_pool);
}
