#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Ten thousand connections of the kernel at once, each with its own octets, twice over.
. "$(dirname "$0")/lib.sh"
begin

net_up || give_up namespaces "could not be made"
endpoint --max-conns 20000 --listen echo:7
in_a sh -c 'echo "1024 65535" >/proc/sys/net/ipv4/ip_local_port_range'
check ten-thousand peer many $RUNNEL_IP 7 10000 2
check ping-afterwards answers
endpoint_stop
finish
