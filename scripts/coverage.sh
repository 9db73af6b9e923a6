#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# coverage.sh [TEST...]: which lines of nst_ulp/ the tests reach. Those of
# selftests/net (or TEST...) run in the kernel uml-fault, the unit tests here; gcov
# counts, lcov adds up. Writes build/coverage/html, prints a table and the lines that
# nothing reached and selftests/coverage.explained does not account for. The exit
# status is 1 if there are some, 2 if it could not run.

set -eu
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=lib.sh
. "$(dirname "$0")/../selftests/vm/lib.sh"
out=$NST_BUILD/coverage
src=$out/uml-fault/src
explained=$NST_TOP/selftests/coverage.explained
lcov="lcov -q --rc lcov_branch_coverage=1"

command -v lcov >/dev/null || nst_die "needs lcov: apt-get install lcov"

# What the module is not under test in, or what has no place in User Mode Linux.
tests_of_module()
{
	awk '$1 + 0 > 0 && $2 !~ /^(run_|nst_run|lib_|lib\.sh|examples|modes|autoload|sm_alg|stress|udp_flood)/ {
		sub(/^[0-9]+ /, ""); print }' "$NST_TOP/selftests/net/tests"
	echo "faults_tcp"
	echo "faults_udp"
	echo "faults_accept"
	echo "faults_admin"
	echo "faults_load.sh"
}

# A guest whose tests fail has counted all the same; it says so.
in_guest()
{
	local list=("$@")

	[ $# != 0 ] || mapfile -t list < <(tests_of_module)
	rm -rf "$out/gcov"
	mkdir -p "$out/gcov"
	find "$out" -name '*.gcda' -delete
	NST_GCOV=1 NST_BUILD=$out "$NST_TOP/scripts/build-modules.sh" uml-fault \
		>"$out/modules.log" 2>&1 || nst_die "see $out/modules.log"
	"$NST_TOP/selftests/vm/run.sh" -t 900 -M "$src" -g "$out/gcov" \
		-a "slub_debug=- kmemleak=off no_debug_objects" uml-fault \
		"${list[@]}" >"$out/guest.tap" || true
	"$NST_TOP/selftests/vm/summary.sh" -q "$out/guest.tap" || true
	[ -d "$out/gcov$src" ] || nst_die "the guest has saved no counts"
	cp -r "$out/gcov$src/." "$src/"
	$lcov -c -d "$src/nst_ulp" -o "$out/guest.raw"
	sed "s,^SF:$src/,SF:$NST_TOP/," "$out/guest.raw" >"$out/guest.info"
}

in_unit_tests()
{
	make -s -C "$NST_TOP/selftests/unit" OUT="$out/unit" \
		SAN="-fsanitize=address,undefined --coverage" check \
		>"$out/unit.tap" 2>&1 || nst_die "see $out/unit.tap"
	$lcov -c -d "$out/unit" -o "$out/unit.info"
}

# FILE FUNCTION LINE of what was not reached
missed()
{
	awk -F '[:,]' -v top="$NST_TOP/nst_ulp/" '
		function name(line,   i, best) {
			for (i = 1; i <= n; i++)
				if (at[i] <= line && (!best || at[i] > at[best]))
					best = i
			return best ? fn[best] : "-"
		}
		$1 == "SF" { file = substr($2, length(top) + 1); n = 0 }
		$1 == "FN" { at[++n] = $2 + 0; fn[n] = $3 }
		$1 == "DA" && $3 == 0 { print file, name($2 + 0), $2 }' "$1"
}

# Lines of $1 whose function is not in the list, which has FILE FUNCTION WHY.
unexplained()
{
	awk 'NR == FNR { if (!/^#/ && NF > 2) why[$1 " " $2] = 1; next }
		!(($1 " " $2) in why)' "$explained" "$1"
}

mkdir -p "$out"
in_guest "$@"
in_unit_tests
$lcov -a "$out/guest.info" -a "$out/unit.info" -o "$out/all.info"
$lcov -e "$out/all.info" "$NST_TOP/nst_ulp/*" -o "$out/ours.info"
$lcov -r "$out/ours.info" "*/debug/*" -o "$out/nst.info"
genhtml -q --branch-coverage -p "$NST_TOP/nst_ulp" -o "$out/html" "$out/nst.info"
lcov --rc lcov_branch_coverage=1 --list "$out/nst.info"
missed "$out/nst.info" >"$out/missed"
unexplained "$out/missed" >"$out/unexplained"
echo "$(wc -l <"$out/missed") lines not reached, $(wc -l <"$out/unexplained") of them not explained:"
cat "$out/unexplained"
[ ! -s "$out/unexplained" ]
