#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# look.sh: how nstperf's report of Documentation/nstperf/report.json looks on a phone,
# 390 pixels wide, and on a screen, 1200, in grey (make report-pictures). Needs
# chromium-headless-shell or chromium of Debian, and is in no other target: they take
# 300 MB.

set -eu
cd "$(dirname "$0")/../.."
dir=Documentation/nstperf
nstperf=${NST_BUILD:-build}/tools/nstperf
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

browser=$(command -v chromium-headless-shell || command -v chromium) ||
	{ echo "needs chromium: apt-get install chromium-headless-shell" >&2; exit 2; }
"$nstperf" report --output "$work/page" $dir/report.json
# Whatever has a colour is grey now, and has to be told apart all the same.
sed 's|</style>|html{filter:grayscale(1)}</style>|' "$work/page" >"$work/page.html"
for width in 390 1200; do
	"$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars \
		--user-data-dir="$work/profile" --window-size=$width,1500 \
		--screenshot="$PWD/$dir/report-$width.png" \
		"file://$work/page.html" 2>"$work/said" ||
		{ cat "$work/said" >&2; exit 1; }
done
