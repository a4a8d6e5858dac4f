/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of runnel: see params.h. Floor 6. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "params.h"

enum { OPT_LISTEN = 512, OPT_STATS_PERIOD, OPT_CMDLINE_FILE };

static const struct option long_options[] = {
    RNL_TOPO_LONG_OPTIONS,
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"stats-period", required_argument, NULL, OPT_STATS_PERIOD},
    {"cmdline-file", required_argument, NULL, OPT_CMDLINE_FILE},
    {"interactive", no_argument, NULL, 'i'},
    {"auto-start", no_argument, NULL, 'a'},
    {NULL, 0, NULL, 0},
};

static const char usage_head[] =
    "Usage: runnel [EAL options] -- [options]\n"
    "\n"
    "A TCP endpoint on DPDK ports.\n"
    "\n"
    "  --listen SERVICE     listen, once for each service:\n"
    "                       ENGINE[:[ADDR[/LEN]:]PORT[-PORT]][,option]...\n"
    "                       without ADDR: every address; PORT *: every port;\n"
    "                       an IPv6 address stands in brackets\n"
    "  -i, --interactive    console on the terminal; listens after 'start'\n"
    "  -a, --auto-start     listen at once, also with -i\n"
    "  --stats-period SEC   a line of figures each SEC seconds (0: none)\n"
    "  --cmdline-file FILE  run console commands from FILE at start\n"
    "  -h, --help           this text\n"
    "\n"
    "Ports, cores and addresses:\n";

static const char usage_common[] =
    "\nOptions of every engine:\n"
    "  conns=N         connections on each core (as many as --max-conns)\n"
    "  backlog=N       half-open connections at once (1024)\n"
    "  syncookies=WAY  answer SYN by cookie: auto (the backlog is full), always, never\n"
    "  fastopen=N      take data on SYN (RFC 7413) from N clients at once (0: off)\n"
    "  idle=SEC        end a connection when the peer is silent for this long\n"
    "  keepalive=SEC   probe a connection that was silent for this long\n"
    "  sndbuf=N, rcvbuf=N  octets, such as 1M, and no more (256K, growing)\n"
    "  sndbuf-max=N, rcvbuf-max=N  octets that they grow to (4M, 6M)\n"
    "  mss=N           largest segment that is offered\n"
    "  min-mss=N       segments for a peer that offers less (64)\n"
    "  linger=SEC|reset  how long a close tries to deliver; or RST at once\n"
    "  user-timeout=SEC  end a connection when data is unacknowledged for so long\n"
    "  uto             the user timeout option (RFC 5482), both ways\n"
    "  nagle           delay small segments (RFC 9293 3.7.4)\n"
    "  nosack, notimestamps, nowscale  as --no-sack and the like, for this service\n"
    "  nosofterrors, noblackhole  as --no-soft-errors and --no-black-hole\n"
    "  ecn=MODE        congestion notification, instead of --ecn\n"
    "  cc=NAME         congestion control, instead of --cc\n"
    "  pacing          spread what is sent over the round trip\n"
    "  maxrate=N       octets per second of each connection, such as 10M\n";

static const char usage_tail[] =
    "\nExample, a server of files and an echo on one core over a tap device:\n"
    "  runnel -l 0 --no-huge -m 512 --no-pci --vdev=net_tap0,iface=tap0 -- \\\n"
    "      --ip 192.0.2.2/24 --listen http:80,root=/srv/www --listen echo:7 -i -a\n";

static void print_indented(const char *lines)
{
	while (*lines != '\0') {
		int n = (int)strcspn(lines, "\n");

		printf("      %.*s\n", n, lines);
		lines += n + (lines[n] == '\n');
	}
}

void rnl_params_usage(void)
{
	const struct rnl_engine *e;
	unsigned int i;

	fputs(usage_head, stdout);
	fputs(rnl_topo_usage, stdout);
	puts("\nEngines:");
	for (i = 0; (e = rnl_engine_at(i)) != NULL; i++) {
		printf("  %-8s %s (port %u)\n", e->name, e->help, e->default_port);
		if (e->options != NULL)
			print_indented(e->options);
	}
	fputs(usage_common, stdout);
	fputs(usage_tail, stdout);
}

static int add_service(struct rnl_params *p, const char *text, struct rnl_error *err)
{
	int ret;

	if (p->nb_services == RNL_PARAMS_MAX_SERVICES)
		return rnl_service_fail(
		    err, -ENOSPC, "more than %d --listen: use port ranges, such as http:80-99",
		    RNL_PARAMS_MAX_SERVICES);
	ret = rnl_service_parse(text, &p->services[p->nb_services], err);
	if (ret == 0)
		p->nb_services++;
	return ret;
}

static int own_option(struct rnl_params *p, int code, const char *value, struct rnl_error *err)
{
	const struct rnl_arg arg = {.opt = "--stats-period", .text = value, .err = err};

	switch (code) {
	case OPT_LISTEN:
		return add_service(p, value, err);
	case OPT_STATS_PERIOD:
		return rnl_arg_duration(&arg, &p->stats_period_ns);
	case OPT_CMDLINE_FILE:
		p->cmdline_file = value;
		if (access(value, R_OK) != 0)
			return rnl_service_fail(err, -errno, "--cmdline-file %s cannot be read: %s",
			                        value, strerror(errno));
		return 0;
	case 'i':
		p->interactive = true;
		return 0;
	case 'a':
		p->auto_start = true;
		return 0;
	default:
		return rnl_service_fail(err, -EINVAL, "option %d has no meaning", code);
	}
}

static int check(const struct rnl_params *p, struct rnl_error *err)
{
	if (p->nb_services == 0)
		return rnl_service_fail(
		    err, -EINVAL, "nothing to listen for: give --listen, such as --listen http:80");
	if (p->topo.nb_addrs == 0)
		return rnl_service_fail(
		    err, -EINVAL, "the port has no address: give --ip, such as --ip 192.0.2.2/24");
	return 0;
}

/* getopt tells of a short option by its letter, of a long one by nothing or its code. */
static int refuse_option(const char *said, struct rnl_error *err)
{
	const char letter[] = {'-', (char)optopt, '\0'};
	bool is_short = optopt > 0 && optopt < 128 && strchr("iahp", optopt) == NULL;

	return rnl_service_fail(err, -EINVAL,
	                        "option %s is unknown or takes no value: see runnel --help",
	                        is_short ? letter : said);
}

static int parse_options(int argc, char *argv[], struct rnl_params *p, struct rnl_error *err)
{
	int code, ret;

	opterr = 0;
	optind = 0; /* afresh, whatever an earlier parse left behind */
	while ((code = getopt_long(argc, argv, ":ia" RNL_TOPO_SHORT_OPTIONS, long_options, NULL)) !=
	       -1) {
		const char *said = argv[optind - 1];

		if (code == '?')
			return refuse_option(said, err);
		if (code == ':')
			return rnl_service_fail(err, -EINVAL,
			                        "option %s needs a value: see runnel --help", said);
		ret = rnl_topo_option(&p->topo, code, optarg, err);
		if (ret == 0)
			ret = own_option(p, code, optarg, err);
		if (ret < 0)
			return ret;
	}
	for (unsigned int i = 0; i < p->nb_services; i++)
		rnl_topo_conn_opts(&p->topo, &p->services[i].listen.opts);
	if (optind < argc)
		return rnl_service_fail(err, -EINVAL, "'%s' is not an option: see runnel --help",
		                        argv[optind]);
	return check(p, err);
}

int rnl_params_parse(int argc, char *argv[], struct rnl_params *out, struct rnl_error *err)
{
	int ret;

	memset(out, 0, sizeof(*out));
	ret = parse_options(argc, argv, out, err);
	optind = 1; /* the EAL reads its own part with getopt next */
	if (ret != 0)
		rnl_params_free(out);
	return ret;
}

void rnl_params_free(struct rnl_params *p)
{
	unsigned int i;

	for (i = 0; i < p->nb_services; i++)
		rnl_service_free(&p->services[i]);
	p->nb_services = 0;
}
