/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rates, criteria, verdict. See result.h.
 * Floor: 6 (application). Pure.
 *
 * Closed loop: a busy generator only makes a failed criterion inconclusive, since nothing was
 * promised. Open loop: it makes the run inconclusive, since the schedule was not kept.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "result.h"

static void work_out_rates(struct gen_result *r)
{
	const struct gen_stats *s = r->stats;
	double seconds = (double)s->window_ns / 1e9;

	r->rate_per_s = gen_ratio((double)s->done_in_time, seconds);
	r->opens_per_s = gen_ratio((double)s->opened_in_time, seconds);
	r->rx_bits_per_s = gen_ratio((double)s->rx_bytes * 8, seconds);
	r->tx_bits_per_s = gen_ratio((double)s->tx_bytes * 8, seconds);
}

static void add_check(struct gen_result *r, const char *name, const double limit_value[2],
                      bool pass)
{
	r->checks[r->nb_checks++] = (struct gen_check){
	    .name = name, .limit = limit_value[0], .value = limit_value[1], .pass = pass};
}

static void check_criteria(struct gen_result *r)
{
	const struct gen_criteria *c = &r->criteria;
	uint64_t errors = gen_stats_errors(r->stats);
	uint64_t p99 = gen_hist_percentile(&r->stats->latency, 990000);
	double bits = r->rx_bits_per_s + r->tx_bits_per_s;
	double rate = r->bulk ? bits / 1e9 : r->rate_per_s;

	r->nb_checks = 0;
	if (c->min_rate > 0)
		add_check(r, r->bulk ? "min_rate_gbit_per_s" : "min_rate_per_s",
		          (const double[]){c->min_rate, rate}, rate >= c->min_rate);
	if (c->p99_ns != 0)
		add_check(r, "max_latency_p99_ns", (const double[]){(double)c->p99_ns, (double)p99},
		          p99 <= c->p99_ns && r->stats->latency.count != 0);
	if (c->max_errors != UINT64_MAX)
		add_check(r, "max_errors", (const double[]){(double)c->max_errors, (double)errors},
		          errors <= c->max_errors);
}

__attribute__((format(printf, 3, 4))) static void conclude(struct gen_result *r, enum gen_verdict v,
                                                           const char *fmt, ...)
{
	va_list ap;

	r->verdict = v;
	va_start(ap, fmt);
	vsnprintf(r->reason, sizeof(r->reason), fmt, ap);
	va_end(ap);
}

/* Whether the latency limit may have been broken by the generator's own lateness. */
static bool lateness_matters(const struct gen_result *r)
{
	uint64_t lag = gen_hist_percentile(&r->stats->lag, 990000);

	return r->criteria.p99_ns != 0 && lag > r->criteria.p99_ns / 2 &&
	       gen_hist_percentile(&r->stats->latency, 990000) > r->criteria.p99_ns;
}

/* The generator was the bottleneck: no cycles left, or behind its schedule for its own reasons. */
static void judge_generator(struct gen_result *r)
{
	uint64_t lag = gen_hist_percentile(&r->stats->lag, 500000);

	r->generator_limited = r->client.core_busy_share >= GEN_BUSY_LIMIT ||
	                       (r->rate != 0 && (lag > GEN_LAG_LIMIT_NS || lateness_matters(r)));
}

static void conclude_limited(struct gen_result *r)
{
	bool busy = r->client.core_busy_share >= GEN_BUSY_LIMIT;

	conclude(r, GEN_INCONCLUSIVE,
	         "generator-limited: its cores were busy %.0f %%, its own lateness was p50 %" PRIu64
	         " us, p99 %" PRIu64 " us; %s",
	         r->client.core_busy_share * 100,
	         gen_hist_percentile(&r->stats->lag, 500000) / 1000,
	         gen_hist_percentile(&r->stats->lag, 990000) / 1000,
	         busy ? "lower --rate or give it more cores"
	              : "something else uses its cores: give it cores of its own");
}

void gen_result_judge(struct gen_result *r)
{
	const struct gen_check *broken = NULL;
	unsigned int i;

	work_out_rates(r);
	check_criteria(r);
	judge_generator(r);
	for (i = 0; i < r->nb_checks; i++)
		if (!r->checks[i].pass && broken == NULL)
			broken = &r->checks[i];
	if (r->broken != NULL)
		conclude(r, broken != NULL ? GEN_FAILED : GEN_COULD_NOT_RUN, "%s", r->broken);
	else if (r->interrupted)
		conclude(r, GEN_INCONCLUSIVE, "interrupted: the figures are of %.3f s",
		         (double)r->stats->window_ns / 1e9);
	else if (r->generator_limited && (r->rate != 0 || broken != NULL))
		conclude_limited(r);
	else if (broken != NULL)
		conclude(r, GEN_FAILED, "criterion %s: limit %.10g, measured %.10g", broken->name,
		         broken->limit, broken->value);
	else if (r->stats->done_in_time == 0 && r->rx_bits_per_s + r->tx_bits_per_s == 0)
		conclude(r, GEN_FAILED, "nothing was answered");
	else
		conclude(r, GEN_PASSED, "%s",
		         r->nb_checks == 0 ? "no criteria given" : "all criteria met");
}

const char *gen_verdict_text(enum gen_verdict v)
{
	switch (v) {
	case GEN_PASSED:
		return "passed";
	case GEN_FAILED:
		return "failed";
	case GEN_INCONCLUSIVE:
		return "inconclusive";
	case GEN_COULD_NOT_RUN:
		break;
	}
	return "could not run";
}
