#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# runnel's http engine and ping, on af_packet over veth: curl, wrk, raw sockets of the kernel.
. "$(dirname "$0")/lib.sh"
begin

root=$STATE/tmp/www
mkdir -p "$root/sub"
printf 'small\n' >"$root/small.txt"
head -c 20000000 /dev/urandom >"$root/large.bin"
: >"$root/empty.txt"
printf 'inner\n' >"$root/sub/index.html"

net_up || give_up namespaces "could not be made"
endpoint --listen "http:80,root=$root" --listen "http:81,body=64" --listen "http:82,body=64,idle=2"

check ping in_a ping -q -c 5 -i 0.05 -W 1 $RUNNEL_IP
check ping-large in_a ping -q -c 5 -i 0.05 -W 1 -s 1472 -M "do" $RUNNEL_IP
check ping-tiny in_a ping -q -c 5 -i 0.05 -W 1 -s 0 $RUNNEL_IP

# fetch PATH: the file arrives as it is.
fetch() {
	in_a curl -sS -m 60 -o "$STATE/tmp/got" "http://$RUNNEL_IP/$1" && cmp "$root/$1" "$STATE/tmp/got"
}
check curl-small fetch small.txt
check curl-large fetch large.bin
check curl-empty fetch empty.txt
check curl-folder fetch sub/index.html

status() {
	[ "$(in_a curl -s -m 5 -o /dev/null -w '%{http_code}' "${@:2}")" = "$1" ]
}
check curl-404 status 404 "http://$RUNNEL_IP/nowhere"
check curl-head status 200 -I "http://$RUNNEL_IP/small.txt"
check curl-no-escape status 404 --path-as-is "http://$RUNNEL_IP/../small.txt"

keepalive() {
	local out
	out=$(in_a curl -sS -m 10 -w '%{num_connects} ' -o /dev/null "http://$RUNNEL_IP:81/" \
		-o /dev/null "http://$RUNNEL_IP:81/" -o /dev/null "http://$RUNNEL_IP:81/")
	echo "connections made: $out"
	[ "$out" = "1 0 0 " ]
}
check keep-alive keepalive
check pipelining peer pipeline $RUNNEL_IP 81 500 /
check idle-timeout peer idle $RUNNEL_IP 82 1 5

parallel() {
	local i pids=
	for i in 1 2 3 4 5 6 7 8; do
		spawn ip netns exec "$NS_A" curl -sS -m 60 -o "$STATE/tmp/par$i" "http://$RUNNEL_IP/large.bin"
		pids="$pids $child"
	done
	for i in $pids; do
		wait "$i" || return 1
	done
	for i in 1 2 3 4 5 6 7 8; do
		cmp "$root/large.bin" "$STATE/tmp/par$i" || return 1
	done
}
check curl-eight-at-once parallel

# wrk prints errors only when there were some.
run_wrk() {
	run ip netns exec "$NS_A" wrk -t 1 -c 64 -d 4 --latency "http://$RUNNEL_IP:81/" \
		>"$STATE/tmp/wrk.out" 2>&1 || return 1
	awk '/requests in/ {n = $1} /Socket errors|Non-2xx/ {bad = 1; print}
		/^Requests\/sec/ {rate = $2}
		END {print n + 0, "requests,", rate, "a second"; exit !(n > 1000 && !bad)}' "$STATE/tmp/wrk.out"
}
check wrk run_wrk
check refused peer refused $RUNNEL_IP 4444
endpoint_stop stops-on-SIGINT INT
finish
