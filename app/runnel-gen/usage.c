/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Help of runnel-gen. Floor: 6 (application).
 */
#include "options.h"

/* clang-format off */
const char gen_usage[] =
"runnel-gen EAL-ARGS -- OPTIONS: TCP load over DPDK ports, with honest latency.\n"
"\n"
"EAL arguments stand before \"--\": -l CORES, -a PCI, --vdev NAME, --no-huge, --no-pci ...\n"
"\n"
"Load\n"
"  --mode M              rr      requests and answers on lasting connections (default)\n"
"                        cps     connect, one request, one answer, close\n"
"                        http    GET, keep-alive\n"
"                        tx, rx, bidir   bulk, to the server, from it, both\n"
"  -c, --connections N   open at once (64; bulk: 1)\n"
"  --size IN[:OUT]       octets of a request and of its answer (64); cps: 0 for none\n"
"  --outstanding N       requests that a connection may have unanswered (1)\n"
"  --requests-per-conn N close after N requests and connect anew (0: never; cps: 1)\n"
"  --path PATH           what to GET (/)\n"
"  --close SIDE          who closes such connections: client, server, rst (client)\n"
"  --rate N              open loop: N requests (cps: connections) per second, evenly spaced;\n"
"                        latency counts from the planned time. Without it: closed loop\n"
"  --duration T          measured time (10s)\n"
"  --warmup T            before it (500ms)\n"
"  --drain T             wait for outstanding answers at the end (2s)\n"
"  --connect-timeout T   for a connection to be established (5s)\n"
"  --verify              compare what comes with what is expected\n"
"\n"
"Ends\n"
"  --server ADDR:PORT[-PORT]      where the load goes\n"
"  --client-addr FIRST[-LAST]/LEN addresses of the clients (also FIRST+COUNT/LEN)\n"
"  --client-ports FIRST-LAST      ports of each (1024-65535)\n"
"  --loop ENGINE[,key=value...]   run the server in this process, over a ring: echo, sink, source,\n"
"                                 http. Sets both ends; on another core if there is one.\n"
"                                 Clients: one address, 64 for short connections\n"
"  --loop-shared                  both ends of each lane on one core, one lane for each core\n"
"\n"
"Result: exit 0 passed, 1 could not run, 2 a criterion failed, 3 inconclusive\n"
"  --expect-min-rate N   requests per second (bulk: Gbit per second)\n"
"  --expect-p99-us N     99th percentile of the latency\n"
"  --max-errors N        lost requests and connections, wrong answers\n"
"  --json FILE           full report (doc/report.schema.json); - is the terminal\n"
"  --quiet               no line each second\n"
"  -h, --help            this text\n"
"\n"
"Ports and stacks (as runnel's)\n";

const char gen_usage_examples[] =
"\n"
"Examples\n"
"  Without a NIC, hugepages or root, both ends in one process:\n"
"    runnel-gen --no-huge -m 512 --no-pci -l 0,1 -- --loop echo --connections 256\n"
"    runnel-gen --no-huge -m 512 --no-pci -l 0,1 -- --loop http,body=1400 --rate 100k --json out.json\n"
"    runnel-gen --no-huge -m 512 --no-pci -l 0,1 -- --loop echo --mode cps --rate 5k\n"
"  Against a server on the network:\n"
"    runnel-gen -l 0,1 -a 0000:3b:00.0 -- --server 10.0.0.1:80 --client-addr 10.0.0.10-10.0.0.20/24 \\\n"
"        --mode http --connections 1000 --rate 200k --expect-p99-us 500\n"
"    runnel-gen -l 0,1 -a 0000:3b:00.0 -- --server 10.0.0.1:9 --client-addr 10.0.0.10/24 --mode tx\n";
/* clang-format on */
