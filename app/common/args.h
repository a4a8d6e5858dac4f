/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * args - values of command-line options: text to number, with one line about what is accepted when
 * the text is not. Used inside a getopt_long() loop. Floor 6.
 */
#ifndef RNL_APP_ARGS_H
#define RNL_APP_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "runnel.h"

/** An option as it stands on the command line. */
struct rnl_arg {
	const char *opt;  /**< name as the user typed it, such as "--rxq" */
	const char *text; /**< its value */
	struct rnl_error *err;
};

/** Whole number, decimal or 0x hex, min to max. @return 0, -EINVAL. */
int rnl_arg_uint(const struct rnl_arg *a, uint64_t min, uint64_t max, uint64_t *out);
/** The same for a 32-bit and a 16-bit result. */
int rnl_arg_u32(const struct rnl_arg *a, uint32_t min, uint32_t max, uint32_t *out);
int rnl_arg_u16(const struct rnl_arg *a, uint16_t min, uint16_t max, uint16_t *out);
/** Octets: 1500, 64k, 10M, 2G, 1T (powers of 1024), min to max. @return 0, -EINVAL. */
int rnl_arg_size(const struct rnl_arg *a, uint64_t min, uint64_t max, uint64_t *out);
/** Per second: 500, 2.5k, 1M, 10G (powers of 1000). @return 0, -EINVAL. */
int rnl_arg_rate(const struct rnl_arg *a, double *out);
/** Time: 10, 10s, 1.5s, 200ms, 50us, 100ns, 2m, 1h; a bare number is seconds. ns. @return 0,
 * -EINVAL. */
int rnl_arg_duration(const struct rnl_arg *a, uint64_t *out_ns);
/** Port set in hexadecimal, with or without 0x: as testpmd's and l3fwd's -p. @return 0, -EINVAL. */
int rnl_arg_portmask(const struct rnl_arg *a, uint64_t *out);
/** "yes"/"no", "on"/"off", "1"/"0". @return 0, -EINVAL. */
int rnl_arg_bool(const struct rnl_arg *a, bool *out);
/** One of n words. @return its index, or -EINVAL and the list of them. */
int rnl_arg_choice(const struct rnl_arg *a, const char *const words[], unsigned int n);

/** Name of a congestion control. @return 0, or -EINVAL and the list of them. */
int rnl_arg_cc(const struct rnl_arg *a, const struct rnl_cc_ops **out);

/** "default", "off", "on" or "accurate": enum rnl_ecn_mode. @return 0, -EINVAL. */
int rnl_arg_ecn(const struct rnl_arg *a, uint8_t *out);

/** TCP ports, both ends included. */
struct rnl_port_range {
	uint16_t first, last;
};
/** "80" or "8000-8010", 1 to 65535. @return 0, -EINVAL. */
int rnl_arg_ports(const struct rnl_arg *a, struct rnl_port_range *out);

/** Addresses that follow one another. */
struct rnl_addr_range {
	struct rnl_addr first;
	uint32_t count;
};
/** Address of either family. @return 0, -EINVAL. */
int rnl_arg_addr(const struct rnl_arg *a, struct rnl_addr *out);
/** "10.0.0.1/24"; without a length the whole address. Length in bits of its family. @return 0,
 * -EINVAL. */
int rnl_arg_prefix(const struct rnl_arg *a, struct rnl_addr *out, uint8_t *len);
/** "10.0.0.1", "10.0.0.1-10.0.0.50" or "10.0.0.1+50". At most 2^24 addresses. @return 0, -EINVAL.
 */
int rnl_arg_addr_range(const struct rnl_arg *a, struct rnl_addr_range *out);
/** Address number i of a range, i below count. */
struct rnl_addr rnl_addr_range_at(const struct rnl_addr_range *r, uint32_t i);
/**
 * Where to listen or connect: "80", "10.0.0.1:80", "10.0.0.1:8000-8010", "[fe80::1]:80".
 * Without an address *addr becomes all zero. @return 0, -EINVAL.
 */
int rnl_arg_endpoint(const struct rnl_arg *a, struct rnl_addr *addr, struct rnl_port_range *ports);
/** "aa:bb:cc:dd:ee:ff". @return 0, -EINVAL. */
int rnl_arg_mac(const struct rnl_arg *a, uint8_t mac[6]);

/** One (port,queue,lcore) of --config, as l3fwd has it. */
struct rnl_queue_map {
	uint16_t port, queue;
	unsigned int lcore;
};
/**
 * "(0,0,1),(0,1,2)". Refuses a queue that is named twice.
 * @return how many it read, 1 to max, or -EINVAL.
 */
int rnl_arg_config(const struct rnl_arg *a, struct rnl_queue_map *out, unsigned int max);

/** @return whether -h or --help stands anywhere in argv, before or after "--". */
bool rnl_args_help(int argc, char *const argv[]);

#endif /* RNL_APP_ARGS_H */
