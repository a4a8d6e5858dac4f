/* SPDX-License-Identifier: BSD-3-Clause */
/* A frame of a stranger, while it is being made. */
#ifndef SIM_NOISE_H
#define SIM_NOISE_H

#include "sim.h"

struct noise {
	uint8_t f[256];
	uint32_t len;
	uint32_t l3; /* offset of the network header */
	struct node *to;
	uint8_t host; /* last octet of the stranger's address */
};

/** Writes the link header, from the stranger to the node. */
void noise_ethernet(struct world *w, struct noise *n, uint32_t type);
/** @return the folded sum of big-endian words. */
uint32_t noise_sum16(const uint8_t *p, size_t len, uint32_t sum);

/* noise6.c */
void noise_nd(struct world *w, struct noise *n);
void noise_ra(struct world *w, struct noise *n);
void noise_icmp6(struct world *w, struct noise *n);

#endif /* SIM_NOISE_H */
