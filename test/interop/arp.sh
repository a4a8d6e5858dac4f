#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Address resolution in both directions, probes, and neighbours whose MAC changes.
# shellcheck disable=SC2317
. "$(dirname "$0")/lib.sh"
begin

net_up || give_up namespaces "could not be made"
mac=$(ip -n "$NS_B" -o link show "$IF_B" | sed 's/.*ether \([^ ]*\).*/\1/')

resolved() {
	in_a ip neigh show "$RUNNEL_IP" dev "$IF_A" | grep -q "lladdr $mac.* \(REACHABLE\|DELAY\|STALE\|PROBE\)"
}
asks_again() {
	in_a ip neigh flush dev "$IF_A" && answers && resolved
}
probed() {
	in_a ip neigh change "$RUNNEL_IP" dev "$IF_A" nud probe && within 5 reachable
}
reachable() {
	in_a ip neigh show "$RUNNEL_IP" dev "$IF_A" | grep -q REACHABLE
}
# arp FILTER: packets of the capture that match.
arp() {
	tshark -r "$STATE/tmp/arp.pcap" -Y "$1" 2>/dev/null | wc -l
}
capture() {
	: >"$STATE/tmp/arp.pcap"
	spawn ip netns exec "$NS_A" dumpcap -q -P -i "$IF_A" -f arp -w "$STATE/tmp/arp.pcap" \
		>"$STATE/tmp/dumpcap.out" 2>&1
	dumpcap=$child
	within 10 test -s "$STATE/tmp/arp.pcap" || give_up capture "dumpcap does not run"
}
asked() {
	local n
	n=$(arp "arp.opcode == 1 && arp.src.proto_ipv4 == $RUNNEL_IP && arp.dst.proto_ipv4 == $KERNEL_IP")
	echo "$n requests"
	[ "$n" -ge 1 ]
}

# The kernel asks.
endpoint --listen echo:7
check kernel-asks asks_again
check kernel-probes probed
check other-addresses-are-silent eval '! in_a ping -q -c 1 -W 1 198.18.0.77'

# The kernel's MAC changes, and it announces that (gratuitous ARP).
in_a sh -c "echo 1 >/proc/sys/net/ipv4/conf/$IF_A/arp_notify"
in_a ip link set "$IF_A" down
in_a ip link set "$IF_A" address 02:00:00:00:0a:01
in_a ip link set "$IF_A" up
check kernel-moved peer echo $RUNNEL_IP 7 100000
endpoint_stop

# runnel begins, and so asks: the kernel's entry is static, it neither asks nor tells.
in_a ip neigh replace "$RUNNEL_IP" lladdr "$mac" dev "$IF_A" nud permanent
kernel_serves 8001 echo
capture
check runnel-begins generate first --server $KERNEL_IP:8001 --mode rr -c 4 --duration 1 --max-errors 0
stop "$dumpcap" INT 5
check runnel-asks asked

# Nobody has the address: the connections end as unreachable, by name, and the test goes on.
nobody() {
	generate nobody --server 198.18.0.99:80 --mode rr -c 4 --duration 1 --connect-timeout 8s --drain 10s --max-errors 0
	[ $? = 2 ] && from_json nobody 'j["errors"]["connection_ends"]'
}
check nobody-has-the-address nobody
finish
