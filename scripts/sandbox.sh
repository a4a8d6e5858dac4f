# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034,SC2015,SC2013,SC2016
#
# Everything that a script makes on the machine and must take away again: children, namespaces,
# links, hugepages, files. Sourced after lib.sh, not run.
#
# Each object carries the pid of the script that made it: namespace rnl-PID-a, link rnlPIDa, EAL
# prefix (and so hugepage file and runtime directory) rnl-PID. What must be remembered is written to
# rnl-PID/ in /run (or in /tmp without rights there) before the deed. A script that ends, or is
# interrupted, cleans up itself. One that is killed cannot: its children die with it
# (PR_SET_PDEATHSIG), and the next script that starts removes the rest.

NS_A=rnl-$$-a
NS_B=rnl-$$-b
IF_A=rnl$$a
IF_B=rnl$$b
EAL_PREFIX=rnl-$$
STATE=
# For files that are too large for /run, which may be memory. Made by who needs it.
BIG=${TMPDIR:-/tmp}/rnl-$$

# Start time of a process in ticks, which with the pid names it beyond doubt. Nothing for a zombie.
proc_start() {
	# The second field is the program's name and may hold anything: cut through its last ')'.
	sed -n 's/^.*) \([^ZX]\) //p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 19
}

# Is the owner of rnl-PID objects alive? A pid that was given to another process since is not.
owner_alive() {
	local start dir known
	start=$(proc_start "$1")
	[ -n "$start" ] || return 1
	for dir in /run "${TMPDIR:-/tmp}"; do
		known=$(cat "$dir/rnl-$1/start" 2>/dev/null) || continue
		[ "$known" = "$start" ]
		return
	done
	return 0
}

# Prints the pid in a name such as rnl-123-a, rnl123b, rnl-123map_0.
owner_of() {
	local name=${1##*/}
	name=${name#rnl}
	name=${name#-}
	printf '%s' "${name%%[!0-9]*}"
}

# Ends the processes listed in a state directory that are still the ones that it means.
state_kill() {
	local pid start sig
	[ -f "$1/pids" ] || return 0
	for sig in TERM KILL; do
		while read -r pid start; do
			[ "$(proc_start "$pid")" = "$start" ] && kill -$sig "$pid" 2>/dev/null
		done <"$1/pids"
		for _ in $(seq 60); do
			state_running "$1" || return 0
			sleep 0.05
		done
	done
}

state_running() {
	local pid start
	while read -r pid start; do
		[ "$(proc_start "$pid")" = "$start" ] && return 0
	done <"$1/pids"
	return 1
}

# Gives the hugepages back that a state directory's owner took. With another owner still at work, the
# old number becomes that one's to restore.
hugepages_restore() {
	local old file
	old=$(cat "$1/nr_hugepages" 2>/dev/null) || return 0
	rm -f "$1/nr_hugepages"
	for file in /run/rnl-*/nr_hugepages; do
		[ -f "$file" ] && [ "${file%/*}" != "$1" ] || continue
		owner_alive "$(owner_of "${file%/*}")" || continue
		[ "$old" -lt "$(cat "$file")" ] && echo "$old" >"$file"
		return 0
	done
	echo "$old" >/proc/sys/vm/nr_hugepages
}

# Removes the kernel objects and files of one owner.
owner_clean() {
	local pid=$1 ns link dir pids p
	for ns in $(ip netns list 2>/dev/null | awk -v p="^rnl-$pid-" '$1 ~ p {print $1}'); do
		pids=$(ip netns pids "$ns" 2>/dev/null)
		for p in $pids; do
			kill -KILL "$p" 2>/dev/null
		done
		for link in $(ip -n "$ns" -o link 2>/dev/null |
			      sed -n "s/^[0-9]*: \(rnl${pid}[a-z]*\)[@:].*/\1/p"); do
			ip -n "$ns" link del "$link" 2>/dev/null
		done
		ip netns del "$ns" 2>/dev/null
	done
	for link in /sys/class/net/rnl"$pid"[a-z]*; do
		[ -e "$link" ] && ip link del "${link##*/}" 2>/dev/null
	done
	for dir in $(awk '$3 == "hugetlbfs" {print $2}' /proc/mounts); do
		rm -f "$dir"/rnl-"$pid"map_* "$dir"/rnl-"$pid"-*map_*
	done
	for dir in /var/run "${XDG_RUNTIME_DIR:-/tmp}"; do
		[ -w "$dir/dpdk" ] && rm -rf "$dir"/dpdk/rnl-"$pid" "$dir"/dpdk/rnl-"$pid"-*
	done
}

# Removes what dead owners left.
sandbox_sweep() {
	local dir pid dead=
	for dir in /run/rnl-[0-9]* "${TMPDIR:-/tmp}"/rnl-[0-9]*; do
		[ -d "$dir" ] && [ ! -L "$dir" ] && [ -O "$dir" ] || continue
		pid=$(owner_of "$dir")
		owner_alive "$pid" && continue
		state_kill "$dir"
		hugepages_restore "$dir"
		owner_clean "$pid"
		rm -rf "$dir"
	done
	# Those without a state directory: it went first, or somebody removed it.
	for dir in $(ip netns list 2>/dev/null | awk '$1 ~ /^rnl-[0-9]+-/ {print $1}') \
		   /sys/class/net/rnl[0-9]* /var/run/dpdk/rnl-[0-9]*; do
		pid=$(owner_of "$dir")
		[ -n "$pid" ] || continue
		owner_alive "$pid" || dead="$dead $pid"
	done
	for pid in $dead; do
		owner_clean "$pid"
	done
	[ "$(id -u)" != 0 ] || policy_release
}

# Begins: sweeps, makes the state directory, and arranges for sandbox_close.
sandbox_open() {
	local base=/run
	sandbox_sweep
	[ -w $base ] || base=${TMPDIR:-/tmp}
	STATE=$base/rnl-$$
	trap sandbox_close EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir -m 700 "$STATE" || die "cannot make $STATE"
	proc_start $$ >"$STATE/start"
	: >"$STATE/pids"
	mkdir "$STATE/tmp"
}

sandbox_close() {
	local rc=$?
	trap '' HUP INT TERM
	trap - EXIT
	state_kill "$STATE"
	hugepages_restore "$STATE"
	owner_clean $$
	rm -rf "$STATE" "$BIG"
	exit $rc
}

# ---- children -----------------------------------------------------------------------------------

# spawn CMD...: starts a child that dies with this script; its pid is in $child. A child that has
# children of its own is better told with DEATHSIG=TERM, so that it can end them.
spawn() {
	# Named, because the shell would give a command in the background /dev/null instead.
	setpriv --pdeathsig "${DEATHSIG:-KILL}" -- "$@" <&0 &
	child=$!
	printf '%s %s\n' $child "$(proc_start $child)" >>"$STATE/pids"
}

# run CMD...: runs a child to its end. Unlike a plain command it lets a signal be handled at once.
run() {
	spawn "$@"
	wait $child
}

# stop PID SIGNAL SECONDS: asks a child to end. Fails when it does not in time.
stop() {
	local i
	kill "-$2" "$1" 2>/dev/null
	for ((i = 0; i < $3 * 20; i++)); do
		if [ -z "$(proc_start "$1")" ]; then
			wait "$1"
			return
		fi
		sleep 0.05
	done
	return 124
}

# within SECONDS CMD...: repeats a quiet command until it succeeds.
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# ---- namespaces ---------------------------------------------------------------------------------

# The kernel lives in NS_A with IF_A; a program's af_packet port is IF_B in NS_B, which has no
# addresses, so the kernel there answers nothing.
KERNEL_IP=198.18.0.1
RUNNEL_IP=198.18.0.2
PREFIX_LEN=16

in_a() {
	ip netns exec "$NS_A" "$@"
}

# An endpoint on af_packet sees packets as the kernel hands them to the link: what the kernel would
# leave to hardware, checksums and cutting, must be done before.
offloads_off() {
	ip netns exec "$1" ethtool -K "$2" tx off tso off gso off gro off >/dev/null
}

ns_quiet() {
	ip netns exec "$1" sh -c 'for f in all default; do
		echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6 2>/dev/null; done; ip link set lo up'
}

net_up() {
	ip netns add "$NS_A" && ip netns add "$NS_B" || return 1
	ns_quiet "$NS_A"
	ns_quiet "$NS_B"
	ip link add "$IF_A" netns "$NS_A" type veth peer name "$IF_B" netns "$NS_B" || return 1
	offloads_off "$NS_A" "$IF_A" || return 1
	offloads_off "$NS_B" "$IF_B" || return 1
	ip -n "$NS_A" addr add $KERNEL_IP/$PREFIX_LEN dev "$IF_A" || return 1
	ip -n "$NS_A" link set "$IF_A" up && ip -n "$NS_B" link set "$IF_B" up
}

# ---- hugepages ----------------------------------------------------------------------------------

# hugepages_need N: has at least N free pages of the default size, or fails.
hugepages_need() {
	local have free
	free=$(awk '/^HugePages_Free:/ {print $2}' /proc/meminfo)
	[ "$free" -ge "$1" ] && return 0
	[ -w /proc/sys/vm/nr_hugepages ] && [ "${STATE%/*}" = /run ] || return 1
	have=$(cat /proc/sys/vm/nr_hugepages)
	[ -f "$STATE/nr_hugepages" ] || echo "$have" >"$STATE/nr_hugepages"
	echo $((have + $1 - free)) >/proc/sys/vm/nr_hugepages
	[ "$(awk '/^HugePages_Free:/ {print $2}' /proc/meminfo)" -ge "$1" ]
}
