/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The JSON report, schema 1: doc/report.schema.json. Units stand in the key names; what does not
 * apply to a run is null or absent, never a made-up zero.
 * Floor: 6 (application).
 */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "report.h"

/* Fractions and huge sums as they are; jansson would print a NaN as an error. */
static json_t *number(double v)
{
	return json_real(v);
}

static json_t *integer(uint64_t v)
{
	return json_integer((json_int_t)(v > INT64_MAX ? INT64_MAX : v));
}

static json_t *integer_or_null(uint64_t v, bool known)
{
	return known ? integer(v) : json_null();
}

static json_t *text(const char *s)
{
	json_t *j = s == NULL ? json_null() : json_string(s);

	/* Not UTF-8 (an odd command line): better no text than no report. */
	return j == NULL ? json_null() : j;
}

static json_t *ratio_or_null(double n, double d)
{
	return d == 0.0 ? json_null() : number(n / d);
}

/* [lowest ns, highest ns, count] of each bucket in use. To merge: add counts of equal lowest ns. */
static json_t *buckets_json(const struct gen_hist *h)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < GEN_HIST_BUCKETS; i++)
		if (h->bucket[i] != 0)
			json_array_append_new(list, json_pack("[o,o,o]", integer(gen_hist_low(i)),
			                                      integer(gen_hist_high(i)),
			                                      integer(h->bucket[i])));
	return list;
}

static json_t *hist_json(const struct gen_hist *h)
{
	static const struct {
		const char *key;
		uint32_t ppm;
	} points[] = {{"p50_ns", 500000},  {"p90_ns", 900000},   {"p99_ns", 990000},
	              {"p999_ns", 999000}, {"p9999_ns", 999900}, {"p99999_ns", 999990}};
	bool any = h->count != 0;
	json_t *o = json_object();
	unsigned int i;

	json_object_set_new(o, "count", integer(h->count));
	json_object_set_new(o, "min_ns", integer_or_null(h->min_ns, any));
	json_object_set_new(o, "mean_ns", any ? number(gen_hist_mean(h)) : json_null());
	json_object_set_new(o, "max_ns", integer_or_null(h->max_ns, any));
	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		json_object_set_new(o, points[i].key,
		                    integer_or_null(gen_hist_percentile(h, points[i].ppm), any));
	json_object_set_new(o, "over_range_count", integer(h->over));
	json_object_set_new(o, "buckets_ns", buckets_json(h));
	return o;
}

static json_t *load_json(const struct gen_result *r)
{
	return json_pack(
	    "{s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "mode",
	    text(r->mode), "loop", r->rate != 0 ? "open" : "closed", "target_rate_per_s",
	    integer_or_null(r->rate, r->rate != 0), "connections", integer(r->connections),
	    "outstanding", integer_or_null(r->outstanding, !r->bulk), "request_bytes",
	    integer_or_null(r->request_bytes, r->request_bytes != 0), "response_bytes",
	    integer_or_null(r->response_bytes, r->response_bytes != 0), "requests_per_connection",
	    integer_or_null(r->requests_per_conn, r->requests_per_conn != 0), "closing_side",
	    text(r->close), "duration_ns", integer(r->duration_ns), "warmup_ns",
	    integer(r->warmup_ns), "server", text(r->server), "clients", text(r->clients),
	    "time_wait_ms", integer(r->time_wait_ms), "tuples", integer(r->tuples),
	    "sustained_connections_per_s",
	    integer_or_null(r->sustained_per_s, r->sustained_per_s != UINT64_MAX));
}

static json_t *counters_json(const struct gen_end *e)
{
	json_t *o = json_object();
	unsigned int i;

	for (i = 0; i < e->nb_counters; i++)
		json_object_set_new(o, e->counters[i].name, integer(e->counters[i].value));
	return o;
}

/* "a b c" as a list. */
static json_t *words_json(const char *words)
{
	json_t *list = json_array();
	size_t n;

	for (; *words != '\0'; words += n) {
		words += strspn(words, " ");
		n = strcspn(words, " ");
		if (n != 0)
			json_array_append_new(list, json_stringn(words, n));
	}
	return list;
}

static json_t *end_json(const struct gen_result *r, const struct gen_end *e)
{
	double requests = (double)r->stats->done_in_time;
	bool busy = e->busy_share >= 0;

	return json_pack(
	    "{s:{s:o,s:o,s:o,s:o},s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "link", "driver",
	    text(e->driver), "device", text(e->device), "speed_mbit_per_s",
	    integer_or_null(e->speed_mbps, e->speed_mbps != 0), "mtu_bytes", integer(e->mtu),
	    "offloads", words_json(e->offloads), "lcores", text(e->lcores), "stacks",
	    integer(e->nb_stacks), "busy_share", busy ? number(e->busy_share) : json_null(),
	    "core_busy_share", busy ? number(e->core_busy_share) : json_null(), "busy_cycles",
	    integer_or_null(e->busy_cycles, busy), "busy_cycles_per_request",
	    !busy || r->bulk ? json_null() : ratio_or_null((double)e->busy_cycles, requests),
	    "rx_packets", integer(e->rx_packets), "tx_packets", integer(e->tx_packets), "counters",
	    counters_json(e));
}

static json_t *packets_json(const struct gen_result *r)
{
	double tx = (double)r->client.tx_packets, rx = (double)r->client.rx_packets;
	double requests = r->bulk ? 0.0 : (double)r->stats->done_in_time;
	double conns = r->short_lived ? (double)r->stats->opened_in_time : 0.0;

	return json_pack("{s:o,s:o,s:o,s:o}", "client_tx_packets_per_request",
	                 ratio_or_null(tx, requests), "client_rx_packets_per_request",
	                 ratio_or_null(rx, requests), "client_tx_packets_per_connection",
	                 ratio_or_null(tx, conns), "client_rx_packets_per_connection",
	                 ratio_or_null(rx, conns));
}

static json_t *errors_json(const struct gen_stats *s)
{
	json_t *failures = json_object(), *reasons = json_object();
	unsigned int i;

	for (i = 0; i < GEN_FAIL_COUNT; i++)
		if (s->failures[i] != 0)
			json_object_set_new(failures, gen_failure_name(i), integer(s->failures[i]));
	for (i = 0; i < RNL_REASON_COUNT; i++)
		if (s->reasons[i] != 0)
			json_object_set_new(reasons, gen_reason_name(i), integer(s->reasons[i]));
	return json_pack("{s:o,s:o,s:o}", "total", integer(gen_stats_errors(s)), "failures",
	                 failures, "connection_ends", reasons);
}

static json_t *status_json(const struct gen_result *r)
{
	const uint64_t *n = r->stats->http_status;

	if (!r->http)
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:o,s:o}", "1xx", integer(n[0]), "2xx", integer(n[1]), "3xx",
	                 integer(n[2]), "4xx", integer(n[3]), "5xx", integer(n[4]));
}

static json_t *measured_json(const struct gen_result *r)
{
	const struct gen_stats *s = r->stats;
	bool open = r->rate != 0;

	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
	                 "window_ns", integer(s->window_ns), "achieved_rate_per_s",
	                 r->bulk ? json_null() : number(r->rate_per_s), "achieved_share_of_target",
	                 open ? number(r->rate_per_s / (double)r->rate) : json_null(),
	                 "connections_opened_per_s", number(r->opens_per_s), "rx_bits_per_s",
	                 number(r->rx_bits_per_s), "tx_bits_per_s", number(r->tx_bits_per_s),
	                 "requests_sent", integer(s->sent), "requests_completed",
	                 integer(s->completed), "requests_failed", integer(s->failed), "connects",
	                 integer(s->connects), "connected", integer(s->connected), "http_status",
	                 status_json(r), "packets", packets_json(r), "latency_planned",
	                 hist_json(&s->latency), "latency_actual", hist_json(&s->service),
	                 "connect", hist_json(&s->connect), "generator_lag", hist_json(&s->lag));
}

static json_t *criteria_json(const struct gen_result *r)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < r->nb_checks; i++)
		json_array_append_new(
		    list, json_pack("{s:s,s:o,s:o,s:b}", "name", r->checks[i].name, "limit",
		                    number(r->checks[i].limit), "measured",
		                    number(r->checks[i].value), "pass", (int)r->checks[i].pass));
	return list;
}

static json_t *report_json(const struct gen_result *r)
{
	json_t *o = json_pack("{s:i,s:s,s:o,s:o,s:{s:o,s:o},s:{s:o,s:o,s:o},s:o,s:o}", "schema", 1,
	                      "program", "runnel-gen", "command_line", text(r->command_line),
	                      "started_at", text(r->started_at), "versions", "runnel",
	                      text(r->version_runnel), "dpdk", text(r->version_dpdk), "host",
	                      "cpu_model", text(r->cpu_model), "kernel", text(r->kernel), "tsc_hz",
	                      integer(r->tsc_hz), "seed", integer(r->seed), "load", load_json(r));

	if (o == NULL)
		return NULL;
	json_object_set_new(o, "generator", end_json(r, &r->client));
	json_object_set_new(o, "loop_engine", text(r->engine));
	json_object_set_new(o, "loop_server",
	                    r->engine == NULL ? json_null() : end_json(r, &r->loop_server));
	json_object_set_new(o, "measured", measured_json(r));
	json_object_set_new(o, "errors", errors_json(r->stats));
	json_object_set_new(o, "criteria", criteria_json(r));
	json_object_set_new(o, "generator_limited", json_boolean(r->generator_limited));
	json_object_set_new(o, "interrupted", json_boolean(r->interrupted));
	json_object_set_new(o, "verdict", json_string(gen_verdict_text(r->verdict)));
	json_object_set_new(o, "exit_code", json_integer(r->verdict));
	json_object_set_new(o, "reason", text(r->reason));
	return o;
}

/* @return 0 or a negative errno. */
static int write_file(const json_t *o, FILE *f)
{
	if (json_dumpf(o, f, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) != 0 ||
	    fputc('\n', f) == EOF || fflush(f) != 0)
		return errno != 0 ? -errno : -EIO;
	return 0;
}

int gen_report_json(const struct gen_result *r, const char *path, struct rnl_error *err)
{
	bool to_stdout = strcmp(path, "-") == 0;
	FILE *f = to_stdout ? stdout : fopen(path, "w");
	json_t *o;
	int ret;

	if (f == NULL) {
		ret = -errno;
		snprintf(err->text, sizeof(err->text),
		         "--json %s: %s; name a file in a folder that can be written", path,
		         strerror(-ret));
		return ret;
	}
	errno = 0;
	o = report_json(r);
	ret = o == NULL ? -ENOMEM : write_file(o, f);
	json_decref(o);
	if (!to_stdout && fclose(f) != 0 && ret == 0)
		ret = -errno;
	if (ret != 0)
		snprintf(err->text, sizeof(err->text),
		         "--json %s: %s; the report is not complete: free space and run again",
		         path, strerror(-ret));
	return ret;
}
