# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034,SC2015,SC2119,SC2120,SC2154
#
# What the interop tests share. Each test is a script of its own: it makes its namespaces, starts its
# programs, prints a "PASS: " or "FAIL: " line for each case, and leaves nothing behind.
# RNL_BUILD is the build directory, by default build/.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../scripts/lib.sh"
. "$here/../../scripts/sandbox.sh"

RNL_BUILD=${RNL_BUILD:-$RNL_TOP/build}
RUNNEL=$RNL_BUILD/app/runnel/runnel
RUNNEL_GEN=$RNL_BUILD/app/runnel-gen/runnel-gen
TEST=$(basename "$0" .sh)
failures=0

pass() {
	say "PASS: $TEST/$1${2:+ ($2)}"
}

fail() {
	say "FAIL: $TEST/$1${2:+ ($2)}"
	failures=$((failures + 1))
}

# check NAME CMD...: a case that passes when the command succeeds. The last line that it prints is
# shown beside the name.
check() {
	local name=$1 out rc
	shift
	"$@" >"$STATE/tmp/case.log" 2>&1
	rc=$?
	out=$(tail -n 1 "$STATE/tmp/case.log")
	if [ $rc = 0 ]; then
		pass "$name" "$out"
	else
		fail "$name" "status $rc: $out"
	fi
	return $rc
}

# refute NAME CMD...: a case that passes when the command fails.
refute() {
	local name=$1
	shift
	if "$@" >"$STATE/tmp/case.log" 2>&1; then
		fail "$name" "it succeeded: $(tail -n 1 "$STATE/tmp/case.log")"
	else
		pass "$name"
	fi
}

# Ends a test that cannot go on.
give_up() {
	fail "$1" "$2"
	show_logs
	exit 1
}

show_logs() {
	local log
	for log in "$STATE"/tmp/*.out; do
		[ -s "$log" ] || continue
		say "--- ${log##*/}"
		tail -n 30 "$log"
	done
}

finish() {
	[ $failures = 0 ] || show_logs
	[ $failures = 0 ]
	exit
}

# Begins: rights, programs, sandbox.
begin() {
	local missing
	missing=$(rights_missing)
	[ -z "$missing" ] || die "needs $missing"
	begin_unprivileged
}

begin_unprivileged() {
	[ -x "$RUNNEL" ] && [ -x "$RUNNEL_GEN" ] || die "build first: $RUNNEL is not there"
	memory_need 800 "this test"
	sandbox_open
}

# The kernel's side of a test.
peer() {
	run ip netns exec "$NS_A" /usr/bin/python3 "$here/peer.py" "$@"
}

# eal NAME CPU: EAL arguments that need neither hugepages nor configuration.
eal() {
	echo "-l $2 --no-huge -m 512 --no-pci --file-prefix $EAL_PREFIX-$1"
}

CPU_1=$(cpus 1)
CPU_2=$(cpus 2)
CPU_2=${CPU_2##*,}

# on_veth NAME PROGRAM ARG...: starts a program in NS_B on the veth, its output in NAME.out.
on_veth() {
	local name=$1 program=$2
	shift 2
	# shellcheck disable=SC2046
	spawn ip netns exec "$NS_B" "$program" $(eal "$name" "$CPU_1") \
		--vdev "net_af_packet0,iface=$IF_B,framecnt=2048" -- "$@" \
		>"$STATE/tmp/$name.out" 2>&1 </dev/null
}

answers() {
	in_a ping -q -c 1 -W 1 "${1:-$RUNNEL_IP}"
}

# endpoint ARG...: runs runnel on the veth and waits until it answers; its pid is in $endpoint.
endpoint() {
	on_veth runnel "$RUNNEL" --ip "$RUNNEL_IP/$PREFIX_LEN" "$@"
	endpoint=$child
	within 20 answers || give_up start "runnel does not answer on $RUNNEL_IP"
}

# A case of its own: the endpoint ends by itself when asked to, and with status 0.
endpoint_stop() {
	check "${1:-stops-on-SIGTERM}" stop "$endpoint" "${2:-TERM}" 10
}

# generate NAME ARG...: runs runnel-gen on the veth to its end, against the kernel; its report is
# NAME.json, its words NAME.out.
generate() {
	local name=$1
	shift
	on_veth "$name" "$RUNNEL_GEN" --client-addr "$RUNNEL_IP/$PREFIX_LEN" --quiet \
		--json "$STATE/tmp/$name.json" "$@"
	wait "$child"
}

# from_json FILE EXPRESSION: evaluates a Python expression over a report j.
from_json() {
	/usr/bin/python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' \
		"$STATE/tmp/$1.json" "$2"
}

# kernel_serves PORT KIND [SIZE]: a server of peer.py in NS_A, its output in serve-PORT.out.
kernel_serves() {
	spawn ip netns exec "$NS_A" /usr/bin/python3 "$here/peer.py" serve "$@" >"$STATE/tmp/serve-$1.out" 2>&1
	within 10 listening "$1" || give_up "serve-$1" "the kernel's server does not start"
}

# listening PORT: a kernel server of NS_A is there.
listening() {
	[ -n "$(in_a ss -Hltn "sport = :$1")" ]
}

# pair_start: the endpoint of two_processes.
pair_start() {
	rm -f "$socket"
	# shellcheck disable=SC2046
	spawn "$RUNNEL" $(eal runnel "$CPU_1") --vdev "$pair_vdev" -- --ip 192.0.2.1/24 --listen echo:7 \
		--listen sink:9 --listen source:19 --listen http:80 >"$STATE/tmp/runnel.out" 2>&1 </dev/null
	endpoint=$child
	within 20 test -e "$socket" || give_up start "runnel makes no $socket"
}

# pair NAME PORT ARG...: one run of runnel-gen against it.
pair() {
	local name=$1 port=$2
	shift 2
	# shellcheck disable=SC2086
	check "$name" run "$RUNNEL_GEN" $pair_gen --server "192.0.2.1:$port" --max-errors 0 "$@"
	[ -n "${pair_once-}" ] || return 0
	stop "$endpoint" KILL 10 2>/dev/null
	pair_start
}

# two_processes RUNNEL_VDEV GEN_VDEV: runnel and runnel-gen, each a process, linked by two devices. With
# pair_once set, an endpoint serves one run and is killed, for drivers that do not outlive their peer.
two_processes() {
	pair_vdev=$1
	pair_gen="$(eal gen "$CPU_2") --vdev $2 -- --client-addr 192.0.2.2+16/24 --quiet --duration 2 --drain 5"
	pair_start
	pair rr 7 --mode rr --verify
	pair cps 7 --mode cps -c 16
	pair http 80 --mode http
	pair bulk-to 9 --mode tx
	pair bulk-from 19 --mode rx --verify
}
