#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# IPv6 on Ethernet against the kernel: neighbours in both directions, pings, HTTP, bulk, a neighbour
# whose MAC changes, a duplicate address, and a router that comes and goes.
# shellcheck disable=SC2317
. "$(dirname "$0")/lib.sh"
begin

KERNEL6=fd00:6::1
RUNNEL6=fd00:6::2
FAR6=fd00:88::1 # the kernel's, in no network of runnel

net_up || give_up namespaces "could not be made"
mac=$(ip -n "$NS_B" -o link show "$IF_B" | sed 's/.*ether \([^ ]*\).*/\1/')

# conf NAME VALUE: of IPv6 on the kernel's end.
conf() {
	in_a sh -c "echo $2 >/proc/sys/net/ipv6/conf/$IF_A/$1"
}
conf disable_ipv6 0 || give_up ipv6 "this kernel has none"
conf accept_dad 0
conf forwarding 1 # it plays the router, below
ip -n "$NS_A" -6 addr add $KERNEL6/64 dev "$IF_A" nodad || give_up ipv6 "no address"
ip -n "$NS_A" -6 addr add fd00:77::1/64 dev "$IF_A" nodad
ip -n "$NS_A" -6 addr add $FAR6/128 dev "$IF_A" nodad

ping6() {
	in_a ping -6 -q -c 3 -i 0.1 -W 1 "$@"
}
resolved() {
	in_a ip -6 neigh show $RUNNEL6 dev "$IF_A" | grep -q "lladdr $mac"
}
asks_again() {
	in_a ip -6 neigh flush dev "$IF_A" && ping6 $RUNNEL6 && resolved
}
probed() {
	in_a ip -6 neigh change $RUNNEL6 dev "$IF_A" nud probe && within 5 reachable
}
reachable() {
	in_a ip -6 neigh show $RUNNEL6 dev "$IF_A" | grep -q REACHABLE
}
fetch() {
	in_a curl -6 -g -sS -m 60 -o "$STATE/tmp/got" "http://[$RUNNEL6]/large.bin" &&
		cmp "$STATE/tmp/www/large.bin" "$STATE/tmp/got"
}
# endpoint6 ARG...: as endpoint, and waits until its addresses were checked, too.
endpoint6() {
	endpoint "$@"
	within 20 grep -q listening "$STATE/tmp/runnel.out" || give_up start "it does not listen"
}
mkdir -p "$STATE/tmp/www"
head -c 10000000 /dev/urandom >"$STATE/tmp/www/large.bin"

# ---- both families at once ----
endpoint6 --ip $RUNNEL6/64 --listen echo:7 --listen sink:9 --listen source:19,bytes=100000000 \
	--listen "http:80,root=$STATE/tmp/www"
check ping ping6 $RUNNEL6
check ping-large ping6 -s 1452 -M "do" $RUNNEL6
check kernel-asks asks_again
check kernel-probes probed
refute other-addresses-are-silent ping6 fd00:6::77
check curl fetch
check from-runnel peer source $RUNNEL6 19 100000000
check to-runnel peer send $RUNNEL6 9 100000000
check both-ways peer echo $RUNNEL6 7 100000000
check refused peer refused $RUNNEL6 4444

# The kernel's MAC changes, and it announces that.
conf ndisc_notify 1
conf keep_addr_on_down 1
in_a ip link set "$IF_A" down
in_a ip link set "$IF_A" address 02:00:00:00:0a:01
in_a ip link set "$IF_A" up
check kernel-moved peer echo $RUNNEL6 7 100000
endpoint_stop

# ---- runnel begins ----
spawn ip netns exec "$NS_A" /usr/bin/python3 "$here/peer.py" serve6 8001 echo >"$STATE/tmp/serve6.out" 2>&1
within 10 grep -q ready "$STATE/tmp/serve6.out" || give_up serve6 "the kernel's server does not start"
generate6() {
	on_veth gen6 "$RUNNEL_GEN" --client-addr "$RUNNEL6+4/64" --quiet --json "$STATE/tmp/gen6.json" \
		--server "[$KERNEL6]:8001" --mode rr -c 8 --duration 1 --max-errors 0 --verify
	wait "$child"
}
check runnel-gen generate6

# ---- the kernel has the address already ----
duplicate() {
	within 10 grep -q "another host has $KERNEL6" "$STATE/tmp/runnel.out"
}
kernel_keeps() {
	in_a ip -6 addr show dev "$IF_A" | grep "$KERNEL6/64" | grep -qv dadfailed
}
endpoint6 --ip $KERNEL6/64 --ip $RUNNEL6/64 --listen echo:7
check duplicate-is-found duplicate
check others-go-on ping6 $RUNNEL6
check duplicate-stays-the-kernels kernel_keeps
endpoint_stop stops-with-a-duplicate

# ---- a router ----
# eui64 MAC: the interface identifier that it gives.
eui64() {
	local o
	IFS=: read -ra o <<<"$1"
	printf '%x%s:%sff:fe%s:%s%s' $((0x${o[0]} ^ 2)) "${o[1]}" "${o[2]}" "${o[3]}" "${o[4]}" "${o[5]}"
}
AUTO6=fd00:77::$(eui64 "$mac")
spawn ip netns exec "$NS_A" /usr/bin/python3 "$here/peer.py" router "$IF_A" fd00:77:: 60 >"$STATE/tmp/router.out" 2>&1
router=$child
within 10 grep -q ready "$STATE/tmp/router.out" || give_up router "it does not start"
endpoint6 --ipv6-auto --ipv6-eui64 --listen echo:7
check address-of-a-prefix ping6 "$AUTO6"
check way-out ping6 -I $FAR6 "$AUTO6"
check echo-over-the-router peer echo "$AUTO6" 7 1000000

# Its MAC changes, and it tells nobody: runnel finds out (RFC 4861 7.3), for its entry of a second
# that the router asked for is over soon. The kernel's entry is fixed, so it does not ask either.
conf ndisc_notify 0
in_a ip -6 neigh replace "$AUTO6" lladdr "$mac" dev "$IF_A" nud permanent
sleep 2
in_a ip link set "$IF_A" address 02:00:00:00:0a:02
in_a ip -6 neigh replace "$AUTO6" lladdr "$mac" dev "$IF_A" nud permanent
check silent-move within 20 in_a ping -6 -q -c 1 -W 1 "$AUTO6"

# It resigns: no way out any more, the link still there.
stop "$router" TERM 5
spawn ip netns exec "$NS_A" /usr/bin/python3 "$here/peer.py" router "$IF_A" fd00:77:: 0 >"$STATE/tmp/router.out" 2>&1
within 10 grep -q ready "$STATE/tmp/router.out" || give_up router "it does not start again"
gone() {
	! in_a ping -6 -q -c 1 -W 1 -I $FAR6 "$AUTO6"
}
check resigned-router-is-left within 10 gone
check link-stays ping6 "$AUTO6"
endpoint_stop stops-after-all
finish
