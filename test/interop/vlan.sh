#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A VLAN: tagged packets are taken and answered with the tag, with the kernel putting the tag into
# the frame and with the tag beside it (as hardware does); untagged packets are for somebody else.
# shellcheck disable=SC2317
. "$(dirname "$0")/lib.sh"
begin

net_up || give_up namespaces "could not be made"
vlan=rnl$$v
in_a ip link add link "$IF_A" name "$vlan" type vlan id 100
in_a ip addr del $KERNEL_IP/$PREFIX_LEN dev "$IF_A"
in_a ip addr add $KERNEL_IP/$PREFIX_LEN dev "$vlan"
in_a ip link set "$vlan" up
in_a ethtool -K "$vlan" tx off tso off gso off >/dev/null 2>&1

spawn ip netns exec "$NS_A" dumpcap -q -P -i "$IF_A" -w "$STATE/tmp/vlan.pcap" >"$STATE/tmp/dumpcap.out" 2>&1
dumpcap=$child
within 10 test -s "$STATE/tmp/vlan.pcap" || give_up capture "dumpcap does not run"
endpoint --vlan 100 --engine echo:7 --engine http:80
for insert in on off; do
	in_a ethtool -K "$IF_A" txvlan $insert >/dev/null 2>&1
	ip netns exec "$NS_B" ethtool -K "$IF_B" rxvlan $insert >/dev/null 2>&1
	check ping-txvlan-$insert in_a ping -q -c 3 -i 0.1 -W 1 $RUNNEL_IP
	check curl-txvlan-$insert in_a curl -sS -m 5 -o /dev/null http://$RUNNEL_IP/
	check echo-txvlan-$insert peer echo $RUNNEL_IP 7 20000000
done

in_a ip addr add $KERNEL_IP/$PREFIX_LEN dev "$IF_A"
in_a ip addr del $KERNEL_IP/$PREFIX_LEN dev "$vlan"
refute untagged-is-not-answered answers
stop "$dumpcap" INT 10
endpoint_stop
tags=$(tshark -r "$STATE/tmp/vlan.pcap" -Y "ip.src == $RUNNEL_IP || arp.src.proto_ipv4 == $RUNNEL_IP" \
	-T fields -e vlan.id 2>/dev/null | sort | uniq -c | xargs)
if [[ $tags =~ ^[0-9]+\ 100$ ]]; then pass replies-are-tagged "$tags"; else fail replies-are-tagged "$tags"; fi
finish
