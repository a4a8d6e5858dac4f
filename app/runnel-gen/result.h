/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A finished run as plain data: what was asked, where it ran, what was measured, and the verdict.
 * The reports are written from this alone; nothing here touches a stack.
 * Floor: 6 (application). Pure.
 */
#ifndef GEN_RESULT_H
#define GEN_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "stats.h"

/** Exit codes. */
enum gen_verdict {
	GEN_PASSED = 0,
	GEN_COULD_NOT_RUN = 1,
	GEN_FAILED = 2,
	GEN_INCONCLUSIVE = 3,
};

/** A generator that is busier than this has nothing left to keep a schedule with. */
#define GEN_BUSY_LIMIT 0.98
/** ... and one that sends half of its requests later than this is behind for good. */
#define GEN_LAG_LIMIT_NS UINT64_C(10000000)

/** Pass criteria; zero (max_errors: UINT64_MAX): not asked for. */
struct gen_criteria {
	double min_rate; /**< requests (bulk: Gbit) per second */
	uint64_t p99_ns; /**< of the latency from the planned time */
	uint64_t max_errors;
};

/** One criterion as it turned out. */
struct gen_check {
	const char *name; /**< JSON key, unit included */
	double limit, value;
	bool pass;
};

struct gen_counter {
	const char *name;
	uint64_t value;
};

/** One end: the generator, or the server of --loop. */
struct gen_end {
	const char *driver;   /**< of the link's device */
	const char *device;   /**< its name */
	const char *offloads; /**< names, separated by spaces; "" none */
	const char *lcores;   /**< such as "1,2" */
	uint32_t speed_mbps;  /**< 0: unknown */
	uint16_t mtu;         /**< octets */
	uint32_t nb_stacks;
	double busy_share;      /**< of the window, 0 to 1: its stacks; negative: unknown */
	double core_busy_share; /**< the same with whatever else its cores poll */
	uint64_t busy_cycles;   /**< TSC cycles in the window, of polls that found work */
	uint64_t rx_packets, tx_packets; /**< in the window */
	struct gen_counter *counters;    /**< all nonzero counters of the whole run */
	unsigned int nb_counters;
};

struct gen_result {
	/* what was asked */
	const char *command_line, *mode, *server, *clients, *close,
	    *engine; /**< engine: --loop's, or NULL */
	bool bulk, short_lived, http;
	uint64_t rate; /**< target per second; 0: closed loop */
	uint32_t connections, outstanding;
	uint64_t request_bytes, response_bytes; /**< 0: not fixed */
	uint64_t requests_per_conn;             /**< 0: unlimited */
	uint64_t duration_ns, warmup_ns;
	uint64_t time_wait_ms;
	uint64_t tuples, sustained_per_s; /**< of the plan; UINT64_MAX: any */
	uint64_t seed;
	struct gen_criteria criteria;
	/* where */
	const char *version_runnel, *version_dpdk, *cpu_model, *kernel, *started_at;
	uint64_t tsc_hz;
	struct gen_end client, loop_server; /**< loop_server: valid with engine */
	/* what was measured */
	bool interrupted;
	const char *broken; /**< why the load could not begin, or NULL */
	const struct gen_stats *stats;
	/* filled in by gen_result_judge() */
	double rate_per_s, opens_per_s, rx_bits_per_s, tx_bits_per_s;
	bool generator_limited;
	struct gen_check checks[4];
	unsigned int nb_checks;
	enum gen_verdict verdict;
	char reason[256];
};

/** Works out rates, criteria and the verdict. */
void gen_result_judge(struct gen_result *r);
/** @return "passed", "failed", "inconclusive" or "could not run". */
const char *gen_verdict_text(enum gen_verdict v);
/** @return n / d, or 0 for d 0. */
static inline double gen_ratio(double n, double d)
{
	return d == 0.0 ? 0.0 : n / d;
}

#endif /* GEN_RESULT_H */
