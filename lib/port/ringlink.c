/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ringlink - see ringlink.h. Rings are found again by their names, so nothing is kept here.
 * Floor 5.
 */
#include <errno.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "err.h"
#include "ringlink.h"

#define NAME_MAX_CHARS 12

static void ring_name(char *out, const char *link, unsigned int end, unsigned int queue)
{
	snprintf(out, RTE_RING_NAMESIZE, "rnl_%s_%c%u", link, 'a' + (int)end, queue);
}

static void empty(struct rte_ring *r)
{
	void *m[32];
	unsigned int got;

	while ((got = rte_ring_dequeue_burst(r, m, RTE_DIM(m), NULL)) != 0)
		rte_pktmbuf_free_bulk((struct rte_mbuf **)m, got);
}

static void free_rings(const char *name)
{
	char text[RTE_RING_NAMESIZE];

	for (unsigned int i = 0; i < 2 * RNL_RING_LINK_QUEUES; i++) {
		struct rte_ring *r;

		ring_name(text, name, i & 1, i / 2);
		r = rte_ring_lookup(text);
		if (r == NULL)
			continue;
		empty(r);
		rte_ring_free(r);
	}
}

/* rings[0][q] carries what end 0 sends on queue q. */
static int make_rings(const char *name, unsigned int queues,
                      struct rte_ring *rings[2][RNL_RING_LINK_QUEUES], struct rnl_error *err)
{
	char text[RTE_RING_NAMESIZE];

	for (unsigned int i = 0; i < 2 * queues; i++) {
		unsigned int end = i & 1, q = i / 2;

		ring_name(text, name, end, q);
		rings[end][q] = rte_ring_create(text, RNL_RING_LINK_SIZE, SOCKET_ID_ANY,
		                                RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (rings[end][q] == NULL)
			return rnl_port_err(
			    err, -ENOMEM,
			    "ring link %s: no memory for %u queues (%s): give the EAL "
			    "more (-m)",
			    name, queues, rte_strerror(rte_errno));
	}
	return 0;
}

static int make_ports(const char *name, unsigned int queues,
                      struct rte_ring *rings[2][RNL_RING_LINK_QUEUES], uint16_t port_ids[2],
                      struct rnl_error *err)
{
	char text[RTE_RING_NAMESIZE];

	for (unsigned int end = 0; end < 2; end++) {
		int id;

		snprintf(text, sizeof(text), "%s_%c", name, 'a' + (int)end);
		id = rte_eth_from_rings(text, rings[1 - end], queues, rings[end], queues, 0);
		if (id < 0)
			return rnl_port_err(
			    err, -ENOMEM,
			    "ring link %s: the net_ring driver made no port (%s): is "
			    "it installed, and the name free?",
			    name, rte_strerror(rte_errno));
		port_ids[end] = (uint16_t)id;
	}
	return 0;
}

int rnl_ring_link(const char *name, unsigned int queues, uint16_t port_ids[2],
                  struct rnl_error *err)
{
	struct rte_ring *rings[2][RNL_RING_LINK_QUEUES];
	char text[RTE_RING_NAMESIZE];
	int rc;

	if (name == NULL || name[0] == '\0' || strlen(name) > NAME_MAX_CHARS)
		return rnl_port_err(err, -EINVAL,
		                    "ring link '%s': give a name of 1 to %d characters",
		                    name == NULL ? "" : name, NAME_MAX_CHARS);
	if (queues == 0 || queues > RNL_RING_LINK_QUEUES)
		return rnl_port_err(err, -EINVAL, "ring link %s: %u queues: give 1 to %d", name,
		                    queues, RNL_RING_LINK_QUEUES);
	ring_name(text, name, 0, 0);
	if (rte_ring_lookup(text) != NULL)
		return rnl_port_err(err, -EEXIST, "ring link %s exists: choose another name", name);
	rc = make_rings(name, queues, rings, err);
	if (rc == 0)
		rc = make_ports(name, queues, rings, port_ids, err);
	if (rc != 0)
		rnl_ring_unlink(name);
	return rc;
}

void rnl_ring_unlink(const char *name)
{
	char text[64];

	for (unsigned int end = 0; end < 2; end++) {
		snprintf(text, sizeof(text), "net_ring_%s_%c", name, 'a' + (int)end);
		(void)rte_vdev_uninit(text);
	}
	free_rings(name);
}
