/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The final table and the latency histogram, for people.
 * Floor: 6 (application).
 */
#include <inttypes.h>
#include <string.h>

#include "print.h"
#include "report.h"

#define BAR 44u

static void print_load(const struct gen_result *r, FILE *out)
{
	struct rnl_text a, b;

	fprintf(out, "\nrunnel-gen %s, DPDK %s\n", r->version_runnel, r->version_dpdk);
	fprintf(out, "load       %s, %" PRIu32 " connections", r->mode, r->connections);
	if (r->request_bytes != 0 || r->response_bytes != 0)
		fprintf(out, ", %s -> %s", rnl_print_bytes(&a, r->request_bytes),
		        r->http ? "HTTP" : rnl_print_bytes(&b, r->response_bytes));
	if (!r->bulk && r->outstanding > 1)
		fprintf(out, ", %" PRIu32 " outstanding each", r->outstanding);
	if (r->rate != 0)
		fprintf(out, ", open loop at %" PRIu64 "/s", r->rate);
	else
		fprintf(out, ", closed loop");
	if (r->short_lived)
		fprintf(out, ", closed by %s", r->close);
	fprintf(out, "\npath       %s -> %s\n", r->clients, r->server);
}

static void print_end(const struct gen_end *e, const char *what, FILE *out)
{
	fprintf(out, "%-10s %s (%s), MTU %u, lcores %s, offloads: %s", what, e->device, e->driver,
	        e->mtu, e->lcores, e->offloads[0] != '\0' ? e->offloads : "none");
	if (e->busy_share >= 0)
		fprintf(out, ", busy %.1f %%", e->busy_share * 100);
	fputc('\n', out);
}

static void print_rates(const struct gen_result *r, FILE *out)
{
	const struct gen_stats *s = r->stats;
	struct rnl_text a;

	fprintf(out, "\nmeasured for %.3f s\n", (double)s->window_ns / 1e9);
	if (!r->bulk) {
		fprintf(out, "  %-12s %14.1f /s", r->short_lived ? "transactions" : "requests",
		        r->rate_per_s);
		if (r->rate != 0)
			fprintf(out, "   (%.2f %% of the target)",
			        100 * r->rate_per_s / (double)r->rate);
		fprintf(out, "\n  %-12s %14" PRIu64 "   sent %" PRIu64 ", failed %" PRIu64 "\n",
		        "answered", s->completed, s->sent, s->failed);
	}
	if (r->short_lived)
		fprintf(out, "  %-12s %14.1f /s\n", "opened", r->opens_per_s);
	fprintf(out, "  %-12s %14s payload\n", "received", rnl_print_bps(&a, r->rx_bits_per_s / 8));
	fprintf(out, "  %-12s %14s payload\n", "sent", rnl_print_bps(&a, r->tx_bits_per_s / 8));
}

/* Cost and packets of one request (or connection): what makes a rate comparable. */
static void print_cost(const struct gen_result *r, FILE *out)
{
	double n =
	    r->short_lived ? (double)r->stats->opened_in_time : (double)r->stats->done_in_time;
	const char *unit = r->short_lived ? "connection" : "request";

	if (r->bulk || n == 0)
		return;
	fprintf(out, "  %-12s %10.2f out, %.2f in, per %s\n", "packets",
	        (double)r->client.tx_packets / n, (double)r->client.rx_packets / n, unit);
	fprintf(out, "  %-12s %10.0f generator", "busy cycles", (double)r->client.busy_cycles / n);
	if (r->engine != NULL)
		fprintf(out, ", %.0f server", (double)r->loop_server.busy_cycles / n);
	fprintf(out, ", per %s\n", unit);
}

static void print_latency_row(const char *what, const struct gen_hist *h, FILE *out)
{
	static const uint32_t ppm[] = {500000, 900000, 990000, 999000, 999900};
	struct rnl_text t;
	unsigned int i;

	if (h->count == 0)
		return;
	fprintf(out, "  %-18s %9s", what, rnl_print_ns(&t, h->min_ns));
	for (i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++)
		fprintf(out, " %9s", rnl_print_ns(&t, gen_hist_percentile(h, ppm[i])));
	fprintf(out, " %9s\n", rnl_print_ns(&t, h->max_ns));
}

static void print_latency(const struct gen_result *r, FILE *out)
{
	const struct gen_stats *s = r->stats;

	if (s->latency.count == 0 && s->connect.count == 0)
		return;
	fprintf(out, "\n  %-18s %9s %9s %9s %9s %9s %9s %9s\n", "latency", "min", "p50", "p90",
	        "p99", "p99.9", "p99.99", "max");
	if (r->rate != 0) {
		print_latency_row("from planned send", &s->latency, out);
		print_latency_row("from actual send", &s->service, out);
		print_latency_row("own lateness", &s->lag, out);
	} else {
		print_latency_row("request", &s->latency, out);
	}
	print_latency_row("connect", &s->connect, out);
}

/* Edge number i of the rows: 1, 2, 5, 10, 20, 50, ... ns. */
static uint64_t row_edge(unsigned int i)
{
	static const uint8_t mantissa[] = {1, 2, 5};
	uint64_t e = mantissa[i % 3];

	for (i /= 3; i > 0; i--)
		e *= 10;
	return e;
}

static uint64_t count_between(const struct gen_hist *h, uint64_t low, uint64_t high)
{
	uint64_t n = 0;
	uint32_t i;

	for (i = gen_hist_index(low); i < GEN_HIST_BUCKETS && gen_hist_low(i) < high; i++)
		if (gen_hist_low(i) >= low)
			n += h->bucket[i];
	return n;
}

static void print_histogram_row(const struct gen_hist *h, unsigned int row, uint64_t most,
                                FILE *out)
{
	static const char bar[BAR + 1] = "############################################";
	uint64_t n = count_between(h, row_edge(row), row_edge(row + 1));
	struct rnl_text a, b, c;
	unsigned int len = (unsigned int)((double)n * BAR / (double)most + 0.5);

	if (n > 0 && len == 0)
		len = 1;
	fprintf(out, "  %9s - %9s  %8s %7.3f %%  %.*s\n", rnl_print_ns(&a, row_edge(row)),
	        rnl_print_ns(&b, row_edge(row + 1)), rnl_print_count(&c, (double)n),
	        100 * (double)n / (double)h->count, (int)len, bar);
}

static void print_histogram(const struct gen_hist *h, const char *title, FILE *out)
{
	/* 36 rows reach 10^12 ns; what is over the histogram's range stands in its last bucket. */
	unsigned int first = 0, last = 36, i;
	uint64_t most = 0, n;

	if (h->count == 0)
		return;
	while (first < last && row_edge(first + 1) <= h->min_ns)
		first++;
	while (last > first && row_edge(last) > h->max_ns)
		last--;
	for (i = first; i <= last; i++) {
		n = count_between(h, row_edge(i), row_edge(i + 1));
		most = n > most ? n : most;
	}
	if (most == 0)
		return;
	fprintf(out, "\n  %s\n", title);
	for (i = first; i <= last; i++)
		print_histogram_row(h, i, most, out);
}

static void print_errors(const struct gen_result *r, FILE *out)
{
	const struct gen_stats *s = r->stats;
	unsigned int i;

	fprintf(out, "\nerrors     %" PRIu64 "\n", gen_stats_errors(s));
	for (i = 0; i < GEN_FAIL_COUNT; i++)
		if (s->failures[i] != 0)
			fprintf(out, "  %-20s %12" PRIu64 "  %s\n", gen_failure_name(i),
			        s->failures[i], gen_failure_text(i));
	for (i = 0; i < RNL_REASON_COUNT; i++)
		if (s->reasons[i] != 0)
			fprintf(out, "  %-20s %12" PRIu64 "  connections that ended so\n",
			        gen_reason_name(i), s->reasons[i]);
}

/* Counters that tell of loss or trouble; the full list is in the JSON report. */
static void print_drops(const struct gen_end *e, const char *what, FILE *out)
{
	static const char *const bad[] = {"drop",       "full", "empty",   "bad",
	                                  "retransmit", "rto",  "no_mbuf", "no_buffer",
	                                  "failed",     "_rst", "recycled"};
	unsigned int i, j;

	for (i = 0; i < e->nb_counters; i++)
		for (j = 0; j < sizeof(bad) / sizeof(bad[0]); j++)
			if (strstr(e->counters[i].name, bad[j]) != NULL) {
				fprintf(out, "  %-9s %-30s %12" PRIu64 "\n", what,
				        e->counters[i].name, e->counters[i].value);
				break;
			}
}

/* The generator's own share in the latency, where it is worth a word. */
static void print_lateness(const struct gen_result *r, FILE *out)
{
	uint64_t lag = gen_hist_percentile(&r->stats->lag, 990000);
	struct rnl_text t;

	if (r->rate != 0 && r->verdict != GEN_INCONCLUSIVE &&
	    lag > gen_hist_percentile(&r->stats->latency, 990000) / 5)
		fprintf(out,
		        "note: of the latency from the planned send, up to %s at p99 is the "
		        "generator's own lateness\n",
		        rnl_print_ns(&t, lag));
}

static void print_verdict(const struct gen_result *r, FILE *out)
{
	unsigned int i;

	for (i = 0; i < r->nb_checks; i++)
		fprintf(out, "%s  %s: limit %.10g, measured %.10g\n",
		        r->checks[i].pass ? "pass" : "FAIL", r->checks[i].name, r->checks[i].limit,
		        r->checks[i].value);
	if (r->generator_limited && r->verdict != GEN_INCONCLUSIVE)
		fprintf(out,
		        "note: generator-limited (busy %.0f %%): more load is not possible from "
		        "these cores\n",
		        r->client.core_busy_share * 100);
	print_lateness(r, out);
	fprintf(out, "%s: %s\n", gen_verdict_text(r->verdict), r->reason);
}

void gen_report_text(const struct gen_result *r, FILE *out)
{
	print_load(r, out);
	print_end(&r->client, "generator", out);
	if (r->engine != NULL)
		print_end(&r->loop_server, "server", out);
	print_rates(r, out);
	print_cost(r, out);
	print_latency(r, out);
	print_histogram(&r->stats->latency,
	                r->rate != 0 ? "latency from the planned send time" : "request latency",
	                out);
	print_errors(r, out);
	print_drops(&r->client, "generator", out);
	if (r->engine != NULL)
		print_drops(&r->loop_server, "server", out);
	print_verdict(r, out);
}
