#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A router, the kernel, with a link behind it that takes smaller packets: it says so (RFC 1191, RFC 8201),
# or a firewall eats what it says (RFC 4821). Bulk from runnel to a host behind it arrives, in
# both families. Then the router cuts what the host sends, and runnel puts it together.
# shellcheck disable=SC2317,SC2015
. "$(dirname "$0")/lib.sh"
begin

# shellcheck disable=SC2153
NS_C=${NS_A%a}c
RUNNEL6=fd00:6::2
HOST=198.51.100.2
HOST6=fd00:7::2
SIZE=20000000

net_up && ip netns add "$NS_C" || give_up namespaces "could not be made"
ns_quiet "$NS_C"
# Only the router's end is small: the host offers the MSS of its own 1500.
ip link add small0 netns "$NS_A" mtu 1300 type veth peer name small1 netns "$NS_C" mtu 1500 ||
	give_up namespaces "no link"
offloads_off "$NS_A" small0
offloads_off "$NS_C" small1
in_a sh -c "echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6; echo 0 >/proc/sys/net/ipv6/conf/$IF_A/disable_ipv6
	echo 0 >/proc/sys/net/ipv6/conf/small0/disable_ipv6
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; echo 1 >/proc/sys/net/ipv4/ip_forward"
ip netns exec "$NS_C" sh -c "echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6
	echo 0 >/proc/sys/net/ipv6/conf/small1/disable_ipv6"
ip -n "$NS_A" link set small0 up
ip -n "$NS_C" link set small1 up
ip -n "$NS_A" addr add 198.51.100.1/24 dev small0
ip -n "$NS_C" addr add $HOST/24 dev small1
ip -n "$NS_C" route add default via 198.51.100.1
ip -n "$NS_A" -6 addr add fd00:6::1/64 dev "$IF_A" nodad &&
	ip -n "$NS_A" -6 addr add fd00:7::1/64 dev small0 nodad &&
	ip -n "$NS_C" -6 addr add $HOST6/64 dev small1 nodad &&
	ip -n "$NS_C" -6 route add default via fd00:7::1 || give_up ipv6 "no address"

# start: a fresh endpoint, that has learnt nothing yet.
start() {
	endpoint --ip $RUNNEL6/64 --no-dad --gateway "$KERNEL_IP" --gateway fd00:6::1 \
		--listen "source:19,bytes=$SIZE" --listen sink:9
	within 20 in_a ping -6 -q -c 1 -W 1 $RUNNEL6 || give_up start "no answer on $RUNNEL6"
}
far() {
	run ip netns exec "$NS_C" /usr/bin/python3 "$here/peer.py" "$@"
}
said() {
	in_a awk '$1 == "Icmp:" && !n { n = 1; for (i = 1; i <= NF; i++) c[$i] = i; next }
		$1 == "Icmp:" { print $c["OutDestUnreachs"] }' /proc/net/snmp
}
said6() {
	in_a awk '$1 == "Icmp6OutPktTooBigs" { print $2 }' /proc/net/snmp6
}
eaten() {
	in_a nft list counter inet hole "$1" | awk '/packets/ { print $2 }'
}

start
check says-so far source "$RUNNEL_IP" 19 $SIZE
check says-so-ipv6 far source $RUNNEL6 19 $SIZE
check said test "$(said)" -gt 0
check said-ipv6 test "$(said6)" -gt 0
endpoint_stop

# ---- the host lets its packets be cut, towards runnel: RFC 791 3.2 ----
pieces() {
	in_a awk '$1 == "Ip:" && !n { n = 1; for (i = 1; i <= NF; i++) c[$i] = i; next }
		$1 == "Ip:" { print $c["FragCreates"] }' /proc/net/snmp
}
ip -n "$NS_A" link set small0 mtu 1500
ip -n "$NS_A" link set "$IF_A" mtu 1300
ip netns exec "$NS_C" sh -c "echo 1 >/proc/sys/net/ipv4/ip_no_pmtu_disc"
start
check fragments far send "$RUNNEL_IP" 9 $SIZE
check fragments-were-made test "$(pieces)" -gt 10000
endpoint_stop stops-after-fragments
ip -n "$NS_A" link set "$IF_A" mtu 1500
ip -n "$NS_A" link set small0 mtu 1300

# ---- a small link again, and nobody is told ----
in_a nft -f - <<END || give_up nft "no firewall"
table inet hole {
	counter four { }
	counter six { }
	chain out {
		type filter hook output priority 0;
		icmp type destination-unreachable counter name four drop
		icmpv6 type packet-too-big counter name six drop
	}
}
END
start
check black-hole far source "$RUNNEL_IP" 19 $SIZE
check black-hole-ipv6 far source $RUNNEL6 19 $SIZE
check eaten test "$(eaten four)" -gt 0
check eaten-ipv6 test "$(eaten six)" -gt 0
check small-packets far send "$RUNNEL_IP" 9 100
endpoint_stop stops-again
finish
