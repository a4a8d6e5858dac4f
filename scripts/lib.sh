# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034,SC2015
#
# What the scripts share: messages, packages, room on the machine, the build. Sourced, not run.
# Namespaces, children and everything else that must be cleaned up: sandbox.sh.

RNL_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
[ -e /proc/self/fd/0 ] || exec </dev/null

# Debian 12's names. Each script asks for the groups that it needs.
PKGS_BUILD="gcc g++ libc6-dev meson ninja-build pkgconf libdpdk-dev libnuma-dev util-linux"
PKGS_DEMO="curl wrk iproute2 iputils-ping ethtool"
PKGS_TEST="libcmocka-dev libsystemd-dev python3 python3-jsonschema clang libclang-rt-14-dev valgrind
	universal-ctags binutils doxygen $PKGS_DEMO nftables nginx tshark procps"

say() {
	printf '%s\n' "$*"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# ---- packages -----------------------------------------------------------------------------------

is_debian12() {
	[ -r /etc/os-release ] && (
		# shellcheck disable=SC1091
		. /etc/os-release
		[ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ]
	)
}

# Prints those of the packages that are not installed.
packages_missing() {
	local p
	for p in "$@"; do
		case $(dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null) in
		ii*) ;;
		*) printf '%s ' "$p" ;;
		esac
	done
}

# Another distribution: nothing is installed for the reader. With the tools there, work goes on.
packages_elsewhere() {
	local tool
	for tool in meson ninja pkg-config cc; do
		command -v "$tool" >/dev/null || break
		tool=
	done
	if [ -z "$tool" ] && pkg-config --atleast-version=22.11 libdpdk; then
		return 0
	fi
	cat >&2 <<-TXT
	${0##*/}: this is not Debian 12, so nothing is installed for you.
	Install what these Debian packages contain:
	  $*
	and build with:
	  meson setup build
	  ninja -C build
	Then run this script again.
	TXT
	exit 1
}

# A package may start a service, and at each boot from then on. Neither is wanted: a policy denies the
# start while apt works, and links that are new afterwards are disabled.
POLICY=/usr/sbin/policy-rc.d

service_links() {
	find /etc/rc[2-5].d -name 'S*' 2>/dev/null | sed 's,.*/S[0-9]*,,' | sort -u
}

policy_hold() {
	[ -e $POLICY ] && return
	printf '#!/bin/sh\n# runnel %d: services stay as they are\nexit 101\n' $$ >$POLICY
	chmod 755 $POLICY
}

# Removes a policy of this process, or of one that is no more.
policy_release() {
	local owner
	owner=$(sed -n 's/^# runnel \([0-9]*\):.*/\1/p' $POLICY 2>/dev/null)
	[ -n "$owner" ] || return 0
	if [ "$owner" = $$ ] || [ ! -d "/proc/$owner" ]; then
		rm -f $POLICY
	fi
}

apt_install() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
		-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 \
		-o Dpkg::Options::=--force-confold install "$@" </dev/null
}

# Installs what is missing of the packages named. Arguments: names.
packages_need() {
	local missing before name log
	is_debian12 || { packages_elsewhere "$@"; return; }
	missing=$(packages_missing "$@")
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		printf '%s: packages are missing and this is not root. Run:\n' "${0##*/}" >&2
		printf '  sudo apt-get install --no-install-recommends %s\n' "$missing" >&2
		exit 1
	fi
	disk_need / 2000 "the packages"
	say "installing: $missing"
	log=$(mktemp)
	policy_release
	before=$(service_links)
	policy_hold
	# shellcheck disable=SC2086
	if ! apt_install $missing >"$log" 2>&1; then
		# Lists too old or absent, or an installation that was cut short.
		dpkg --configure -a --force-confold </dev/null >>"$log" 2>&1
		if ! apt-get -q -o DPkg::Lock::Timeout=600 update </dev/null >>"$log" 2>&1 ||
		   ! apt_install $missing >>"$log" 2>&1; then
			policy_release
			tail -n 20 "$log" >&2
			die "apt-get could not install the packages; its last words are above"
		fi
	fi
	policy_release
	for name in $(comm -13 <(printf '%s\n' "$before") <(service_links)); do
		update-rc.d "$name" disable >/dev/null 2>&1
	done
	rm -f "$log"
}

# ---- room ---------------------------------------------------------------------------------------

# disk_need DIR MIB WHAT
disk_need() {
	local free
	free=$(($(df -Pk "$1" | awk 'NR == 2 {print $4}') / 1024))
	[ "$free" -ge "$2" ] ||
		die "$3 need $2 MiB in $1, where $free MiB are free: make room and run this again"
}

# The directory of this process's control group for memory, version 2 or 1, if it can be seen.
memory_group() {
	local dir
	for dir in "/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)" \
		   "/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)" \
		   /sys/fs/cgroup /sys/fs/cgroup/memory; do
		[ -r "$dir/memory.stat" ] && { echo "$dir"; return; }
	done
}

# Memory that this process may still get, MiB: the machine's, or the control group's if that is less.
memory_free() {
	local free limit used dir
	free=$(awk '/^MemAvailable:/ {print int($2 / 1024)}' /proc/meminfo)
	dir=$(memory_group)
	limit=$(cat "$dir/memory.max" "$dir/memory.limit_in_bytes" 2>/dev/null)
	if [ -n "${limit%max}" ] && [ ${#limit} -lt 16 ]; then
		# What the page cache holds is counted as used, and given back when asked for.
		used=$(awk '/^(anon|kernel|shmem|unevictable|total_rss) / {n += $2} END {print n + 0}' \
			"$dir/memory.stat")
		limit=$(((limit - used) / 1048576))
		[ "$limit" -ge "$free" ] || free=$limit
	fi
	echo "$free"
}

# memory_need MIB WHAT
memory_need() {
	local free
	free=$(memory_free)
	[ "$free" -ge "$1" ] ||
		die "$2 need $1 MiB of memory, and $free MiB are free: stop something and run this again"
}

# ---- CPUs and rights ----------------------------------------------------------------------------

# Prints the first N CPUs that this process may use, comma separated; fewer when there are fewer.
cpus() {
	awk -v n="$1" '/^Cpus_allowed_list:/ {
		parts = split($2, part, ",")
		for (i = 1; i <= parts && n > 0; i++) {
			if (split(part[i], r, "-") == 1)
				r[2] = r[1]
			for (c = r[1]; c <= r[2] && n > 0; c++) {
				out = out sep c
				sep = ","
				n--
			}
		}
		print out
	}' /proc/self/status
}

# Prints those of net_admin, net_raw, sys_admin (and what named namespaces need) that are missing.
rights_missing() {
	local eff
	eff=$((16#$(awk '/^CapEff:/ {print $2}' /proc/self/status)))
	[ $((eff >> 12 & 1)) = 1 ] || printf 'CAP_NET_ADMIN '
	[ $((eff >> 13 & 1)) = 1 ] || printf 'CAP_NET_RAW '
	[ $((eff >> 21 & 1)) = 1 ] || printf 'CAP_SYS_ADMIN '
	if ! { [ -w /run/netns ] || { [ ! -e /run/netns ] && [ -w /run ]; }; }; then
		printf 'CAP_DAC_OVERRIDE (or write access to /run/netns) '
	fi
}

# ---- the build ----------------------------------------------------------------------------------

# Compilers at once: one for each CPU, and 400 MiB for each.
build_jobs() {
	local cpu mem
	cpu=$(nproc)
	mem=$(($(memory_free) / 400))
	[ "$mem" -ge 1 ] || mem=1
	if [ "$cpu" -lt "$mem" ]; then echo "$cpu"; else echo "$mem"; fi
}

# build_setup DIR OPTION...: configures DIR, once.
build_setup() {
	local dir=$RNL_TOP/$1 log
	shift
	if [ -f "$dir/build.ninja" ]; then
		build_option "$dir" "$@"
		return
	fi
	log=$(mktemp)
	meson setup "$dir" "$RNL_TOP" "$@" >"$log" 2>&1 </dev/null || {
		tail -n 30 "$log" >&2
		rm -f "$log"
		die "meson could not configure ${dir##*/}; its last words are above"
	}
	rm -f "$log"
}

# A build that the demo made has no tests: scripts/test asks for them.
build_option() {
	case " $* " in
	*" -Dtests=true "*) ;;
	*) return 0 ;;
	esac
	meson introspect --buildoptions "$1" | tr '{' '\n' | grep '"name": "tests"' |
		grep -q '"value": true' && return
	meson configure "$1" -Dtests=true </dev/null
}

# build_targets DIR [TARGET...]: compiles them, all by default; prints what it did in one line.
build_targets() {
	local dir=$RNL_TOP/$1 log rc
	shift
	log=$(mktemp)
	DEATHSIG=TERM run ninja -C "$dir" -j "$(build_jobs)" "$@" >"$log" 2>&1
	rc=$?
	if [ $rc != 0 ]; then
		grep -vE '^(\[[0-9]|Compiler |Library |Dependency |(cc|c\+\+|gcc|g\+\+|clang|clang\+\+) -)' "$log" | tail -n 40 >&2
		say "${dir##*/} does not build; all of its words are in $log" >&2
		return 1
	fi
	if grep -q 'ninja: no work to do' "$log"; then
		say "${dir##*/}: up to date"
	else
		say "${dir##*/}: built"
	fi
	rm -f "$log"
}
