#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# runnel and runnel-gen in two processes over net_memif. No rights and no hugepages needed.
. "$(dirname "$0")/lib.sh"
begin_unprivileged

# net_memif of DPDK 22.11 may crash in a process that polls while its peer leaves: the driver unmaps the
# rings under the burst. So each endpoint serves one generator; the last one sees none and stops.
pair_once=yes
socket=$STATE/tmp/memif.sock
two_processes "net_memif0,role=server,id=0,socket=$socket,socket-abstract=no" \
	"net_memif0,role=client,id=0,socket=$socket,socket-abstract=no"
endpoint_stop
finish
