#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Half-close by either end, resets by either end, refusals.
. "$(dirname "$0")/lib.sh"
begin

net_up || give_up namespaces "could not be made"
endpoint --listen echo:7 --listen source:19,bytes=1000000 --listen source:20

check half-close-by-the-kernel peer halfclose-us $RUNNEL_IP 7
check half-close-by-runnel peer halfclose-them $RUNNEL_IP 19 1000000
check reset-by-the-kernel peer rst-us $RUNNEL_IP 7
check reset-in-a-stream peer unread-close $RUNNEL_IP 20
check refused peer refused $RUNNEL_IP 1
# Everything still works afterwards.
check works-afterwards peer echo $RUNNEL_IP 7 1000000
endpoint_stop
finish
