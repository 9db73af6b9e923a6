#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh [-t TEST]... [KERNEL...]: everything that must hold: lint, unit tests
# on this machine, builds for all three kernels and for other configurations,
# and the selftests in a guest of each KERNEL (6.1 without an argument), or of
# them each TEST only. Output of each part is also in build/results; the last
# line is the sum over all of them.

set -u
cd "$(dirname "$0")/.." || exit 2
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=lib.sh
. selftests/vm/lib.sh
# shellcheck source-path=SCRIPTDIR/../selftests/net/lib source=tap.sh
. selftests/net/lib/tap.sh

tests=()
while getopts t: opt; do
	case $opt in
	t) tests+=("$OPTARG") ;;
	*) nst_die "usage: check.sh [-t TEST]... [KERNEL...]" ;;
	esac
done
shift $((OPTIND - 1))
kernels=${*:-6.1}
builds=$(echo "$NST_KERNELS $kernels" | tr ' ' '\n' | awk '!seen[$0]++')
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
	local name=$1 log=$results/$1.log number=0 rc=0

	shift
	echo "1..1"
	"$@" >"$log" 2>&1 || rc=1
	tap "$rc" "$name" "$log"
}

is_listed()
{
	awk -v n="$1" '$2 == n { found = 1 } END { exit !found }' \
		selftests/net/tests
}

# Every script and program of selftests/net is named in the list: a test that
# nobody runs would pass for ever. Programs that are no test stand there as
# "tool NAME".
listed()
{
	local f number=0

	for f in $(find selftests/net \( -name lib -o -name '*_kmod' \) -prune -o \
		\( -name '*.c' -o -name '*.sh' \) -print | sort); do
		f=${f##*/}
		case $f in
		*.c)
			f=${f%.c}
			[ -x "$NST_BUILD/selftests/net/$f" ] || continue ;;
		esac
		result "listed $f" is_listed "$f"
	done
	echo "1..$number"
}

# modes KERNEL: what a hardened kernel makes of NST; each mode is a boot of its
# own. A kernel that has nothing as a module has none of them.
modes()
{
	local k=$1 failed=0

	run_mode()
	{
		selftests/vm/run.sh -n "$@" || failed=1
	}
	run_mode -a fips=1 "$k" 'modes.sh fips'
	run_mode -a lockdown=integrity "$k" 'modes.sh lockdown'
	run_mode -a module.sig_enforce=1 "$k" 'modes.sh signed'
	run_mode "$k" 'modes.sh nomodules'
	return $failed
}

# The sum, and right before its last line what a kernel has said in its distress:
# of a long log only the end may be kept.
tell()
{
	local sum=$results/sum rc=0

	# shellcheck disable=SC2086 # a list
	selftests/vm/summary.sh $parts >"$sum" || rc=$?
	sed '$d' "$sum"
	if grep -q '^# failed: run-.* no trouble' "$sum"; then
		tail -n 40 "$results"/console-* | sed 's/^/# /'
	fi
	tail -n 1 "$sum"
	return "$rc"
}

# One function, read as a whole before it starts: this takes minutes, and the
# file may be edited meanwhile.
main()
{
	local k

	for k in $builds; do
		nst_kernel_present "$k" || selftests/vm/prepare.sh "$k" || exit
	done
	rm -rf "$results"
	mkdir -p "$results"

	part lint scripts/lint.sh
	part harness selftests/vm/summary_test.sh
	part guests selftests/vm/guests_test.sh
	part races selftests/vm/races_test.sh
	part layers scripts/check-layers_test.sh
	part prepare selftests/vm/prepare_test.sh
	part doc selftests/doc/check-doc.sh
	part unit make -s -j2 -O -C selftests/unit OUT="$NST_BUILD/unit" check
	part hybrid selftests/unit/hybrid.sh
	part fuzz make -s -j2 -O -C selftests/fuzz OUT="$NST_BUILD/fuzz" check
	part build-programs built build-programs make -j2 selftests
	part perf selftests/perf/check.sh
	part completion env PATH="$NST_BUILD/tools:$PATH" \
		selftests/completion/check.sh
	part claims scripts/check-claims.sh
	part listed listed
	for k in $builds; do
		part "build-$k" built "build-$k" scripts/build-modules.sh "$k"
	done
	part configs scripts/check-configs.sh
	for k in $kernels; do
		part "guest-$k" selftests/vm/guests.sh "$k" "${tests[@]}"
	done
	for k in $kernels; do
		case " $NST_KERNELS " in
		*" $k "*) part "modes-$k" modes "$k" ;;
		esac
	done
	tell
}

main
