#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# gen_run.sh RUNNEL_GEN SCHEMA: runs the generator over a ring on one CPU, and checks exit codes, reports
# (against the schema) and refusals.
set -u
gen=$1 schema=$2
dir=$(mktemp -d) || exit 1
child=
trap '[ -z "$child" ] || kill -KILL "$child" 2>/dev/null; rm -rf "$dir"' EXIT
lcore=$(taskset -pc $$ | sed 's/.*: //; s/[-,].*//')
eal=(-l "$lcore" --no-huge --no-pci -m 256 --file-prefix "gen-run-$$")
failed=0

bad() {
	echo "FAIL: $*"
	cat "$dir/out"
	failed=1
}
# expect NAME CODE ARG...: runs it; with code 0, 2 or 3 there is a valid report.
expect() {
	local name=$1 code=$2 got
	shift 2
	rm -f "$dir/json"
	timeout 60 "$gen" "${eal[@]}" -- --quiet --json "$dir/json" "$@" >"$dir/out" 2>&1
	got=$?
	# On a machine that is busy with other things a schedule may not be kept: then it must say so.
	if [ $got = 3 ] && [ "$code" != 1 ]; then
		holds "$name" 'j["generator_limited"] and j["exit_code"] == 3'
	elif [ $got != "$code" ]; then
		bad "$name: exit $got, not $code"
	fi
	[ "$code" = 1 ] || valid "$name"
}
valid() {
	python3 -W ignore -m jsonschema -i "$dir/json" "$schema" || bad "$1: the report is not valid"
}
# holds NAME EXPRESSION: of the last report j.
holds() {
	python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); m = j["measured"]; sys.exit(not eval(sys.argv[2]))' \
		"$dir/json" "$2" || bad "$1: not so: $2"
}
# refused NAME WORDS ARG...: one line, with these words.
refused() {
	local name=$1 words=$2
	shift 2
	expect "$name" 1 "$@"
	[ "$(wc -l <"$dir/out")" = 1 ] || bad "$name: not one line"
	grep -q -e "$words" "$dir/out" || bad "$name: does not say '$words'"
}
short=(--duration 500ms --warmup 50ms --max-errors 0)

expect rr 0 --loop echo --verify "${short[@]}"
holds rr 'm["requests_completed"] == m["requests_sent"] > 0 and m["connected"] == 64'
expect pipelined 0 --loop echo --verify --outstanding 4 --size 3000 -c 4 "${short[@]}"
holds pipelined 'm["requests_completed"] == m["requests_sent"] > 0'
expect http 0 --loop http,body=5000 -c 8 "${short[@]}"
holds http 'm["http_status"]["2xx"] >= m["requests_completed"] > 0'
expect cps 0 --loop echo --mode cps "${short[@]}"
holds cps 'm["connections_opened_per_s"] > 0 and m["packets"]["client_tx_packets_per_connection"] >= 3'
expect cps-server-closes 0 --loop http --mode cps --close server --rate 2000 "${short[@]}"
expect cps-reset 0 --loop echo --mode cps --close rst "${short[@]}"
expect tx 0 --loop sink "${short[@]}"
holds tx 'm["tx_bits_per_s"] > 0 and m["achieved_rate_per_s"] is None'
expect rx 0 --loop source --verify "${short[@]}"
holds rx 'm["rx_bits_per_s"] > 0'
expect bidir 0 --loop echo --mode bidir --verify "${short[@]}"
holds bidir 'm["rx_bits_per_s"] > 0 and m["tx_bits_per_s"] > 0'

# An open loop sends exactly what it planned, however slow this machine is.
expect open 0 --loop echo --rate 200 "${short[@]}" --drain 20
holds open 'm["requests_sent"] == m["requests_completed"] == m["latency_planned"]["count"] == 100'

expect criterion 2 --loop echo --rate 100 "${short[@]}" --expect-min-rate 900M
holds criterion 'not j["criteria"][0]["pass"]'
expect nobody 2 --loop echo --server 198.19.0.1:8 --connect-timeout 500ms "${short[@]}"
holds nobody 'j["errors"]["connection_ends"]["refused"] > 0'
refused infeasible 'give 9 client addresses .* lower --rate to 6[0-9]*, .*--close server' \
	--loop echo --mode cps --rate 50k --client-addr 198.18.0.1/15
refused no-server 'give --server'
refused engine 'nonsense' --loop nonsense
refused unwritable '/nonexistent/x' --loop echo --json /nonexistent/x

# SIGINT ends in order: what was measured is in the report.
"$gen" "${eal[@]}" -- --loop echo --json "$dir/json" --duration 60 >"$dir/out" 2>&1 &
child=$!
for _ in $(seq 300); do
	[ "$(grep -c ^measuring "$dir/out")" -ge 1 ] && break
	sleep 0.1
done
kill -INT $child
wait $child
got=$?
child=
[ $got = 3 ] || bad "interrupted: exit $got, not 3"
valid interrupted
holds interrupted 'j["interrupted"] and 0 < m["window_ns"] < 60e9 and m["requests_completed"] > 0'
exit $failed
