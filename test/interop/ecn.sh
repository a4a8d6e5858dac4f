#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# RFC 3168 with the kernel: it asks for ECN, runnel agrees; nftables marks one packet in fifty of those that
# say that they may be marked, in each direction, and drops none. Both ends echo and answer the marks.
. "$(dirname "$0")/lib.sh"
begin

net_up || give_up namespaces "could not be made"
in_a sysctl -q -w net.ipv4.tcp_ecn=1 || give_up tcp_ecn "cannot be set"
in_a nft -f - <<NFT || give_up nftables "the rules were refused"
table ip marks {
	counter to_kernel {}
	counter to_runnel {}
	counter cwr {}
	counter ece {}
	chain in {
		type filter hook input priority 0
		iif $IF_A tcp flags & (cwr | syn) == cwr counter name cwr
		iif $IF_A tcp flags & (ecn | syn) == ecn counter name ece
		iif $IF_A ip ecn ect0 numgen random mod 50 == 0 ip ecn set ce counter name to_kernel
	}
	chain out {
		type filter hook output priority 0
		oif $IF_A ip ecn ect0 numgen random mod 50 == 0 ip ecn set ce counter name to_runnel
	}
}
NFT
endpoint --listen echo:7 --listen source:19,bytes=67108864

# counted NAME: packets of a counter of nftables.
counted() {
	in_a nft list counter ip marks "$1" | sed -n 's/.*packets \([0-9]*\).*/\1/p'
}

# kernel NAME: a counter of the kernel's, 0 when it never fired.
kernel() {
	in_a cat /proc/net/netstat | awk -v want="$1" '
		$1 != section {section = $1; split($0, name); next}
		{for (i = 2; i <= NF; i++) if (name[i] == want) print $i; section = ""}'
}

# at_least CASE COUNT MINIMUM
at_least() {
	if [ "$2" -ge "$3" ]; then pass "$1" "$2"; else fail "$1" "$2, not $3"; fi
}

check from-runnel peer source $RUNNEL_IP 19 67108864
check both-ways peer echo $RUNNEL_IP 7 67108864
at_least runnel-says-that-it-may-be-marked "$(kernel InECT0Pkts)" 1000
at_least marks-to-the-kernel "$(counted to_kernel)" 100
at_least marks-to-runnel "$(counted to_runnel)" 20
at_least runnel-echoes-marks "$(counted ece)" 100
at_least runnel-answers-echoes "$(counted cwr)" 10
at_least the-kernel-hears-of-marks "$(kernel TCPDeliveredCE)" 100
endpoint_stop
finish
