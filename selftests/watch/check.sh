#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh [KERNEL]: what Debian's Prometheus says of ours. Metrics come from a
# guest (uml); promtool checks them and the alert rules and plays the rules' tests;
# Prometheus is fed with the metrics, and each query of the dashboard must find
# something. And each event has its entry in the journal's catalogue. TAP. Needs
# root, for apt-get download; takes a minute, and a guest.

set -eu
cd "$(dirname "$0")/../.."
# shellcheck source-path=SCRIPTDIR/../vm source=lib.sh
. selftests/vm/lib.sh
# shellcheck source-path=SCRIPTDIR/../net/lib source=tap.sh
. selftests/net/lib/tap.sh

kernel=${1:-uml}
prom=$NST_CACHE/watch/usr/bin
work=$(mktemp -d)
pids=
# shellcheck disable=SC2064,SC2086 # a list, as it is then
trap 'kill $pids 2>/dev/null || true; rm -rf "$work"' EXIT

# Not installed: nothing of it shall run by itself.
get_prometheus()
{
	[ -x "$prom/promtool" ] && return
	mkdir -p "$NST_CACHE/watch"
	(
		cd "$work"
		apt-get -qq -o APT::Sandbox::User=root download prometheus >&2
		dpkg -x prometheus_*.deb "$NST_CACHE/watch"
	) || nst_die "prometheus cannot be had of apt"
}

# holds NAME COMMAND...
holds()
{
	local name=$1 rc=0

	shift
	"$@" >"$work/said" 2>&1 || rc=$?
	tap $rc "$name" "$work/said"
}

metrics_of_guest()
{
	selftests/vm/run.sh "$kernel" metrics.sh >"$work/guest" 2>&1 || true
	sed -n 's/^# metric: //p' "$work/guest" >"$work/metrics"
	[ -s "$work/metrics" ]
	tap $? "a guest tells its metrics" "$work/guest"
	printf '# HELP nst_up x\n# TYPE nst_up gauge\nnst_up 1\n' >>"$work/metrics"
}

# promtool complains on its output, and not always by its status.
# shellcheck disable=SC2317
clean_metrics()
{
	"$prom/promtool" check metrics <"$work/metrics" 2>&1 | tee "$work/lint"
	[ "${PIPESTATUS[0]}" = 0 ] && [ ! -s "$work/lint" ]
}

start_prometheus()
{
	cat >"$work/prometheus.yml" <<-END
		global: {scrape_interval: 1s, evaluation_interval: 1s}
		rule_files: [$PWD/packaging/prometheus/nst.rules.yml]
		scrape_configs:
		  - job_name: nst
		    metrics_path: /metrics
		    static_configs: [{targets: ['127.0.0.1:39101']}]
	END
	(cd "$work" && exec python3 -m http.server --bind 127.0.0.1 39101 \
		>/dev/null 2>&1) &
	pids="$pids $!"
	"$prom/prometheus" --config.file="$work/prometheus.yml" \
		--storage.tsdb.path="$work/data" \
		--web.listen-address=127.0.0.1:39102 >"$work/log" 2>&1 &
	pids="$pids $!"
}

try_dashboard()
{
	start_prometheus
	python3 - "$PWD/packaging/grafana/nst.json" <<-'END' >"$work/queries" || true
		import json, sys, time, urllib.parse, urllib.request
		def ask(expr):
		    url = "http://127.0.0.1:39102/api/v1/query?query="
		    try:
		        with urllib.request.urlopen(url + urllib.parse.quote(expr)) as f:
		            return len(json.load(f)["data"]["result"])
		    except Exception as e:
		        return 0
		# two samples for a rate
		end = time.time() + 120
		while not ask("count_over_time(nst_up[1m]) > 3") and time.time() < end:
		    time.sleep(0.5)
		for panel in json.load(open(sys.argv[1]))["panels"]:
		    for target in panel["targets"]:
		        expr = target["expr"].replace("$instance", ".*")
		        print(0 if ask(expr) else 1, panel["title"] + ":", expr)
	END
	while read -r rc name; do
		tap "$rc" "dashboard: $name" "$work/log"
	done <"$work/queries"
	[ -s "$work/queries" ]
	tap $? "the dashboard has queries"
}

try_catalog()
{
	local id

	for id in $(grep -oE '"[0-9a-f]{32}"' userspace/nstkeyctl/monitor.c |
		tr -d '"'); do
		grep -qx -- "-- $id" packaging/systemd/nst.catalog
		tap $? "catalogue: $id"
	done
	[ "$(grep -c '^-- ' packaging/systemd/nst.catalog)" = \
		"$(grep -c '^	\[NST_EVENT_' userspace/nstkeyctl/monitor.c)" ]
	tap $? "catalogue: as many entries as events"
}

get_prometheus
metrics_of_guest
holds "promtool check metrics" clean_metrics
holds "promtool check rules" "$prom/promtool" check rules \
	packaging/prometheus/nst.rules.yml
holds "promtool test rules" sh -c "cd packaging/prometheus &&
	'$prom/promtool' test rules nst.rules.test.yml"
try_dashboard
set +e
try_catalog
echo "1..$number"
exit "$failed"
