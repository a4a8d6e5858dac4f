#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# check-symbols.sh LIBRARY: it shows the names of sys.h, all of them, and nothing else.
have=$(nm -D --defined-only "$1" | awk '{print $3}' | sort -u)
want=$(grep -oE 'rnl_seam_sys_[a-z0-9_]+\(' "$(dirname "$0")/sys.h" | tr -d '(' | sort -u)
[ "$have" = "$want" ] && exit 0
echo "$1 shows:"
echo "$have"
echo "sys.h has:"
echo "$want"
exit 1
