#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# One packet in a hundred is dropped in each direction by nftables, and every octet still arrives.
# RNL_LOSS_MIB is the size of each transfer. tshark looks at all of it: no malformed packet, no reset,
# no acknowledgement of what did not arrive, no retransmission that loss does not explain.
. "$(dirname "$0")/lib.sh"
begin

bytes=$((${RNL_LOSS_MIB:-1024} * 1048576))

net_up || give_up namespaces "could not be made"
endpoint --listen echo:7 --listen "source:19,bytes=$bytes"
in_a nft -f - <<NFT || give_up nftables "the rules were refused"
table ip loss {
	chain in {
		type filter hook input priority 0
		iif $IF_A numgen random mod 100 < 1 counter drop
	}
	chain out {
		type filter hook output priority 0
		oif $IF_A numgen random mod 100 < 1 counter drop
	}
}
NFT

# Packets are seen before input drops them and after output did: all that runnel sends, and all
# that reaches it.
mkdir -m 700 "$BIG" || give_up room "cannot make $BIG"
capture=$BIG/loss.pcap
disk_need "$BIG" $((bytes / 1048576 / 3 + 200)) "the packets"
spawn ip netns exec "$NS_A" dumpcap -q -P -i "$IF_A" -s 128 -B 64 -w "$capture" \
	>"$STATE/tmp/dumpcap.out" 2>&1
dumpcap=$child
within 10 test -s "$capture" || give_up capture "dumpcap does not run"

check from-runnel peer source $RUNNEL_IP 19 $bytes
check both-ways peer echo $RUNNEL_IP 7 $bytes
read -r to_kernel to_runnel < <(in_a nft list table ip loss |
	sed -n 's/.*counter packets \([0-9]*\).*/\1/p' | xargs)
if [ "$to_kernel" -gt 100 ] && [ "$to_runnel" -gt 100 ]; then
	pass packets-were-dropped "$to_kernel to the kernel, $to_runnel to runnel"
else
	fail packets-were-dropped "$to_kernel to the kernel, $to_runnel to runnel"
fi
stop "$dumpcap" INT 10
endpoint_stop

# What tshark sees in it. A retransmission of runnel is explained by a drop; one drop may cost more than
# one (a timeout sends again what was in flight), or none (what was dropped only acknowledged), hence the
# two factors.
run tshark -r "$capture" -o tcp.check_checksum:FALSE -T fields -e ip.src -e tcp.flags.reset \
	-e _ws.malformed -e tcp.analysis.ack_lost_segment -e tcp.analysis.retransmission \
	-E separator=, >"$BIG/fields" 2>"$STATE/tmp/tshark.out"
read -r packets malformed resets unseen again < <(awk -F, -v us=$RUNNEL_IP '
	$3 != "" {malformed++}
	$1 == us && $2 == 1 {reset++}
	$1 == us && $4 != "" {unseen++}
	$1 == us && $5 != "" {again++}
	END {printf "%d %d %d %d %d\n", NR, malformed, reset, unseen, again}' "$BIG/fields")
grep -h '[Pp]ackets.*dropped' "$STATE/tmp/dumpcap.out"

# none NAME COUNT WHAT: a case that passes when there are none.
none() {
	if [ "$2" = 0 ]; then pass "$1"; else fail "$1" "$2 $3"; fi
}
if [ "$packets" -gt 1000 ]; then pass captured "$packets packets"; else fail captured "$packets packets"; fi
none not-malformed "$malformed" "malformed packets"
none no-reset "$resets" "resets by runnel"
none acknowledges-what-reached-it "$unseen" "acknowledgements of what never did"
if [ "$again" -ge $((to_kernel / 2)) ] && [ "$again" -le $((4 * to_kernel)) ]; then
	pass retransmissions-explained "$again for $to_kernel drops"
else
	fail retransmissions-explained "$again for $to_kernel drops"
fi
finish
