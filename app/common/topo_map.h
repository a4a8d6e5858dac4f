/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * topo_map - which lcore polls which queue. Internal to app/common. Floor 6.
 */
#ifndef RNL_APP_TOPO_MAP_H
#define RNL_APP_TOPO_MAP_H

#include "topology.h"

/** The ports in use, and for each how many queues. */
struct rnl_topo_ports {
	uint16_t id[RNL_TOPO_MAX_PORTS];
	uint16_t queues[RNL_TOPO_MAX_PORTS];
	unsigned int n;
};

/**
 * Decides ports and queues from o->portmask and o->map, fills o->map where the user gave none, and
 * refuses a map that cannot work. Needs the EAL. @return 0, -EINVAL, -ENODEV.
 */
int rnl_topo_map(struct rnl_topo_opts *o, struct rnl_topo_ports *out, struct rnl_error *err);

#endif /* RNL_APP_TOPO_MAP_H */
