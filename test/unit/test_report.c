/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generator's verdict, exit code and JSON report. With a schema as argument, the report that is
 * written is also validated against it by python3-jsonschema.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "report.h"

static const char *schema;
static struct gen_stats stats;
static struct gen_counter counters[] = {{"rx_packets", 1000}, {"tcp_retransmits", 3}};

/* A run of 2 s: 1000 requests/s, latency 10 us, nothing wrong. */
static struct gen_result make_result(void)
{
	struct gen_result r = {
	    .command_line = "runnel-gen -l 0 -- --loop echo",
	    .mode = "rr",
	    .server = "198.19.0.1:7",
	    .clients = "198.18.0.1, ports 1024-65535",
	    .close = "client",
	    .engine = "echo",
	    .rate = 1000,
	    .connections = 64,
	    .outstanding = 1,
	    .request_bytes = 64,
	    .response_bytes = 64,
	    .duration_ns = UINT64_C(2000000000),
	    .time_wait_ms = 60000,
	    .tuples = 64512,
	    .sustained_per_s = UINT64_MAX,
	    .seed = 42,
	    .criteria = {.max_errors = UINT64_MAX},
	    .version_runnel = "0.1.0",
	    .version_dpdk = "DPDK 22.11",
	    .cpu_model = "test \"cpu\"",
	    .kernel = "6.1",
	    .started_at = "2024-01-01T00:00:00Z",
	    .tsc_hz = 1000000000,
	    .stats = &stats,
	};
	unsigned int i;

	r.client = (struct gen_end){.driver = "net_ring",
	                            .device = "net_ring_a",
	                            .offloads = "tx_multi_segs tx_tso",
	                            .lcores = "0",
	                            .mtu = 1500,
	                            .nb_stacks = 1,
	                            .busy_share = 0.25,
	                            .core_busy_share = 0.5,
	                            .busy_cycles = 500000,
	                            .rx_packets = 2000,
	                            .tx_packets = 4000,
	                            .counters = counters,
	                            .nb_counters = 2};
	r.loop_server = r.client;
	r.loop_server.busy_share = -1;
	gen_stats_reset(&stats);
	stats.window_ns = r.duration_ns;
	stats.sent = stats.completed = stats.done_in_time = 2000;
	stats.rx_bytes = stats.tx_bytes = 2000 * 64;
	for (i = 0; i < 2000; i++) {
		gen_hist_record(&stats.latency, 10000 + i);
		gen_hist_record(&stats.service, 9000 + i);
		gen_hist_record(&stats.lag, 500);
	}
	return r;
}

static void report__passes_and_rates(void **state)
{
	struct gen_result r = make_result();

	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_PASSED);
	assert_true(r.rate_per_s == 1000.0);
	assert_true(r.rx_bits_per_s == 2000 * 64 * 8 / 2);
	assert_false(r.generator_limited);
}

static void report__each_criterion_fails(void **state)
{
	struct gen_result r = make_result();

	r.criteria.min_rate = 1000;
	r.criteria.p99_ns = 12000;
	r.criteria.max_errors = 0;
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_PASSED);
	assert_int_equal(r.nb_checks, 3);
	r.criteria.min_rate = 1001;
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_FAILED);
	assert_non_null(strstr(r.reason, "min_rate"));
	r = make_result();
	r.criteria.p99_ns = 11000;
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_FAILED);
	r = make_result();
	r.criteria.max_errors = 4;
	stats.failures[GEN_FAIL_VERIFY] = 2;
	stats.reasons[RNL_REASON_RESET] = 3;
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_FAILED);
	r.criteria.max_errors = 5;
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_PASSED);
}

static void report__nothing_answered_is_no_pass(void **state)
{
	struct gen_result r = make_result();

	gen_stats_reset(&stats);
	stats.window_ns = r.duration_ns;
	r.criteria.p99_ns = 1000000;
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_FAILED);
	r.criteria.p99_ns = 0;
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_FAILED);
}

static void report__generator_limited_is_inconclusive(void **state)
{
	struct gen_result r = make_result();
	unsigned int i;

	r.client.core_busy_share = 0.99;
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_INCONCLUSIVE);
	assert_non_null(strstr(r.reason, "generator-limited"));
	/* Closed loop: nothing was promised, so it is a note, unless a criterion was missed. */
	r.rate = 0;
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_PASSED);
	assert_true(r.generator_limited);
	r.criteria.min_rate = 1e6;
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_INCONCLUSIVE);
	/* Late although connections were free. */
	r = make_result();
	for (i = 0; i < 2100; i++)
		gen_hist_record(&stats.lag, 2 * GEN_LAG_LIMIT_NS);
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_INCONCLUSIVE);
}

static void report__interrupted_is_inconclusive(void **state)
{
	struct gen_result r = make_result();

	r.interrupted = true;
	r.criteria.min_rate = 1e9;
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_INCONCLUSIVE);
	assert_non_null(strstr(r.reason, "interrupted"));
}

/* A pause of the generator is noise, unless the latency limit broke by it. */
static void report__own_lateness_may_break_a_limit(void **state)
{
	struct gen_result r = make_result();
	unsigned int i;

	for (i = 0; i < 100; i++) {
		gen_hist_record(&stats.lag, 5000000);
		gen_hist_record(&stats.latency, 5010000);
	}
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_PASSED);
	r.criteria.p99_ns = 1000000;
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_INCONCLUSIVE);
	assert_non_null(strstr(r.reason, "cores of its own"));
}

/* No connection: failed if a criterion says so, else it could not run. */
static void report__broken_start(void **state)
{
	struct gen_result r = make_result();

	r.broken = "0 of 4 connections";
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_COULD_NOT_RUN);
	r.criteria.min_rate = 1e9;
	gen_result_judge(&r);
	assert_int_equal(r.verdict, GEN_FAILED);
	assert_string_equal(r.reason, "0 of 4 connections");
}

static void validate(const char *path)
{
	int status;
	pid_t pid;

	if (schema == NULL)
		return;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execlp("python3", "python3", "-W", "ignore", "-m", "jsonschema", "-i", path, schema,
		       (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Writes, validates, reads back. */
static json_t *round_trip(struct gen_result *r)
{
	char path[] = "/tmp/runnel-test-report-XXXXXX";
	struct rnl_error err;
	int fd = mkstemp(path);
	json_t *o;

	assert_true(fd >= 0);
	close(fd);
	gen_result_judge(r);
	assert_int_equal(gen_report_json(r, path, &err), 0);
	validate(path);
	o = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(o);
	unlink(path);
	return o;
}

static json_t *at(json_t *o, const char *a, const char *b)
{
	json_t *v = json_object_get(json_object_get(o, a), b);

	assert_non_null(v);
	return v;
}

static void report__json_holds_what_was_measured(void **state)
{
	struct gen_result r = make_result();
	json_t *o, *hist, *b;
	uint64_t sum = 0;
	size_t i;

	r.criteria.min_rate = 1;
	stats.failures[GEN_FAIL_HTTP_CHUNKED] = 7;
	o = round_trip(&r);
	assert_int_equal(json_integer_value(json_object_get(o, "schema")), 1);
	assert_int_equal(json_integer_value(at(o, "load", "target_rate_per_s")), 1000);
	assert_true(json_real_value(at(o, "measured", "achieved_rate_per_s")) == 1000.0);
	assert_int_equal(
	    json_integer_value(json_object_get(at(o, "errors", "failures"), "http_chunked")), 7);
	assert_int_equal(
	    json_integer_value(json_object_get(at(o, "generator", "counters"), "tcp_retransmits")),
	    3);
	assert_true(json_real_value(json_object_get(at(o, "measured", "packets"),
	                                            "client_tx_packets_per_request")) == 2.0);
	assert_int_equal(json_array_size(at(o, "generator", "offloads")), 2);
	assert_true(json_is_null(at(o, "loop_server", "busy_share")));
	hist = at(o, "measured", "latency_planned");
	assert_int_equal(json_integer_value(json_object_get(hist, "p50_ns")),
	                 gen_hist_percentile(&stats.latency, 500000));
	json_array_foreach(json_object_get(hist, "buckets_ns"), i, b) sum +=
	    (uint64_t)json_integer_value(json_array_get(b, 2));
	assert_int_equal(sum, 2000);
	json_decref(o);
}

/* Nulls where nothing applies: bulk, no server, no latency. */
static void report__json_of_bulk_and_of_nothing(void **state)
{
	struct gen_result r = make_result();
	json_t *o;

	gen_stats_reset(&stats);
	r.bulk = true;
	r.mode = "rx";
	r.engine = NULL;
	r.rate = r.request_bytes = r.response_bytes = 0;
	r.client.driver = NULL;
	r.client.offloads = "";
	r.command_line = "not utf-8: \xff";
	o = round_trip(&r);
	assert_true(json_is_null(json_object_get(o, "loop_server")));
	assert_true(json_is_null(json_object_get(o, "command_line")));
	assert_true(json_is_null(at(o, "measured", "achieved_rate_per_s")));
	assert_true(json_is_null(json_object_get(at(o, "measured", "latency_planned"), "p99_ns")));
	json_decref(o);
}

static void report__http_status_and_seed_survive(void **state)
{
	struct gen_result r = make_result();
	json_t *o;

	r.mode = "http";
	r.http = r.short_lived = true;
	r.seed = INT64_MAX;
	stats.opened_in_time = 1000;
	stats.http_status[1] = 1999;
	stats.http_status[3] = 1;
	o = round_trip(&r);
	assert_int_equal(
	    json_integer_value(json_object_get(at(o, "measured", "http_status"), "4xx")), 1);
	assert_true(json_real_value(json_object_get(at(o, "measured", "packets"),
	                                            "client_tx_packets_per_connection")) == 4.0);
	assert_true(json_integer_value(json_object_get(o, "seed")) == INT64_MAX);
	json_decref(o);
}

static void report__unwritable_file_is_an_error(void **state)
{
	struct gen_result r = make_result();
	struct rnl_error err;

	gen_result_judge(&r);
	assert_true(gen_report_json(&r, "/nonexistent/x.json", &err) < 0);
	assert_non_null(strstr(err.text, "/nonexistent/x.json"));
	assert_true(gen_report_json(&r, "/dev/full", &err) < 0);
}

/* Rows of the text histogram hold every value, and the verdict ends the report. */
static void report__text_names_all(void **state)
{
	struct gen_result r = make_result();
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	stats.reasons[RNL_REASON_REFUSED] = 9;
	gen_result_judge(&r);
	gen_report_text(&r, f);
	fclose(f);
	assert_non_null(strstr(text, "open loop at 1000/s"));
	assert_non_null(strstr(text, "100.000 %"));
	assert_non_null(strstr(text, "refused"));
	assert_non_null(strstr(text, "tcp_retransmits"));
	assert_non_null(strstr(text, "passed: no criteria given"));
	free(text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(report__passes_and_rates),
	    cmocka_unit_test(report__each_criterion_fails),
	    cmocka_unit_test(report__nothing_answered_is_no_pass),
	    cmocka_unit_test(report__generator_limited_is_inconclusive),
	    cmocka_unit_test(report__interrupted_is_inconclusive),
	    cmocka_unit_test(report__own_lateness_may_break_a_limit),
	    cmocka_unit_test(report__broken_start),
	    cmocka_unit_test(report__json_holds_what_was_measured),
	    cmocka_unit_test(report__json_of_bulk_and_of_nothing),
	    cmocka_unit_test(report__http_status_and_seed_survive),
	    cmocka_unit_test(report__unwritable_file_is_an_error),
	    cmocka_unit_test(report__text_names_all),
	};

	schema = argc > 1 ? argv[1] : NULL;
	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
