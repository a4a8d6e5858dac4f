#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# TCP Fast Open (RFC 7413): the kernel asks for a cookie, and has data on its SYNs acknowledged afterwards.
. "$(dirname "$0")/lib.sh"
begin

net_up || give_up namespaces "could not be made"
in_a sysctl -q -w net.ipv4.tcp_fastopen=3 || give_up sysctl "the kernel has no Fast Open"
in_a sysctl -q -w net.ipv4.tcp_fastopen_blackhole_timeout_sec=0
endpoint --listen echo:7,fastopen=16 --listen echo:8

# Cookies are a host's, not a service's: the second service ignores the one that the first gave.
check off-by-default peer fastopen $RUNNEL_IP 8 plain plain
check cookie-then-data peer fastopen $RUNNEL_IP 7 plain data data data
check cookie-where-it-is-off peer fastopen $RUNNEL_IP 8 plain
check works-afterwards peer echo $RUNNEL_IP 7 1000000
endpoint_stop
finish
