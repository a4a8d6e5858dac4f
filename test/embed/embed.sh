#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Embedding, proved: installs the build into a folder of its own, compiles the appliances of this
# folder there as a stranger would (pkg-config --static), as C11 and as C++17 with warnings as errors,
# and runs them. With the rights for namespaces, the kernel is a client of both.
# RNL_BUILD is the build directory, by default build/.
. "$(dirname "$0")/../interop/lib.sh"
src=$(cd "$(dirname "$0")" && pwd)
[ -f "$RNL_BUILD/build.ninja" ] || die "build first: $RNL_BUILD is not there"
sandbox_open

root=$STATE/tmp/root
check install meson install -C "$RNL_BUILD" --no-rebuild --destdir "$root" || finish
pc=$(find "$root" -name runnel.pc)
prefix=$(sed -n 's/^prefix=//p' "$pc")
# The package file speaks of the prefix that it was made for; this copy stands elsewhere.
sed -i "s,^prefix=.*,prefix=$root$prefix," "$pc"
export PKG_CONFIG_PATH=${pc%/*}

installed() {
	local f
	for f in bin/runnel bin/runnel-gen include/runnel.h; do
		[ -f "$root$prefix/$f" ] || { echo "no $f"; return 1; }
	done
	[ -n "$(find "$root$prefix" -name librunnel.a)" ] || { echo "no librunnel.a"; return 1; }
	echo "programs, library, header, runnel.pc"
}
check installed-files installed
check requires-libdpdk grep -qE '^Requires.private:.*libdpdk' "$pc"
check version eval '[ "$(pkg-config --modversion runnel)" = 0.1.0 ]'

mkdir "$STATE/tmp/away"
cp "$src"/*.c "$STATE/tmp/away"
cd "$STATE/tmp/away" || exit 1
read -ra flags < <(pkg-config --static --cflags --libs runnel | tr '\n' ' ')
strict="-O2 -Wall -Wextra -Werror"
# shellcheck disable=SC2086
{
	check header-c11 cc -std=c11 $strict -Wpedantic -Wno-overlength-strings -x c -fsyntax-only \
		"$root$prefix/include/runnel.h"
	check header-c++17 c++ -std=c++17 $strict -Wpedantic -x c++ -fsyntax-only \
		"$root$prefix/include/runnel.h"
	check echo-c11 cc -std=c11 $strict -o echo-c echo.c "${flags[@]}"
	check echo-c++17 c++ -std=c++17 $strict -o echo-cxx -x c++ echo.c -x none "${flags[@]}"
	# DPDK's own headers (rte_ring.h) want POSIX names.
	check two-c11 cc -std=gnu11 $strict -o two-c two.c "${flags[@]}"
	check two-c++17 c++ -std=c++17 $strict -o two-cxx -x c++ two.c -x none "${flags[@]}"
}

for two in two-c two-cxx; do
	[ -x $two ] || continue
	run ./$two --no-huge -m 256 --no-pci --no-telemetry -l "$CPU_1" --file-prefix "$EAL_PREFIX-$two" \
		>$two.log 2>&1
	rc=$?
	sed -n "s,^\(PASS\|FAIL\): two/,\1: $TEST/$two-," $two.log
	failures=$((failures + $(grep -c '^FAIL' $two.log)))
	if [ $rc != 0 ]; then
		tail -n 5 $two.log
		fail $two-ends-well "status $rc"
	fi
done

symbols() {
	local bad
	bad=$(nm -g --defined-only "$(find "$root" -name librunnel.a)" |
	      awk 'NF == 3 && $3 !~ /^(rnl_|__odr_asan)/ {print $3}')
	[ -z "$bad" ] || { echo "$bad" | xargs; return 1; }
}
check only-rnl-symbols symbols

if [ -n "$(rights_missing)" ]; then
	say "not run: the kernel as client (needs $(rights_missing))"
	finish
fi

curls() {
	in_a curl -sS -m 10 -A embed-test "http://$RUNNEL_IP/some/path" | grep -q '^User-Agent: embed-test'
}
net_up || give_up namespaces "could not be made"
for echo in echo-c echo-cxx; do
	[ -x $echo ] || continue
	spawn ip netns exec "$NS_B" ./$echo --no-huge -m 256 --no-pci -l "$CPU_1" \
		--file-prefix "$EAL_PREFIX-$echo" --vdev "net_af_packet0,iface=$IF_B" \
		-- $RUNNEL_IP $PREFIX_LEN >"$STATE/tmp/$echo.out" 2>&1 </dev/null
	endpoint=$child
	within 20 answers || give_up $echo-start "it does not answer"
	check $echo-serves-curl curls
	check $echo-echoes peer echo $RUNNEL_IP 7 20000000
	endpoint_stop $echo-stops
done
finish
