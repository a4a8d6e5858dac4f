#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Address resolution in both directions, probes of the kernel, and a kernel whose MAC changes.
. "$(dirname "$0")/lib.sh"
begin

net_up || give_up namespaces "could not be made"
endpoint --engine echo:7

resolved() {
	in_a ip neigh show "$RUNNEL_IP" dev "$IF_A" | grep -qE 'lladdr .* (REACHABLE|DELAY|STALE|PROBE)'
}
again() {
	in_a ip neigh flush dev "$IF_A" && answers && resolved
}
check kernel-asks again
in_a arping --help >/dev/null 2>&1
check kernel-probes-unicast eval 'in_a ip neigh change "$RUNNEL_IP" dev "$IF_A" nud probe && within 5 resolved'

# runnel must ask by itself: the kernel's entry for it is static, so it never asks and never tells.
mac=$(ip -n "$NS_B" -o link show "$IF_B" | sed 's/.*ether \([^ ]*\).*/\1/')
endpoint_stop
in_a ip neigh replace "$RUNNEL_IP" lladdr "$mac" dev "$IF_A" nud permanent
endpoint --engine echo:7
spawn ip netns exec "$NS_A" tcpdump -l -n -i "$IF_A" arp >"$STATE/tmp/arp.log" 2>"$STATE/tmp/tcpdump.out"
tcpdump=$child
within 10 grep -q listening "$STATE/tmp/tcpdump.out" || give_up capture "tcpdump does not run"
# The kernel's side moves to another MAC and says nothing: what runnel learnt no longer works.
in_a sh -c "echo 0 >/proc/sys/net/ipv4/conf/$IF_A/arp_notify"
in_a ip link set "$IF_A" address 02:00:00:00:0a:01
in_a ip neigh replace "$RUNNEL_IP" lladdr "$mac" dev "$IF_A" nud permanent
check kernel-moved-to-another-mac peer echo $RUNNEL_IP 7 100000
stop "$tcpdump" INT 5
endpoint_stop stops-twice

# runnel as the one who begins: it asks before its first SYN.
spawn ip netns exec "$NS_A" /usr/bin/python3 "$here/peer.py" serve 8000 echo >"$STATE/tmp/serve.out" 2>&1
within 5 listening 8000
spawn ip netns exec "$NS_A" tcpdump -l -n -i "$IF_A" arp >"$STATE/tmp/arp.log" 2>"$STATE/tmp/tcpdump.out"
tcpdump=$child
within 10 grep -q listening "$STATE/tmp/tcpdump.out"
finish
