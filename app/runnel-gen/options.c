/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options of runnel-gen. See options.h.
 * Floor: 6 (application).
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "arrivals.h"
#include "options.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
/** Largest request that is sent from memory, and largest answer that is counted. */
#define SIZE_MAX_BYTES (UINT64_C(16) << 20)
/** Connections that a lane has room for unless --max-conns says more. */
#define MAX_TUPLES UINT64_C(4194304)

/* clang-format off */
enum { OPT_SERVER = 512, OPT_CLIENT_ADDR, OPT_CLIENT_PORTS, OPT_OUTSTANDING, OPT_SIZE, OPT_PATH,
       OPT_REQUESTS, OPT_CLOSE, OPT_RATE, OPT_DURATION, OPT_WARMUP, OPT_DRAIN, OPT_CONNECT_TIMEOUT,
       OPT_VERIFY, OPT_LOOP, OPT_LOOP_SHARED, OPT_MIN_RATE, OPT_P99, OPT_MAX_ERRORS, OPT_JSON,
       OPT_QUIET, OPT_MODE };

static const struct option long_options[] = {
	RNL_TOPO_LONG_OPTIONS,
	{"mode", required_argument, NULL, OPT_MODE},
	{"server", required_argument, NULL, OPT_SERVER},
	{"client-addr", required_argument, NULL, OPT_CLIENT_ADDR},
	{"client-ports", required_argument, NULL, OPT_CLIENT_PORTS},
	{"connections", required_argument, NULL, 'c'},
	{"outstanding", required_argument, NULL, OPT_OUTSTANDING},
	{"size", required_argument, NULL, OPT_SIZE},
	{"path", required_argument, NULL, OPT_PATH},
	{"requests-per-conn", required_argument, NULL, OPT_REQUESTS},
	{"close", required_argument, NULL, OPT_CLOSE},
	{"rate", required_argument, NULL, OPT_RATE},
	{"duration", required_argument, NULL, OPT_DURATION},
	{"warmup", required_argument, NULL, OPT_WARMUP},
	{"drain", required_argument, NULL, OPT_DRAIN},
	{"connect-timeout", required_argument, NULL, OPT_CONNECT_TIMEOUT},
	{"verify", no_argument, NULL, OPT_VERIFY},
	{"loop", required_argument, NULL, OPT_LOOP},
	{"loop-shared", no_argument, NULL, OPT_LOOP_SHARED},
	{"expect-min-rate", required_argument, NULL, OPT_MIN_RATE},
	{"expect-p99-us", required_argument, NULL, OPT_P99},
	{"max-errors", required_argument, NULL, OPT_MAX_ERRORS},
	{"json", required_argument, NULL, OPT_JSON},
	{"quiet", no_argument, NULL, OPT_QUIET},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};
/* clang-format on */

static const char *const mode_words[] = {"rr", "cps", "tx", "rx", "bidir", "http"};
static const char *const close_words[] = {"client", "server", "rst"};

/* What was given, where absence matters; and ranges that become struct members. */
struct given {
	bool mode, server, clients, size, connections, path, requests;
};

const char *gen_mode_text(enum gen_mode m)
{
	return mode_words[m];
}

__attribute__((format(printf, 2, 3))) static int fail(struct rnl_error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* "64" or "64:1400". */
static int take_size(struct gen_options *o, const struct rnl_arg *a)
{
	char first[32];
	const char *colon = strchr(a->text, ':');
	struct rnl_arg part = *a;
	uint64_t in, out;
	int ret;

	if (colon == NULL) {
		ret = rnl_arg_size(a, 0, SIZE_MAX_BYTES, &in);
		out = in;
	} else {
		snprintf(first, sizeof(first), "%.*s", (int)(colon - a->text), a->text);
		part.text = first;
		ret = rnl_arg_size(&part, 0, SIZE_MAX_BYTES, &in);
		part.text = colon + 1;
		if (ret == 0)
			ret = rnl_arg_size(&part, 0, SIZE_MAX_BYTES, &out);
	}
	if (ret != 0)
		return ret;
	o->request_bytes = (uint32_t)in;
	o->response_bytes = (uint32_t)out;
	return 0;
}

/* "10.0.0.1-10.0.0.50/24": the addresses of the client's port. */
static int take_clients(struct gen_options *o, const struct rnl_arg *a)
{
	const char *slash = strrchr(a->text, '/');
	char range[128];
	struct rnl_arg part = *a;
	uint64_t len = 0;
	int ret;

	snprintf(range, sizeof(range), "%.*s",
	         slash == NULL ? (int)strlen(a->text) : (int)(slash - a->text), a->text);
	part.text = range;
	ret = rnl_arg_addr_range(&part, &o->clients);
	if (ret != 0)
		return ret;
	if (slash != NULL) {
		part.text = slash + 1;
		ret = rnl_arg_uint(&part, 1, rnl_addr_is_v4(&o->clients.first) ? 32 : 128, &len);
	} else {
		len = rnl_addr_is_v4(&o->clients.first) ? 24 : 64;
	}
	o->client_prefix_len = (uint8_t)len;
	return ret;
}

/* --ip says the same in the words of runnel, with a port if need be. */
static int take_ip(struct gen_options *o, const struct rnl_arg *a)
{
	int ret;

	o->topo.nb_addrs = 0;
	ret = rnl_topo_option(&o->topo, RNL_TOPO_OPT_IP, a->text, a->err);
	if (ret < 0)
		return ret;
	o->clients = o->topo.addrs[0].range;
	o->client_prefix_len = o->topo.addrs[0].prefix_len;
	return 0;
}

static int take_rate(struct gen_options *o, const struct rnl_arg *a)
{
	double rate = 0;
	int ret = rnl_arg_rate(a, &rate);

	if (ret != 0)
		return ret;
	if (rate < 1 || rate > (double)GEN_ARRIVALS_MAX_RATE)
		return fail(a->err, "%s %s: give a rate from 1 to 1G per second", a->opt, a->text);
	o->rate = (uint64_t)(rate + 0.5);
	return 0;
}

static int take_choice(const struct rnl_arg *a, const char *const words[], unsigned int n,
                       unsigned int *out)
{
	int i = rnl_arg_choice(a, words, n);

	if (i < 0)
		return i;
	*out = (unsigned int)i;
	return 0;
}

/* Times, sizes and counts of the load. */
static int take_load(struct gen_options *o, struct given *g, int code, const struct rnl_arg *a)
{
	unsigned int word = 0;
	int ret;

	switch (code) {
	case OPT_MODE:
		g->mode = true;
		ret = take_choice(a, mode_words, GEN_MODES, &word);
		o->mode = (enum gen_mode)word;
		return ret;
	case OPT_CLOSE:
		ret = take_choice(a, close_words, 3, &word);
		o->close = (enum gen_close)word;
		return ret;
	case 'c':
		g->connections = true;
		return rnl_arg_u32(a, 1, 100000000, &o->connections);
	case OPT_OUTSTANDING:
		return rnl_arg_u32(a, 1, 1024, &o->outstanding);
	case OPT_SIZE:
		g->size = true;
		return take_size(o, a);
	case OPT_REQUESTS:
		g->requests = true;
		return rnl_arg_uint(a, 0, UINT32_MAX, &o->requests_per_conn);
	case OPT_RATE:
		return take_rate(o, a);
	case OPT_DURATION:
		return rnl_arg_duration(a, &o->duration_ns);
	case OPT_WARMUP:
		return rnl_arg_duration(a, &o->warmup_ns);
	case OPT_DRAIN:
		return rnl_arg_duration(a, &o->drain_ns);
	case OPT_CONNECT_TIMEOUT:
		return rnl_arg_duration(a, &o->connect_timeout_ns);
	default:
		return 1;
	}
}

/* Ends, criteria and output. */
static int take_rest(struct gen_options *o, struct given *g, int code, const struct rnl_arg *a)
{
	uint64_t n = 0;
	int ret;

	switch (code) {
	case OPT_SERVER:
		g->server = true;
		return rnl_arg_endpoint(a, &o->server, &o->server_ports);
	case OPT_CLIENT_ADDR:
		g->clients = true;
		return take_clients(o, a);
	case RNL_TOPO_OPT_IP:
		g->clients = true;
		return take_ip(o, a);
	case OPT_CLIENT_PORTS:
		return rnl_arg_ports(a, &o->client_ports);
	case OPT_PATH:
		g->path = true;
		o->path = a->text;
		return 0;
	case OPT_VERIFY:
		o->verify = true;
		return 0;
	case OPT_LOOP:
		if (o->loop)
			return fail(a->err,
			            "--loop: give it once; one server runs in this process");
		o->loop = true;
		return rnl_service_parse(a->text, &o->service, a->err);
	case OPT_LOOP_SHARED:
		o->loop_shared = true;
		return 0;
	case OPT_MIN_RATE:
		return rnl_arg_rate(a, &o->criteria.min_rate);
	case OPT_P99:
		ret = rnl_arg_uint(a, 1, UINT32_MAX, &n);
		o->criteria.p99_ns = n * 1000;
		return ret;
	case OPT_MAX_ERRORS:
		return rnl_arg_uint(a, 0, UINT64_MAX - 1, &o->criteria.max_errors);
	case RNL_TOPO_OPT_SEED:
		return rnl_arg_uint(a, 1, INT64_MAX, &o->seed);
	case OPT_JSON:
		o->json = a->text;
		return 0;
	case OPT_QUIET:
		o->quiet = true;
		return 0;
	default:
		return 1;
	}
}

static const char *option_name(int code)
{
	unsigned int i;

	for (i = 0; long_options[i].name != NULL; i++)
		if (long_options[i].val == code)
			return long_options[i].name;
	return "?";
}

static int take_option(struct gen_options *o, struct given *g, int code, struct rnl_error *err)
{
	char name[64];
	struct rnl_arg a = {.opt = name, .text = optarg, .err = err};
	int ret;

	snprintf(name, sizeof(name), "--%s", option_name(code));
	ret = take_load(o, g, code, &a);
	if (ret == 1)
		ret = take_rest(o, g, code, &a);
	if (ret != 1)
		return ret;
	ret = rnl_topo_option(&o->topo, code, optarg, err);
	return ret < 0 ? ret : 0;
}

/* The mode that an engine asks for when none was given. */
static enum gen_mode mode_for(const char *engine)
{
	if (strcmp(engine, "http") == 0)
		return GEN_HTTP;
	if (strcmp(engine, "sink") == 0)
		return GEN_TX;
	if (strcmp(engine, "source") == 0)
		return GEN_RX;
	return GEN_RR;
}

/* RFC 2544 gives 198.18.0.0/15 to tests: both ends of --loop live there. */
static void default_loop_ends(struct gen_options *o, const struct given *g)
{
	if (!g->server) {
		o->server = rnl_addr_v4(198, 19, 0, 1);
		o->server_ports.first = o->service.listen.port_first;
		o->server_ports.last = o->service.listen.port_last != 0
		                           ? o->service.listen.port_last
		                           : o->service.listen.port_first;
	}
	if (!g->clients) {
		/* Short connections use up tuples: an address has 64512, for TIME-WAIT each. */
		o->clients = (struct rnl_addr_range){.first = rnl_addr_v4(198, 18, 0, 1),
		                                     .count = gen_short_lived(o) ? 64 : 1};
		o->client_prefix_len = 15;
	}
}

static int check_ends(struct gen_options *o, const struct given *g, struct rnl_error *err)
{
	struct rnl_addr none = {{0}};

	if (o->loop)
		default_loop_ends(o, g);
	else if (!g->server)
		return fail(err, "no server: give --server ADDR:PORT, or --loop ENGINE to run one "
		                 "in this process");
	else if (!g->clients)
		return fail(err, "no client address: give --client-addr FIRST[-LAST]/LEN");
	if (memcmp(&o->server, &none, sizeof(none)) == 0)
		return fail(err, "--server: give an address too, such as 10.0.0.1:%u",
		            o->server_ports.first);
	if (rnl_addr_is_v4(&o->server) != rnl_addr_is_v4(&o->clients.first))
		return fail(err, "server and client addresses are of different families: give "
		                 "--client-addr of the server's");
	if (o->clients.count > RNL_TOPO_MAX_ADDRS)
		return fail(err, "--client-addr: %u addresses, at most %u are possible",
		            o->clients.count, RNL_TOPO_MAX_ADDRS);
	o->topo.addrs[0].prefix_len = o->client_prefix_len;
	o->topo.addrs[0].range = o->clients;
	o->topo.nb_addrs = 1;
	return 0;
}

static int check_bulk(const struct gen_options *o, struct rnl_error *err)
{
	if (o->rate != 0)
		return fail(err, "--rate: mode %s has no requests to time; leave --rate out",
		            gen_mode_text(o->mode));
	if (o->requests_per_conn != 0 || o->outstanding != 1)
		return fail(err, "--requests-per-conn and --outstanding: mode %s has no requests",
		            gen_mode_text(o->mode));
	return 0;
}

static int check_requests(struct gen_options *o, const struct given *g, struct rnl_error *err)
{
	if (o->mode == GEN_CPS) {
		if (g->requests && o->requests_per_conn != 1)
			return fail(err, "--requests-per-conn: mode cps makes one; use --mode %s",
			            o->http ? "http" : "rr");
		if (o->outstanding != 1)
			return fail(err, "--outstanding: mode cps has one request per connection");
		o->requests_per_conn = 1;
	} else if (!o->http && (o->request_bytes == 0 || o->response_bytes == 0)) {
		return fail(err,
		            "--size: mode rr needs at least 1 octet each way; mode cps takes 0");
	}
	if (o->mode == GEN_CPS && !o->http && (o->request_bytes == 0) != (o->response_bytes == 0))
		return fail(err, "--size: give 0:0 for connections without data, or two sizes");
	if (!o->http && o->verify && o->request_bytes != o->response_bytes)
		return fail(err, "--verify compares with what was sent: --size must be equal both "
		                 "ways");
	if (o->http && g->size)
		return fail(err, "--size: the size of an HTTP answer is the server's; use --path");
	if (o->http && o->verify)
		return fail(err, "--verify: the generator does not know the body; leave it out");
	if (o->close == GEN_CLOSE_SERVER && !o->http && !gen_short_lived(o))
		return fail(err, "--close server: these connections live until the end; it goes "
		                 "with mode cps or --requests-per-conn");
	return 0;
}

static int check_loop(const struct gen_options *o, struct rnl_error *err)
{
	const char *engine = o->service.engine->name;
	bool http = strcmp(engine, "http") == 0;

	if (http != o->http && !gen_mode_bulk(o->mode) &&
	    !(o->mode == GEN_CPS && o->request_bytes == 0))
		return fail(err, "--loop %s does not answer mode %s: use --loop %s", engine,
		            gen_mode_text(o->mode), o->http ? "http" : "echo");
	if (strcmp(engine, "echo") == 0 && !gen_mode_bulk(o->mode) &&
	    o->request_bytes != o->response_bytes)
		return fail(err, "--size: echo answers with as many octets as it gets; give one "
		                 "size, or use --loop http,body=N");
	if (o->close == GEN_CLOSE_SERVER && !http && gen_short_lived(o))
		return fail(err, "--close server: engine %s never closes first; use --loop http",
		            engine);
	return 0;
}

static int check_all(struct gen_options *o, struct given *g, struct rnl_error *err)
{
	int ret;

	if (!g->mode && o->loop)
		o->mode = mode_for(o->service.engine->name);
	/* cps speaks HTTP when there is something to GET. */
	if (o->mode == GEN_CPS && !g->requests)
		o->requests_per_conn = 1;
	o->http = o->mode == GEN_HTTP || (o->mode == GEN_CPS && g->path);
	if (o->loop && o->mode == GEN_CPS && !g->size)
		o->http |= strcmp(o->service.engine->name, "http") == 0;
	if (g->path && !o->http)
		return fail(err, "--path goes with mode http or cps");
	if (!g->connections && gen_mode_bulk(o->mode))
		o->connections = 1;
	if (o->duration_ns == 0)
		return fail(err, "--duration: give more than 0 s");
	ret = check_ends(o, g, err);
	if (ret == 0)
		ret = gen_mode_bulk(o->mode) ? check_bulk(o, err) : check_requests(o, g, err);
	if (ret == 0 && o->loop)
		ret = check_loop(o, err);
	return ret;
}

/* Random, but printable and repeatable: it is part of the report. */
static int default_seed(struct gen_options *o, struct rnl_error *err)
{
	while (o->seed == 0) {
		if (getrandom(&o->seed, sizeof(o->seed), 0) != (ssize_t)sizeof(o->seed))
			return fail(err, "no random seed from the kernel: give --seed N");
		o->seed &= INT64_MAX;
	}
	o->topo.seed = o->seed;
	return 0;
}

int gen_options_parse(struct gen_options *o, int argc, char *argv[], struct rnl_error *err)
{
	struct given g = {0};
	int code, ret;

	*o = (struct gen_options){
	    .path = "/",
	    .connections = 64,
	    .outstanding = 1,
	    .request_bytes = 64,
	    .response_bytes = 64,
	    .duration_ns = 10 * NS_PER_S,
	    .warmup_ns = NS_PER_S / 2,
	    .drain_ns = 2 * NS_PER_S,
	    .connect_timeout_ns = 5 * NS_PER_S,
	    .client_ports = {1024, 65535},
	    .criteria = {.max_errors = UINT64_MAX},
	};
	optind = 1;
	opterr = 0;
	while ((code = getopt_long(argc, argv, ":c:h" RNL_TOPO_SHORT_OPTIONS, long_options,
	                           NULL)) != -1) {
		if (code == 'h') {
			o->help = true;
			return 0;
		}
		if (code == '?' || code == ':')
			return fail(err, "%s: %s; -h lists the options", argv[optind - 1],
			            code == '?' ? "no such option" : "its value is missing");
		ret = take_option(o, &g, code, err);
		if (ret != 0)
			return ret;
	}
	if (optind < argc)
		return fail(err, "%s: not an option; -h lists them", argv[optind]);
	ret = check_all(o, &g, err);
	return ret != 0 ? ret : default_seed(o, err);
}

void gen_options_plan(const struct gen_options *o, struct gen_plan_in *in)
{
	*in = (struct gen_plan_in){
	    .client_addrs = o->clients.count,
	    .client_ports = (uint64_t)o->client_ports.last - o->client_ports.first + 1,
	    .server_endpoints = (uint64_t)o->server_ports.last - o->server_ports.first + 1,
	    .connections = o->connections,
	    .short_lived = gen_short_lived(o),
	    .requests_per_conn = o->requests_per_conn != 0 ? o->requests_per_conn : 1,
	    .rate = o->rate,
	    .run_ms = (o->warmup_ns + o->duration_ns) / NS_PER_MS,
	    .time_wait_ms = o->topo.time_wait_ms != 0 ? o->topo.time_wait_ms : 60000,
	    .close = o->close,
	    .max_tuples = o->topo.max_conns != 0 ? o->topo.max_conns : MAX_TUPLES,
	};
}
