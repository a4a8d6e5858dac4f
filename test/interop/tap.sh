#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# runnel behind net_tap: the kernel's end is the tap device itself.
. "$(dirname "$0")/lib.sh"
begin

ip netns add "$NS_A" || give_up namespaces "could not be made"
ns_quiet "$NS_A"
[ -c /dev/net/tun ] || give_up tap "/dev/net/tun is not there"
# shellcheck disable=SC2046
spawn ip netns exec "$NS_A" "$RUNNEL" $(eal runnel "$CPU_1") --vdev "net_tap0,iface=$IF_A" \
	-- --ip $RUNNEL_IP/$PREFIX_LEN --listen echo:7 --listen http:80 \
	--listen source:19,bytes=50000000 >"$STATE/tmp/runnel.out" 2>&1 </dev/null
endpoint=$child
within 20 grep -q "^listening" "$STATE/tmp/runnel.out" || give_up start "runnel does not start"
# net_tap gives its own MAC to the kernel's end too: it has to work as it comes.
ip -n "$NS_A" addr add $KERNEL_IP/$PREFIX_LEN dev "$IF_A"
ip -n "$NS_A" link set "$IF_A" up
in_a ethtool -K "$IF_A" tx off tso off gso off >/dev/null 2>&1
within 20 answers || give_up start "runnel does not answer"

check ping in_a ping -q -c 5 -i 0.1 -W 1 $RUNNEL_IP
check curl in_a curl -sS -m 5 -o /dev/null http://$RUNNEL_IP/
check from-runnel peer source $RUNNEL_IP 19 50000000
check both-ways peer echo $RUNNEL_IP 7 50000000
endpoint_stop
finish
