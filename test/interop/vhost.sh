#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# runnel on net_vhost, runnel-gen on virtio_user, in two processes.
. "$(dirname "$0")/lib.sh"
begin_unprivileged

socket=$STATE/tmp/vhost.sock
two_processes "net_vhost0,iface=$socket,queues=1" \
	"net_virtio_user0,path=$socket,queues=1,mac=02:00:00:00:00:02"
endpoint_stop
finish
