/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of app/common's text side: option values, EAL arguments, topology options, printing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "args.h"
#include "eal.h"
#include "preflight.h"
#include "print.h"
#include "topology.h"

static struct rnl_error err;

static struct rnl_arg arg(const char *text)
{
	memset(&err, 0, sizeof(err));
	return (struct rnl_arg){.opt = "--opt", .text = text, .err = &err};
}

/* The last failure names the option, and has one line. */
static void assert_explained(const char *hint)
{
	assert_non_null(strstr(err.text, hint));
	assert_null(strchr(err.text, '\n'));
}

static void args__uint(void **state)
{
	const char *const bad[] = {"",   "-1", "+1",  " 1",  "1 ",
	                           "1x", "9",  "101", "0xg", "18446744073709551616"};
	struct rnl_arg a = arg("100");
	uint64_t v;

	assert_int_equal(rnl_arg_uint(&a, 10, 100, &v), 0);
	assert_int_equal(v, 100);
	a = arg("0x10");
	assert_int_equal(rnl_arg_uint(&a, 10, 100, &v), 0);
	assert_int_equal(v, 16);
	a = arg("010"); /* not octal */
	assert_int_equal(rnl_arg_uint(&a, 10, 100, &v), 0);
	assert_int_equal(v, 10);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = arg(bad[i]);
		assert_int_equal(rnl_arg_uint(&a, 10, 100, &v), -EINVAL);
		assert_explained("--opt '");
		assert_explained("a whole number from 10 to 100");
	}
}

static void args__size(void **state)
{
	const struct {
		const char *text;
		uint64_t value;
	} good[] = {{"1500", 1500},
	            {"64k", 65536},
	            {"1.5K", 1536},
	            {"10M", 10485760},
	            {"2G", UINT64_C(2) << 30}};
	const char *const bad[] = {"",   "k",  "1.3", "1kk",    "1e3",
	                           "-1", "3T", ".5k", "1.2.3k", "99999999999999T"};
	struct rnl_arg a;
	uint64_t v;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		a = arg(good[i].text);
		assert_int_equal(rnl_arg_size(&a, 1, UINT64_C(1) << 40, &v), 0);
		assert_int_equal(v, good[i].value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = arg(bad[i]);
		assert_int_equal(rnl_arg_size(&a, 1, UINT64_C(1) << 40, &v), -EINVAL);
		assert_explained("64k");
	}
}

static void args__rate(void **state)
{
	struct rnl_arg a = arg("2.5k");
	double v;

	assert_int_equal(rnl_arg_rate(&a, &v), 0);
	assert_true(v > 2499.9 && v < 2500.1);
	a = arg("10G");
	assert_int_equal(rnl_arg_rate(&a, &v), 0);
	assert_true(v > 9.99e9 && v < 1.01e10);
	a = arg("0");
	assert_int_equal(rnl_arg_rate(&a, &v), -EINVAL);
	a = arg("fast");
	assert_int_equal(rnl_arg_rate(&a, &v), -EINVAL);
	assert_explained("above 0");
}

static void args__duration(void **state)
{
	const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
	    {"10", 10000000000}, {"1.5s", 1500000000}, {"200ms", 200000000},  {"50us", 50000},
	    {"100ns", 100},      {"2m", 120000000000}, {"1h", 3600000000000}, {"0", 0}};
	const char *const bad[] = {"", "s", "5d", "-1s", "1 s", "1e3", "9999999999h"};
	struct rnl_arg a;
	uint64_t v;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		a = arg(good[i].text);
		assert_int_equal(rnl_arg_duration(&a, &v), 0);
		assert_int_equal(v, good[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = arg(bad[i]);
		assert_int_equal(rnl_arg_duration(&a, &v), -EINVAL);
		assert_explained("200ms");
	}
}

static void args__portmask_and_words(void **state)
{
	static const char *const words[] = {"echo", "sink", "http"};
	struct rnl_arg a = arg("ff");
	uint64_t v;
	bool on;

	assert_int_equal(rnl_arg_portmask(&a, &v), 0);
	assert_int_equal(v, 0xff);
	a = arg("0x3");
	assert_int_equal(rnl_arg_portmask(&a, &v), 0);
	assert_int_equal(v, 3);
	a = arg("0");
	assert_int_equal(rnl_arg_portmask(&a, &v), -EINVAL);
	a = arg("0x");
	assert_int_equal(rnl_arg_portmask(&a, &v), -EINVAL);
	a = arg("-1");
	assert_int_equal(rnl_arg_portmask(&a, &v), -EINVAL);
	a = arg("sink");
	assert_int_equal(rnl_arg_choice(&a, words, 3), 1);
	a = arg("sin");
	assert_int_equal(rnl_arg_choice(&a, words, 3), -EINVAL);
	assert_explained("give echo, sink or http");
	a = arg("off");
	on = true;
	assert_int_equal(rnl_arg_bool(&a, &on), 0);
	assert_false(on);
	a = arg("yes");
	assert_int_equal(rnl_arg_bool(&a, &on), 0);
	assert_true(on);
}

static void args__ports(void **state)
{
	const char *const bad[] = {"", "0", "65536", "10-9", "1-", "-1", "80,", "http"};
	struct rnl_port_range r;
	struct rnl_arg a = arg("80");

	assert_int_equal(rnl_arg_ports(&a, &r), 0);
	assert_int_equal(r.first, 80);
	assert_int_equal(r.last, 80);
	a = arg("8000-65535");
	assert_int_equal(rnl_arg_ports(&a, &r), 0);
	assert_int_equal(r.last, 65535);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = arg(bad[i]);
		assert_int_equal(rnl_arg_ports(&a, &r), -EINVAL);
		assert_explained("8000-8010");
	}
}

static void args__prefix(void **state)
{
	const char *const bad[] = {"10.0.0.1/33", "10.0.0.1/", "10.0.0.1/x",   "10.0.0/24",
	                           "/24",         "",          "10.0.0.1/24/1"};
	struct rnl_addr addr, want = rnl_addr_v4(10, 0, 0, 1);
	struct rnl_arg a = arg("10.0.0.1/24");
	uint8_t len;

	assert_int_equal(rnl_arg_prefix(&a, &addr, &len), 0);
	assert_memory_equal(&addr, &want, sizeof(addr));
	assert_int_equal(len, 24);
	a = arg("10.0.0.1");
	assert_int_equal(rnl_arg_prefix(&a, &addr, &len), 0);
	assert_int_equal(len, 32);
	a = arg("2001:db8::1/64");
	assert_int_equal(rnl_arg_prefix(&a, &addr, &len), 0);
	assert_int_equal(len, 64);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = arg(bad[i]);
		assert_int_equal(rnl_arg_prefix(&a, &addr, &len), -EINVAL);
		assert_explained("10.0.0.1/24");
	}
}

static void args__addr_range(void **state)
{
	const char *const bad[] = {"10.0.0.9-10.0.0.1", "10.0.0.1-2001:db8::1", "10.0.0.1+0",
	                           "10.0.0.1+",         "10.0.0.1+x",           "255.255.255.255+2",
	                           "0.0.0.1-255.0.0.1"};
	struct rnl_addr_range r;
	struct rnl_addr at, want = rnl_addr_v4(10, 0, 1, 4);
	struct rnl_arg a = arg("10.0.0.250-10.0.1.4");

	assert_int_equal(rnl_arg_addr_range(&a, &r), 0);
	assert_int_equal(r.count, 11);
	at = rnl_addr_range_at(&r, 10);
	assert_memory_equal(&at, &want, sizeof(at));
	a = arg("10.0.0.1+50");
	assert_int_equal(rnl_arg_addr_range(&a, &r), 0);
	assert_int_equal(r.count, 50);
	a = arg("10.0.0.1");
	assert_int_equal(rnl_arg_addr_range(&a, &r), 0);
	assert_int_equal(r.count, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = arg(bad[i]);
		assert_int_equal(rnl_arg_addr_range(&a, &r), -EINVAL);
		assert_explained("10.0.0.1-10.0.0.50");
	}
}

static void args__endpoint(void **state)
{
	const char *const bad[] = {"",
	                           "10.0.0.1",
	                           "10.0.0.1:",
	                           ":80",
	                           "[2001:db8::1]",
	                           "[2001:db8::1:80",
	                           "[2001:db8::1]80",
	                           "10.0.0.1:99999"};
	struct rnl_addr addr, any = {{0}}, want = rnl_addr_v4(10, 0, 0, 1);
	struct rnl_port_range r;
	struct rnl_arg a = arg("80");

	assert_int_equal(rnl_arg_endpoint(&a, &addr, &r), 0);
	assert_memory_equal(&addr, &any, sizeof(addr));
	a = arg("10.0.0.1:8000-8010");
	assert_int_equal(rnl_arg_endpoint(&a, &addr, &r), 0);
	assert_memory_equal(&addr, &want, sizeof(addr));
	assert_int_equal(r.first, 8000);
	assert_int_equal(r.last, 8010);
	a = arg("[2001:db8::1]:80");
	assert_int_equal(rnl_arg_endpoint(&a, &addr, &r), 0);
	assert_int_equal(addr.b[0], 0x20);
	assert_int_equal(addr.b[15], 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = arg(bad[i]);
		assert_int_equal(rnl_arg_endpoint(&a, &addr, &r), -EINVAL);
		assert_explained("[2001:db8::1]:80");
	}
}

static void args__mac(void **state)
{
	const uint8_t want[6] = {2, 0xab, 0, 0, 0, 0xff};
	struct rnl_arg a = arg("02:ab:00:00:00:FF");
	uint8_t mac[6];

	assert_int_equal(rnl_arg_mac(&a, mac), 0);
	assert_memory_equal(mac, want, 6);
	a = arg("02:ab:00:00:00");
	assert_int_equal(rnl_arg_mac(&a, mac), -EINVAL);
	a = arg("02:ab:00:00:00:fg");
	assert_int_equal(rnl_arg_mac(&a, mac), -EINVAL);
}

static void args__config(void **state)
{
	const char *const bad[] = {"",         "0,0,1",   "(0,0)",    "(0,0,1",   "(0,0,1)(0,1,2)",
	                           "(0,0,1),", "(a,0,1)", "(0,0,1) ", "(256,0,1)"};
	struct rnl_queue_map map[4];
	struct rnl_arg a = arg("(0,0,1),(0,1,2),(3,0,127)");

	assert_int_equal(rnl_arg_config(&a, map, 4), 3);
	assert_int_equal(map[1].queue, 1);
	assert_int_equal(map[1].lcore, 2);
	assert_int_equal(map[2].port, 3);
	assert_int_equal(map[2].lcore, 127);
	a = arg("(0,0,1),(0,0,2)");
	assert_int_equal(rnl_arg_config(&a, map, 4), -EINVAL);
	assert_explained("port 0 queue 0 stands twice");
	a = arg("(0,0,1),(0,1,2)");
	assert_int_equal(rnl_arg_config(&a, map, 1), -EINVAL);
	assert_explained("at most 1");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = arg(bad[i]);
		assert_int_equal(rnl_arg_config(&a, map, 4), -EINVAL);
		assert_explained("(port,queue,lcore)");
	}
}

/* Splits a command line at spaces and parses it as the EAL's. */
static int parse(const char *line, struct rnl_eal_args *out)
{
	static char copy[256];
	char *argv[32];
	int argc = 0;

	memset(&err, 0, sizeof(err));
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *p = strtok(copy, " "); p != NULL && argc < 31; p = strtok(NULL, " "))
		argv[argc++] = p;
	argv[argc] = NULL;
	return rnl_eal_parse(argc, argv, out, &err);
}

static bool names_cpu(const struct rnl_eal_args *e, unsigned int cpu)
{
	return (e->cpus[cpu / 8] >> cpu % 8 & 1) != 0;
}

static void eal__reads_cores(void **state)
{
	const char *const bad[] = {"p -l 128",        "p -l x", "p -l 3-1",      "p -l 0,",
	                           "p -c g",          "p -c 0", "p --lcores 0@", "p --lcores (0,1",
	                           "p --lcores=0@1,", "p -l"};
	struct rnl_eal_args e;

	assert_int_equal(parse("p -l 0,2-4 -- -l 9", &e), 0);
	assert_int_equal(e.nb_cpus, 4);
	assert_true(names_cpu(&e, 0) && names_cpu(&e, 4) && !names_cpu(&e, 1) && !names_cpu(&e, 9));
	assert_int_equal(parse("p -c 0x11", &e), 0);
	assert_true(e.nb_cpus == 2 && names_cpu(&e, 0) && names_cpu(&e, 4));
	assert_int_equal(parse("p --lcores=0@7,(1-2)@(8,10-11),3", &e), 0);
	assert_int_equal(e.nb_cpus, 5);
	assert_true(names_cpu(&e, 7) && names_cpu(&e, 8) && names_cpu(&e, 11) && names_cpu(&e, 3));
	assert_false(names_cpu(&e, 0));
	assert_int_equal(parse("p --lcores 0@300", &e), 0);
	assert_true(names_cpu(&e, 300));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i], &e), -EINVAL);
		assert_explained("give ");
	}
}

static void eal__reads_the_rest(void **state)
{
	struct rnl_eal_args e;

	assert_int_equal(
	    parse("p --no-huge -m 512 --vdev=net_ring0 --vdev net_tap0,iface=x -n 4 --no-pci", &e),
	    0);
	assert_true(e.no_huge && e.no_pci && !e.in_memory && !e.log_level);
	assert_int_equal(e.mem_mb, 512);
	assert_int_equal(e.nb_vdev, 2);
	assert_string_equal(e.vdev[1], "net_tap0,iface=x");
	assert_int_equal(
	    parse("p -a 03:00.0 --allow=0000:04:00.1,x=y --socket-mem=512,256 --in-memory", &e), 0);
	assert_int_equal(e.nb_pci, 2);
	assert_int_equal(e.mem_mb, 768);
	assert_true(e.in_memory);
	assert_int_equal(parse("p --file-prefix abc --log-level=pmd:8 --huge-unlink=always", &e),
	                 0);
	assert_string_equal(e.file_prefix, "abc");
	assert_true(e.log_level);
	assert_int_equal(parse("p", &e), 0);
	assert_int_equal(e.nb_cpus, 0);
}

static void eal__unknown_arguments_are_named(void **state)
{
	struct rnl_eal_args e;

	assert_int_equal(parse("p -l 0 --ip 10.0.0.1/24", &e), -EINVAL);
	assert_explained("'--ip'");
	assert_explained("after --");
	assert_int_equal(parse("p echo -l 0", &e), -EINVAL);
	assert_explained("'echo'");
	assert_int_equal(parse("p --vdev", &e), -EINVAL);
	assert_explained("needs a value");
	assert_int_equal(parse("p -m x", &e), -EINVAL);
	assert_explained("-m 'x'");
}

/* The line must start the machine's own checks, and fail with that hint. */
static void refuse(const char *line, const char *hint)
{
	struct rnl_eal_args e;

	assert_int_equal(parse(line, &e), 0);
	assert_true(rnl_eal_preflight(&e, &err) < 0);
	assert_explained(hint);
}

static void preflight__refuses_what_cannot_start(void **state)
{
	refuse("p --lcores 0@1023 --no-huge", "CPU 1023 does not exist");
	refuse("p --no-huge --in-memory", "leave --in-memory away");
	refuse("p --no-huge -m 99999999", "MiB of memory that are available");
	refuse("p --no-huge -a ffff:ff:1f.7", "dpdk-devbind.py --status");
	refuse("p --no-huge -a pci:ff:1f.7,x=1", "PCI device 0000:ff:1f.7");
	refuse("p --no-huge --no-pci -a 03:00.0", "exclude each other");
	refuse("p --no-huge --vdev=net_af_packet0", "add iface=NAME");
	refuse("p --no-huge --vdev=net_af_packet0,iface=nosuchif", "does not exist");
	refuse("p --no-huge --vdev=net_vhost0", "add iface=PATH");
	refuse("p --no-huge --vdev=net_vhost0,iface=/proc/self/status", "exists: remove it");
	refuse("p --no-huge --vdev=net_vhost0,iface=/nosuchfolder/s", "choose another one");
	refuse(
	    "p --no-huge --vdev=net_memif0,role=server,socket-abstract=no,socket=/nosuchfolder/s",
	    "/nosuchfolder");
	refuse("p --no-huge --vdev=net_memif0,socket=/nosuch/s", "role=server first");
	refuse("p --no-huge --vdev=net_memif0,socket=/nosuch/s,socket-abstract=no",
	       "role=server first");
	refuse("p --no-huge --vdev=net_virtio_user0", "path=SOCKET");
	refuse("p --no-huge --vdev=net_virtio_user0,path=/nosuchfolder/s",
	       "start the vhost side first");
	if (rnl_preflight_free_huge_mb() == 0)
		refuse("p", "--no-huge -m 512");
	else
		refuse("p -m 99999999", "give less");
}

static void preflight__lets_good_ones_pass(void **state)
{
	struct rnl_eal_args e;

	assert_int_equal(parse("p --no-huge -m 64 --no-pci --vdev=net_ring0 --vdev=net_null0", &e),
	                 0);
	assert_int_equal(rnl_eal_preflight(&e, &err), 0);
	/* a server's abstract socket needs nothing */
	assert_int_equal(parse("p --no-huge --vdev=net_memif0,role=server,socket=/nosuch/s", &e),
	                 0);
	assert_int_equal(rnl_eal_preflight(&e, &err), 0);
}

static void topology__options(void **state)
{
	struct rnl_topo_opts o = {0};
	struct rnl_addr want = rnl_addr_v4(10, 0, 0, 1);

	memset(&err, 0, sizeof(err));
	assert_int_equal(rnl_topo_option(&o, 'p', "3", &err), 1);
	assert_int_equal(o.portmask, 3);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_IP, "10.0.0.1/24", &err), 1);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_IP, "1:10.1.0.1-10.1.0.9/16", &err), 1);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_IP, "2001:db8::1/64", &err), 1);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_IP, "2:[2001:db8::2]/64", &err), 1);
	assert_int_equal(o.nb_addrs, 4);
	assert_memory_equal(&o.addrs[0].range.first, &want, sizeof(want));
	assert_int_equal(o.addrs[0].prefix_len, 24);
	assert_int_equal(o.addrs[1].port, 1);
	assert_int_equal(o.addrs[1].range.count, 9);
	assert_int_equal(o.addrs[2].port, 0);
	assert_int_equal(o.addrs[3].port, 2);
	assert_int_equal(
	    rnl_topo_option(&o, RNL_TOPO_OPT_NEIGH, "1:10.0.0.2=02:00:00:00:00:01", &err), 1);
	assert_int_equal(o.neighs[0].port, 1);
	assert_int_equal(o.neighs[0].mac[5], 1);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_TIME_WAIT, "500ms", &err), 1);
	assert_int_equal(o.time_wait_ms, 500);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_LINK_WAIT, "100ms", &err), 1);
	assert_int_equal(o.link_wait_ms, 100);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_GATEWAY, "10.0.0.254", &err), 1);
	for (int code = RNL_TOPO_OPT_NO_SACK; code <= RNL_TOPO_OPT_NO_WSCALE; code++) {
		struct rnl_topo_opts one = {0};
		struct rnl_conn_opts c = {.nodelay = true};

		assert_int_equal(rnl_topo_option(&one, code, NULL, &err), 1);
		rnl_topo_conn_opts(&one, &c);
		assert_int_equal(c.no_sack, code == RNL_TOPO_OPT_NO_SACK);
		assert_int_equal(c.no_timestamps, code == RNL_TOPO_OPT_NO_TIMESTAMPS);
		assert_int_equal(c.no_wscale, code == RNL_TOPO_OPT_NO_WSCALE);
		assert_true(c.nodelay);
	}
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_MAX_HOSTS, "9", &err), 1);
	assert_int_equal(o.max_hosts, 9);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_PMTU_TIME, "300s", &err), 1);
	assert_int_equal(o.pmtu_ms, 300000);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_PMTU_TIME, "never", &err), 1);
	assert_int_equal(o.pmtu_ms, UINT32_MAX);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_MAX_FRAGMENTS, "8", &err), 1);
	assert_int_equal(o.max_fragments, 8);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_MAX_FRAGMENTS, "0", &err), 1);
	assert_int_equal(o.max_fragments, UINT32_MAX);
	for (int code = RNL_TOPO_OPT_NO_SOFT_ERRORS; code <= RNL_TOPO_OPT_NO_BLACK_HOLE; code++) {
		struct rnl_topo_opts one = {0};
		struct rnl_conn_opts c = {0};

		assert_int_equal(rnl_topo_option(&one, code, NULL, &err), 1);
		rnl_topo_conn_opts(&one, &c);
		assert_int_equal(c.no_soft_errors, code == RNL_TOPO_OPT_NO_SOFT_ERRORS);
		assert_int_equal(c.no_black_hole, code == RNL_TOPO_OPT_NO_BLACK_HOLE);
	}
	{
		struct rnl_conn_opts c = {0};

		assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_PACING, NULL, &err), 1);
		assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_MAX_PACING_RATE, "1M", &err), 1);
		assert_true(rnl_topo_option(&o, RNL_TOPO_OPT_MAX_PACING_RATE, "255", &err) < 0);
		rnl_topo_conn_opts(&o, &c);
		assert_true(c.pacing);
		assert_int_equal(c.max_pacing_bytes_per_s, 1 << 20);
		rnl_topo_conn_opts(&(struct rnl_topo_opts){.max_pacing_rate = 300}, &c);
		assert_int_equal(c.max_pacing_bytes_per_s, 1 << 20); /* a service's own stays */
	}
	assert_true(o.has_gateway[0]);
	assert_false(o.has_gateway[1]);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_GATEWAY, "fe80::1", &err), 1);
	assert_true(o.has_gateway[1]);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_GATEWAY, "fe80::2", &err), -EINVAL);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_IPV6_AUTO, NULL, &err), 1);
	assert_int_equal(o.ipv6, RNL_IPV6_ROUTERS | RNL_IPV6_AUTOCONF);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_IPV6_EUI64, NULL, &err), 1);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_NO_DAD, NULL, &err), 1);
	assert_int_equal(o.ipv6, RNL_IPV6_ROUTERS | RNL_IPV6_AUTOCONF | RNL_IPV6_EUI64 |
	                             RNL_IPV6_NO_DAD);
	assert_null(o.cc);
	assert_int_equal(rnl_topo_option(&o, RNL_TOPO_OPT_CC, "dctcp", &err), 1);
	assert_ptr_equal(o.cc, &rnl_cc_dctcp);
	assert_int_equal(rnl_topo_option(&o, 600, "x", &err), 0);
	assert_int_equal(rnl_topo_option(&o, 'q', "x", &err), 0);
}

static void topology__bad_options_are_named(void **state)
{
	const struct {
		int code;
		const char *value, *hint;
	} bad[] = {
	    {RNL_TOPO_OPT_RXQ, "0", "--rxq '0'"},
	    {RNL_TOPO_OPT_BURST, "257", "--burst '257'"},
	    {RNL_TOPO_OPT_VLAN, "4095", "from 1 to 4094"},
	    {RNL_TOPO_OPT_IP, "10.0.0.1", "prefix length too"},
	    {RNL_TOPO_OPT_IP, "10.0.0.1/0", "1 to 32"},
	    {RNL_TOPO_OPT_IP, "10.0.0.1+9999/8", "at most 1024"},
	    {RNL_TOPO_OPT_NEIGH, "10.0.0.1", "Ethernet address"},
	    {RNL_TOPO_OPT_TIME_WAIT, "0", "1ms"},
	    {RNL_TOPO_OPT_LINK_WAIT, "0", "--link-wait"},
	    {RNL_TOPO_OPT_SEED, "x", "--seed"},
	    {RNL_TOPO_OPT_MAX_HOSTS, "0", "--max-hosts '0'"},
	    {RNL_TOPO_OPT_PMTU_TIME, "299s", "--pmtu-time '299s'"},
	    {RNL_TOPO_OPT_MAX_FRAGMENTS, "65537", "--max-fragments"},
	    {RNL_TOPO_OPT_CC, "reno", "--cc 'reno' is not accepted: give cubic, newreno"},
	};
	struct rnl_topo_opts o = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&err, 0, sizeof(err));
		assert_int_equal(rnl_topo_option(&o, bad[i].code, bad[i].value, &err), -EINVAL);
		assert_explained(bad[i].hint);
	}
	assert_int_equal(o.nb_addrs, 0);
	assert_int_equal(o.nb_neighs, 0);
}

static void print__is_short_and_exact(void **state)
{
	struct rnl_text t;

	assert_string_equal(rnl_print_count(&t, 0), "0");
	assert_string_equal(rnl_print_count(&t, 999), "999");
	assert_string_equal(rnl_print_count(&t, 999.7), "1.00k");
	assert_string_equal(rnl_print_count(&t, 12345), "12.3k");
	assert_string_equal(rnl_print_count(&t, 999600), "1.00M");
	assert_string_equal(rnl_print_count(&t, 1e17), "100000T");
	assert_string_equal(rnl_print_bps(&t, 1250000000), "10.0 Gbit/s");
	assert_string_equal(rnl_print_bytes(&t, 1023), "1023 B");
	assert_string_equal(rnl_print_bytes(&t, 1536), "1.50 KiB");
	assert_string_equal(rnl_print_bytes(&t, UINT64_C(1) << 30), "1.00 GiB");
	assert_string_equal(rnl_print_ns(&t, 850), "850 ns");
	assert_string_equal(rnl_print_ns(&t, 12345), "12.3 us");
	assert_string_equal(rnl_print_ns(&t, 1250000000), "1.25 s");
	assert_string_equal(rnl_print_ns(&t, 59600000000), "1m00s");
	assert_string_equal(rnl_print_ns(&t, UINT64_C(3723) * 1000000000), "1h02m");
	assert_string_equal(rnl_print_percent(&t, 1, 8), "12.5 %");
	assert_string_equal(rnl_print_percent(&t, 1, 0), "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(args__uint),
	    cmocka_unit_test(args__size),
	    cmocka_unit_test(args__rate),
	    cmocka_unit_test(args__duration),
	    cmocka_unit_test(args__portmask_and_words),
	    cmocka_unit_test(args__ports),
	    cmocka_unit_test(args__prefix),
	    cmocka_unit_test(args__addr_range),
	    cmocka_unit_test(args__endpoint),
	    cmocka_unit_test(args__mac),
	    cmocka_unit_test(args__config),
	    cmocka_unit_test(eal__reads_cores),
	    cmocka_unit_test(eal__reads_the_rest),
	    cmocka_unit_test(eal__unknown_arguments_are_named),
	    cmocka_unit_test(preflight__refuses_what_cannot_start),
	    cmocka_unit_test(preflight__lets_good_ones_pass),
	    cmocka_unit_test(topology__options),
	    cmocka_unit_test(topology__bad_options_are_named),
	    cmocka_unit_test(print__is_short_and_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
