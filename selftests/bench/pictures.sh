#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pictures.sh [check]: draws anew, by nstperf report, what Documentation/bench.md
# shows of the documents in Documentation/bench (make bench-pictures). With "check" it
# only tells whether what is there is what it would draw, as TAP.

set -eu
cd "$(dirname "$0")/../.."
# shellcheck source-path=SCRIPTDIR/../net/lib source=tap.sh
. selftests/net/lib/tap.sh

dir=Documentation/bench
nstperf=${NST_BUILD:-build}/tools/nstperf
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

shown()
{
	sed -n 's/.*](bench\/\([a-z0-9-]*\.svg\)).*/\1/p' Documentation/bench.md | sort -u
}

"$nstperf" report --pictures "$work" $dir/*.json
if [ "${1:-}" = check ]; then
	for picture in $(shown); do
		result "$picture is of its data" cmp "$dir/$picture" "$work/$picture"
	done
	result "all are shown" cmp <(shown) \
		<(find $dir -name '*.svg' -printf '%f\n' | sort)
	echo "1..$number"
	# shellcheck disable=SC2154 # tap.sh
	exit "$failed"
fi
rm -f $dir/*.svg
for picture in $(shown); do
	cp "$work/$picture" $dir/
done
