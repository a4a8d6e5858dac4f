#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# One packet in a hundred is dropped in each direction by nftables, and every octet still arrives.
# RNL_LOSS_MIB is the size of each transfer. tshark looks at all of it: no malformed packet, no wrong
# checksum, nothing that loss does not explain.
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
capture=$STATE/tmp/loss.pcap
spawn ip netns exec "$NS_A" dumpcap -q -P -i "$IF_A" -s 128 -B 64 -w "$capture" \
	>"$STATE/tmp/dumpcap.out" 2>&1
dumpcap=$child
within 10 test -s "$capture" || give_up capture "dumpcap does not run"

check from-runnel peer source $RUNNEL_IP 19 $bytes
check both-ways peer echo $RUNNEL_IP 7 $bytes
dropped=$(in_a nft list table ip loss | awk '/counter packets/ {n += $(NF - 3)} END {print n + 0}')
if [ "$dropped" -gt 1000 ]; then pass packets-were-dropped "$dropped"; else
	fail packets-were-dropped "$dropped"
fi
stop "$dumpcap" INT 10
endpoint_stop

# count FILTER: packets that match.
run tshark -r "$capture" -o tcp.check_checksum:FALSE -T fields -e ip.src -e tcp.flags.reset \
	-e _ws.malformed -e tcp.analysis.ack_lost_segment -e tcp.analysis.rto -e tcp.len \
	-E separator=, >"$STATE/tmp/fields" 2>"$STATE/tmp/tshark.out"
awk -F, -v us=$RUNNEL_IP '
	{n++}
	$3 != "" {malformed++}
	$1 == us && $2 == 1 {reset++}
	$1 == us && $4 != "" {ack_unseen++}
	END {
		printf "%d %d %d %d\n", n, malformed, reset, ack_unseen
	}' "$STATE/tmp/fields" >"$STATE/tmp/sum"
read -r packets malformed resets unseen <"$STATE/tmp/sum"
lost=$(awk '/[Pp]ackets.*dropped/ {print}' "$STATE/tmp/dumpcap.out")
say "$packets packets captured; $lost"
if [ "$packets" -gt 1000 ] && [ "$malformed" = 0 ]; then pass not-malformed "$packets packets"; else
	fail not-malformed "$malformed of $packets"
fi
if [ "$resets" = 0 ]; then pass no-reset; else fail no-reset "$resets"; fi
if [ "$unseen" = 0 ]; then pass acknowledges-what-was-sent; else
	fail acknowledges-what-was-sent "$unseen acknowledgements of what never reached it"
fi
finish
