/* SPDX-License-Identifier: BSD-3-Clause */
/* What the console shows of ports, connections and configuration. Floor 6. */
#ifndef RNL_SHOW_H
#define RNL_SHOW_H

#include "endpoint.h"

/** What of a port. */
enum rnl_show_port { RNL_SHOW_INFO, RNL_SHOW_STATS, RNL_SHOW_XSTATS };

/** Shows port `which`, or every port of the endpoint when it is "all". */
void rnl_show_port(const struct rnl_endpoint *e, enum rnl_show_port what, const char *which);
/** Zeroes a port's stats or xstats. */
void rnl_show_clear_port(const struct rnl_endpoint *e, enum rnl_show_port what, const char *which);
/** Promiscuous mode of a port, or of all. */
void rnl_show_set_promisc(const struct rnl_endpoint *e, const char *which, bool on);

/** Lists connections, at most `max`. */
void rnl_show_conn(struct rnl_endpoint *e, unsigned int max);
/** Prints everything that is known of one connection; `id` as rnl_show_conn() printed it. */
void rnl_show_conn_id(struct rnl_endpoint *e, const char *id);
/** Shows addresses, listeners, cores, queues and the sizes of pools. */
void rnl_show_config(struct rnl_endpoint *e);

#endif /* RNL_SHOW_H */
