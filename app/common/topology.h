/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * topology - from options to running pieces: opened devices, one stack for each lcore with its
 * queues attached and addressed, and the workers that poll them. Refuses to guess: a mapping that
 * cannot work is an error with a fix. Floor 6.
 *
 * Use: fill struct rnl_topo_opts (rnl_topo_defaults(), then rnl_topo_option() for each option that
 * getopt_long() finds), rnl_topo_open(), listen or connect on the stacks, rnl_topo_workers(),
 * rnl_loop_run() of loop.h, rnl_topo_close(). Several topologies may stand side by side in a
 * process and share lcores: --loop of runnel-gen has one for the client and one for the server.
 */
#ifndef RNL_APP_TOPOLOGY_H
#define RNL_APP_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "runnel.h"
#include "args.h"

#define RNL_TOPO_MAX_PORTS 8
#define RNL_TOPO_MAX_STACKS 64
#define RNL_TOPO_MAX_MAPS 128
#define RNL_TOPO_MAX_ADDRS 1024

/** An address for a port. */
struct rnl_topo_addr {
	uint16_t port; /**< ethdev port */
	uint8_t prefix_len;
	struct rnl_addr_range range;
};

struct rnl_topo_neigh {
	uint16_t port;
	struct rnl_addr addr;
	uint8_t mac[6];
};

/** What the user asked for. Zero means the default that is given here. */
struct rnl_topo_opts {
	uint64_t portmask; /**< -p; 0: every port, or those of --config */
	struct rnl_queue_map map[RNL_TOPO_MAX_MAPS];
	unsigned int nb_map; /**< --config; 0: queue i of each port to the i-th worker lcore */
	uint16_t rxq, txq;   /**< --rxq, --txq; rxq 0: one for each worker lcore; txq 0: as rxq */
	uint16_t rxd, txd;   /**< --rxd, --txd; 0: the library's */
	uint16_t burst;      /**< --burst; 0: 32 */
	uint16_t mtu;        /**< --mtu; 0: the device's */
	uint16_t vlan;       /**< --vlan; 0: untagged */
	struct rnl_topo_addr addrs[16]; /**< --ip */
	unsigned int nb_addrs;
	struct rnl_topo_neigh neighs[16]; /**< --neigh */
	unsigned int nb_neighs;
	struct rnl_addr gateway[2]; /**< --gateway, if has_gateway: of IPv4, of IPv6 */
	bool has_gateway[2];
	uint32_t ipv6;    /**< --ipv6-auto, --ipv6-eui64, --no-dad: enum rnl_port_ipv6 of each port */
	bool no_offloads; /**< --no-offload: software checksums, no TSO */
	bool promiscuous; /**< --promiscuous */
	uint32_t max_conns; /**< --max-conns, for each stack; 0: 65536 */
	uint32_t max_minis; /**< half-open and TIME-WAIT ones, set by the program; 0: as max_conns */
	uint32_t mbufs;     /**< --mbufs: data buffers for each stack; 0: 16384 */
	uint32_t extra_rx;  /**< --rx-mbufs: receive buffers beyond descriptors; 0: the library's */
	uint32_t time_wait_ms; /**< --time-wait; 0: the library's */
	uint64_t seed;         /**< --seed; 0: random */
	uint32_t max_hosts;     /**< --max-hosts; 0: the library's */
	uint32_t pmtu_ms;       /**< --pmtu-time; 0: the library's */
	uint32_t max_fragments; /**< --max-fragments; 0: the library's, UINT32_MAX: none */
	uint16_t link_wait_ms; /**< --link-wait; 0: the library's */
	/* Of every connection: the program hands them on with rnl_topo_conn_opts(). */
	uint8_t ecn;        /**< --ecn: enum rnl_ecn_mode */
	bool no_sack;       /**< --no-sack: no selective acknowledgements */
	bool no_timestamps; /**< --no-timestamps */
	bool no_wscale;     /**< --no-wscale: no window scaling */
	bool no_soft_errors; /**< --no-soft-errors: do not report ICMP errors */
	bool no_black_hole; /**< --no-black-hole: segments that vanish keep their size */
	bool pacing;        /**< --pacing: spread each window over the round trip */
	uint64_t max_pacing_rate; /**< --max-pacing-rate: octets per second; 0: no limit */
	const struct rnl_cc_ops *cc; /**< --cc; NULL: the library's */
	/* Not options: for programs that open more than one topology. */
	const char *name;      /**< prefix of pool names, at most 8 characters; NULL: "rnl" */
	uint32_t first_id;     /**< id of the first stack */
	const struct rnl_secrets *secrets; /**< NULL: from getrandom(2) */
};

/** A stack with what is its own. */
struct rnl_topo_stack {
	struct rnl_stack *st;
	unsigned int lcore;
	unsigned int nb_ports;
	struct {
		uint16_t port_id, queue;
	} ports[RNL_TOPO_MAX_PORTS]; /**< index: the stack's own port number */
	struct rte_mempool *pkt_pool, *hdr_pool;
};

/** An opened device. */
struct rnl_topo_dev {
	struct rnl_dev *dev;
	uint16_t port_id;
	uint16_t nb_queues;
};

struct rnl_topo {
	struct rnl_topo_opts opts; /**< as given, with defaults filled in */
	struct rnl_topo_dev devs[RNL_TOPO_MAX_PORTS];
	unsigned int nb_devs;
	struct rnl_topo_stack stacks[RNL_TOPO_MAX_STACKS];
	unsigned int nb_stacks;
};

/** Codes of the long options in RNL_TOPO_LONG_OPTIONS; programs number their own from 512. */
enum rnl_topo_opt {
	RNL_TOPO_OPT_RXQ = 256,
	RNL_TOPO_OPT_TXQ,
	RNL_TOPO_OPT_RXD,
	RNL_TOPO_OPT_TXD,
	RNL_TOPO_OPT_BURST,
	RNL_TOPO_OPT_CONFIG,
	RNL_TOPO_OPT_IP,
	RNL_TOPO_OPT_GATEWAY,
	RNL_TOPO_OPT_IPV6_AUTO,
	RNL_TOPO_OPT_IPV6_EUI64,
	RNL_TOPO_OPT_NO_DAD,
	RNL_TOPO_OPT_NEIGH,
	RNL_TOPO_OPT_VLAN,
	RNL_TOPO_OPT_MTU,
	RNL_TOPO_OPT_NO_OFFLOAD,
	RNL_TOPO_OPT_PROMISCUOUS,
	RNL_TOPO_OPT_MAX_CONNS,
	RNL_TOPO_OPT_MBUFS,
	RNL_TOPO_OPT_RX_MBUFS,
	RNL_TOPO_OPT_TIME_WAIT,
	RNL_TOPO_OPT_SEED,
	RNL_TOPO_OPT_LINK_WAIT,
	RNL_TOPO_OPT_NO_SACK,
	RNL_TOPO_OPT_NO_TIMESTAMPS,
	RNL_TOPO_OPT_NO_WSCALE,
	RNL_TOPO_OPT_PACING,
	RNL_TOPO_OPT_MAX_PACING_RATE,
	RNL_TOPO_OPT_CC,
	RNL_TOPO_OPT_ECN,
	RNL_TOPO_OPT_MAX_HOSTS,
	RNL_TOPO_OPT_PMTU_TIME,
	RNL_TOPO_OPT_MAX_FRAGMENTS,
	RNL_TOPO_OPT_NO_SOFT_ERRORS,
	RNL_TOPO_OPT_NO_BLACK_HOLE,
};

/** Entries for a program's struct option table. */
#define RNL_TOPO_LONG_OPTIONS                                                                      \
	{"portmask", required_argument, NULL, 'p'}, {"rxq", required_argument, NULL, RNL_TOPO_OPT_RXQ},   \
	{"txq", required_argument, NULL, RNL_TOPO_OPT_TXQ},                                        \
	{"rxd", required_argument, NULL, RNL_TOPO_OPT_RXD},                                        \
	{"txd", required_argument, NULL, RNL_TOPO_OPT_TXD},                                        \
	{"burst", required_argument, NULL, RNL_TOPO_OPT_BURST},                                    \
	{"config", required_argument, NULL, RNL_TOPO_OPT_CONFIG},                                  \
	{"ip", required_argument, NULL, RNL_TOPO_OPT_IP},                                          \
	{"gateway", required_argument, NULL, RNL_TOPO_OPT_GATEWAY},                                \
	{"ipv6-auto", no_argument, NULL, RNL_TOPO_OPT_IPV6_AUTO},                                  \
	{"ipv6-eui64", no_argument, NULL, RNL_TOPO_OPT_IPV6_EUI64},                                \
	{"no-dad", no_argument, NULL, RNL_TOPO_OPT_NO_DAD},                                        \
	{"neigh", required_argument, NULL, RNL_TOPO_OPT_NEIGH},                                    \
	{"vlan", required_argument, NULL, RNL_TOPO_OPT_VLAN},                                      \
	{"mtu", required_argument, NULL, RNL_TOPO_OPT_MTU},                                        \
	{"no-offload", no_argument, NULL, RNL_TOPO_OPT_NO_OFFLOAD},                                \
	{"promiscuous", no_argument, NULL, RNL_TOPO_OPT_PROMISCUOUS},                              \
	{"max-conns", required_argument, NULL, RNL_TOPO_OPT_MAX_CONNS},                            \
	{"mbufs", required_argument, NULL, RNL_TOPO_OPT_MBUFS},                                    \
	{"rx-mbufs", required_argument, NULL, RNL_TOPO_OPT_RX_MBUFS},                              \
	{"time-wait", required_argument, NULL, RNL_TOPO_OPT_TIME_WAIT},                            \
	{"seed", required_argument, NULL, RNL_TOPO_OPT_SEED},                                      \
	{"link-wait", required_argument, NULL, RNL_TOPO_OPT_LINK_WAIT},                            \
	{"no-sack", no_argument, NULL, RNL_TOPO_OPT_NO_SACK},                                      \
	{"no-timestamps", no_argument, NULL, RNL_TOPO_OPT_NO_TIMESTAMPS},                          \
	{"no-wscale", no_argument, NULL, RNL_TOPO_OPT_NO_WSCALE},                                  \
	{"pacing", no_argument, NULL, RNL_TOPO_OPT_PACING},                                        \
	{"max-pacing-rate", required_argument, NULL, RNL_TOPO_OPT_MAX_PACING_RATE},                \
	{"ecn", required_argument, NULL, RNL_TOPO_OPT_ECN},                                        \
	{"cc", required_argument, NULL, RNL_TOPO_OPT_CC},                                          \
	{"max-hosts", required_argument, NULL, RNL_TOPO_OPT_MAX_HOSTS},                            \
	{"pmtu-time", required_argument, NULL, RNL_TOPO_OPT_PMTU_TIME},                            \
	{"max-fragments", required_argument, NULL, RNL_TOPO_OPT_MAX_FRAGMENTS},                    \
	{"no-soft-errors", no_argument, NULL, RNL_TOPO_OPT_NO_SOFT_ERRORS},                        \
	{"no-black-hole", no_argument, NULL, RNL_TOPO_OPT_NO_BLACK_HOLE}
/** Short options that rnl_topo_option() knows, for getopt's string. */
#define RNL_TOPO_SHORT_OPTIONS "p:"

/** Help text for these options, lines with a newline each. */
extern const char rnl_topo_usage[];

/**
 * Takes one option that getopt_long() returned.
 * @return 1: taken, 0: not one of these, -EINVAL: its value is wrong.
 */
int rnl_topo_option(struct rnl_topo_opts *o, int code, const char *value, struct rnl_error *err);

/** Takes what the user said of every connection over into the options of one. */
static inline void rnl_topo_conn_opts(const struct rnl_topo_opts *o, struct rnl_conn_opts *out)
{
	out->no_sack |= o->no_sack;
	if (out->ecn == RNL_ECN_DEFAULT)
		out->ecn = o->ecn;
	out->no_timestamps |= o->no_timestamps;
	out->no_wscale |= o->no_wscale;
	out->no_soft_errors |= o->no_soft_errors;
	out->no_black_hole |= o->no_black_hole;
	out->pacing |= o->pacing;
	if (out->max_pacing_bytes_per_s == 0)
		out->max_pacing_bytes_per_s = o->max_pacing_rate;
}

/**
 * Opens devices, makes pools and stacks, attaches queues, adds addresses and routes, and waits until
 * IPv6 addresses may be used. Needs the EAL.
 * @return 0, or a negative errno; on failure everything is closed again.
 */
int rnl_topo_open(const struct rnl_topo_opts *opts, struct rnl_topo *out, struct rnl_error *err);

/** Destroys the stacks, closes the devices, frees the pools. Workers must not run any more. */
void rnl_topo_close(struct rnl_topo *t);
/**
 * The same for topologies that exchange buffers over a ring link: all stacks, then all devices, then
 * all pools, so that no buffer is left on the wire when its pool goes.
 */
void rnl_topo_close_all(struct rnl_topo *const topos[], unsigned int n);

/**
 * Gathers the stacks of n topologies into workers, one for each lcore.
 * @return how many workers, at most max; or -ENOSPC: more than 8 stacks on an lcore or more lcores
 * than max.
 */
int rnl_topo_workers(struct rnl_topo *const topos[], unsigned int n, struct rnl_worker *out,
		     unsigned int max, struct rnl_error *err);

/**
 * Fills the secrets from getrandom(2); that of interface identifiers from /etc/machine-id, so that a
 * host gets the same IPv6 addresses again (RFC 7217). @return 0, or a negative errno.
 */
int rnl_topo_secrets(struct rnl_secrets *out, struct rnl_error *err);

#endif /* RNL_APP_TOPOLOGY_H */
