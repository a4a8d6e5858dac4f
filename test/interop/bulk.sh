#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Bulk between the kernel and runnel, verified octet by octet, in both directions and at once, and
# with windows that close because the reader is slow.
. "$(dirname "$0")/lib.sh"
begin

net_up || give_up namespaces "could not be made"
endpoint --listen echo:7 --listen sink:9 --listen source:19,bytes=200000000 \
	--listen source:20,bytes=1 --listen source:21,bytes=0

check from-runnel peer source $RUNNEL_IP 19 200000000
check to-runnel peer send $RUNNEL_IP 9 200000000
check both-ways peer echo $RUNNEL_IP 7 200000000
check one-octet peer source $RUNNEL_IP 20 1
check no-octet peer source $RUNNEL_IP 21 0
check slow-reader peer slow-reader $RUNNEL_IP 19 200000000
check backpressure peer slow-echo $RUNNEL_IP 7 100000000
endpoint_stop
finish
