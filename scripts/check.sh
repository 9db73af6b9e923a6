#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh [KERNEL...]: everything that must hold: lint, unit tests on this
# machine, builds, and the selftests in a guest of each KERNEL (all three
# without an argument). Output of each part is also in build/results; the last
# line is the sum over all of them.

set -u
cd "$(dirname "$0")/.." || exit 2
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=lib.sh
. selftests/vm/lib.sh

kernels=${*:-$NST_KERNELS}
results=$NST_BUILD/results
parts=

# part NAME COMMAND...: output to the screen and to a file for the sum.
part()
{
	local name=$1 start=$SECONDS rc

	shift
	echo "# nst: part $name"
	parts="$parts $results/$name.tap"
	"$@" 2>&1 | tee "$results/$name.tap"
	rc=${PIPESTATUS[0]}
	printf '\n# nst: exit rc=%s\n' "$rc" >>"$results/$name.tap"
	echo "# nst: part $name took $((SECONDS - start)) s"
}

# built NAME COMMAND...: a plan of one; the output only when it fails
built()
{
	local name=$1 log=$results/$1.log

	shift
	echo "1..1"
	if "$@" >"$log" 2>&1; then
		echo "ok 1 $name"
	else
		sed 's/^/# /' "$log" | tail -n 40
		echo "not ok 1 $name"
	fi
}

# Every script and program of selftests/net is named in the list: a test that
# nobody runs would pass for ever. Programs that are no test stand there as
# "tool NAME".
listed()
{
	local f number=0

	for f in selftests/net/*.c selftests/net/*.sh; do
		f=${f##*/}
		case $f in
		*.c)
			f=${f%.c}
			[ -x "$NST_BUILD/selftests/net/$f" ] || continue ;;
		lib*.sh) continue ;;
		esac
		number=$((number + 1))
		if awk -v n="$f" '$2 == n { found = 1 } END { exit !found }' \
			selftests/net/tests; then
			echo "ok $number listed $f"
		else
			echo "not ok $number listed $f"
		fi
	done
	echo "1..$number"
}

# One function, read as a whole before it starts: this takes minutes, and the
# file may be edited meanwhile.
main()
{
	local k

	for k in $kernels 6.1; do
		nst_kernel_present "$k" || selftests/vm/prepare.sh "$k" || exit
	done
	rm -rf "$results"
	mkdir -p "$results"

	part lint scripts/lint.sh
	part harness selftests/vm/summary_test.sh
	part doc selftests/doc/check-doc.sh
	part unit make -s -C selftests/unit OUT="$NST_BUILD/unit" check
	part fuzz make -s -C selftests/fuzz OUT="$NST_BUILD/fuzz" check
	part build-programs built build-programs make selftests
	part listed listed
	for k in $kernels; do
		part "build-$k" built "build-$k" scripts/build-modules.sh "$k"
	done
	for k in $kernels; do
		part "guest-$k" selftests/vm/run.sh \
			-l "$results/console-$k" "$k"
	done
	# shellcheck disable=SC2086 # a list
	exec selftests/vm/summary.sh $parts
}

main
