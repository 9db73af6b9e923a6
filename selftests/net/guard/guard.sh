#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The guard as an administrator has it: nstkeyctl guard, rights, namespaces, what
# is told where, changes under traffic, hooks that come and go, and the module
# that goes while there are rules. TAP; in a network namespace of its own.

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"

# The rules, a word each: tcp/5201, udp/7/dry-run
rules()
{
	nstkeyctl guard show | awk '$1 == "tcp" || $1 == "udp" {
		print $1 "/" $2 ($3 == "dry-run" ? "/dry-run" : "") }' |
		tr '\n' ' '
}

# warns NAME WORDS COMMAND...: it does what it is asked for, with a warning
warns()
{
	local name=$1 words=$2

	shift 2
	refuses "$name" 0 "nstkeyctl: warning: $words" "$@"
}

commands()
{
	does show_none nstkeyctl guard show
	says show_none_says "No port is guarded"
	does add nstkeyctl guard add tcp 5201
	does add_udp nstkeyctl guard add udp 7 dry-run
	does add_last_port nstkeyctl guard add udp 65535
	is "$(rules)" "tcp/5201 udp/7/dry-run udp/65535 " add_rules
	does add_again nstkeyctl guard add tcp 5201
	does add_dry_run nstkeyctl guard add tcp 5201 dry-run
	does add_in_earnest nstkeyctl guard add udp 7
	is "$(rules)" "tcp/5201/dry-run udp/7 udp/65535 " add_changes
	does del nstkeyctl guard del udp 7
	refuses del_again 1 "There is no rule for this port" \
		nstkeyctl guard del udp 7
	refuses del_other_protocol 1 "There is no rule for this port" \
		nstkeyctl guard del tcp 65535
	is "$(rules)" "tcp/5201/dry-run udp/65535 " del_rules
	does flush nstkeyctl guard flush
	does flush_again nstkeyctl guard flush
	is "$(rules)" "" flush_rules
	for words in "" "frob" "add" "add tcp" "del" "load" "flush x" "show x" \
		"add tcp 1 dry-run x" "del tcp 1 dry-run"; do
		# shellcheck disable=SC2086 # words
		refuses "bad_form '$words'" 2 "" nstkeyctl guard $words
	done
	refuses no_port 2 "an empty word" nstkeyctl guard add tcp ''
	for port in 0 65536 x 1x 0x10 ' 7'; do
		refuses "bad_port '$port'" 2 "no port from 1 to 65535" \
			nstkeyctl guard add tcp "$port"
	done
	refuses bad_protocol 2 "neither tcp nor udp" \
		nstkeyctl guard add sctp 7
	refuses bad_word 2 "is not 'dry-run'" nstkeyctl guard add tcp 7 wet
	refuses bad_option 2 "'flush' does not take --json" \
		nstkeyctl guard flush --json
	is "$(rules)" "" refused_changes_nothing
}

# A range, a service, and ports that the kernel gives to others.
ports()
{
	local old

	does add_range nstkeyctl guard add tcp 5000-5003 dry-run
	is "$(rules)" "tcp/5000/dry-run tcp/5001/dry-run tcp/5002/dry-run tcp/5003/dry-run " \
		add_range_rules
	nstkeyctl guard add tcp 5002
	does del_range nstkeyctl guard del tcp 5001-5002
	is "$(rules)" "tcp/5000/dry-run tcp/5003/dry-run " del_range_rules
	warns del_range_of_some "of 11 tcp ports only 5000 had a rule" \
		nstkeyctl guard del tcp 4990-5000
	is "$(rules)" "tcp/5003/dry-run " del_range_of_some_rules
	refuses del_range_of_none 1 "There is no rule for this port" \
		nstkeyctl guard del tcp 4990-5000
	for ports in 5-4 0-4 1-65536 1- -1 1-2-3 frobd; do
		refuses "bad_range '$ports'" 2 "" nstkeyctl guard add tcp "$ports"
	done
	nstkeyctl guard flush
	does add_list nstkeyctl guard add tcp 80,5000-5001,443
	is "$(rules)" "tcp/80 tcp/443 tcp/5000 tcp/5001 " add_list_rules
	warns del_list "of 3 tcp ports only 80,443 had a rule" \
		nstkeyctl guard del tcp 443,79-80
	is "$(rules)" "tcp/5000 tcp/5001 " del_list_rules
	refuses list_has_a_port_twice 2 "a second rule for tcp 80" \
		nstkeyctl guard add tcp 80,79-81
	refuses list_names_what_is_none 2 "'8x' is no port" \
		nstkeyctl guard add tcp 80,8x,81
	refuses list_with_nothing 2 "'' is no port" nstkeyctl guard add tcp 80,,81
	is "$(rules)" "tcp/5000 tcp/5001 " bad_list_adds_nothing
	nstkeyctl guard flush
	nstkeyctl guard add tcp 1,443,5000-5002,65535
	nstkeyctl guard add udp 443
	warns del_all_ports \
		"of 65535 tcp ports only 1,443,5000-5002,65535 had a rule" \
		nstkeyctl guard del tcp 1-65535
	is "$(rules)" "udp/443 " del_all_ports_of_one_protocol
	nstkeyctl guard add udp 80-81
	warns del_port_named_twice "of 4 udp ports only 80-81,443 had a rule" \
		nstkeyctl guard del udp 80,79-81,443,443
	is "$(rules)" "" del_port_named_twice_rules
	refuses del_names_what_is_none 2 "'8x' is no port" \
		nstkeyctl guard del tcp 80,8x
	refuses del_bad_protocol 2 "neither tcp nor udp" \
		nstkeyctl guard del sctp 80
	refuses range_too_long 2 "room for 256" nstkeyctl guard add tcp 1-257
	seq 1 250 | sed 's/^/udp /' | nstkeyctl guard load -
	nstkeyctl guard add tcp 7 dry-run
	refuses range_no_room 1 "has room for 256 rules" \
		nstkeyctl guard add tcp 1-9
	is "$(rules | wc -w)" 251 range_all_or_none
	is "$(rules | cut -d' ' -f1)" tcp/7/dry-run range_undone_as_it_was
	nstkeyctl guard flush
	printf 'frobd 7777/tcp\nfrobd-two 7778/udp\n' >/etc/services
	does add_service nstkeyctl guard add tcp frobd
	does add_service_with_dash nstkeyctl guard add udp frobd-two
	refuses service_of_other_protocol 2 "no service" \
		nstkeyctl guard add udp frobd
	is "$(rules)" "tcp/7777 udp/7778 " service_rules
	printf 'tcp 1-3\nudp frobd-two dry-run\n' >"$dir/ports"
	does load_ports nstkeyctl guard load "$dir/ports"
	is "$(rules)" "tcp/1 tcp/2 tcp/3 udp/7778/dry-run " load_ports_rules
	printf 'tcp 1-3\ntcp 3-4\n' >"$dir/ports"
	refuses load_overlap 1 "ports:2: a second rule for tcp 3" \
		nstkeyctl guard load "$dir/ports"
	old=$(cat /proc/sys/net/ipv4/ip_local_reserved_ports)
	echo 8080 >/proc/sys/net/ipv4/ip_local_reserved_ports
	nstkeyctl guard add tcp 40000-40002 >"$out" 2>&1
	verdict $? local_range_is_taken
	says local_range_warns 'port 40000-40002 is in net.ipv4.ip_local_port_range'
	says local_range_way_out '^sysctl -w net.ipv4.ip_local_reserved_ports=8080,40000-40002$'
	nstkeyctl doctor >"$out" 2>"$err"
	says local_range_doctor '^warn  guard .*ip_local_reserved_ports=8080,40000-40002'
	sysctl -q -w net.ipv4.ip_local_reserved_ports=8080,40000-40002
	does local_range_reserved nstkeyctl guard add tcp 40001
	does local_range_outside nstkeyctl guard add tcp 30000
	echo "$old" >/proc/sys/net/ipv4/ip_local_reserved_ports
	nstkeyctl guard flush
}

files()
{
	printf '# services\ntcp 1\n\n\tudp 2 dry-run # soon\ntcp 3' >"$dir/rules"
	does load nstkeyctl guard load "$dir/rules"
	is "$(rules)" "tcp/1 tcp/3 udp/2/dry-run " load_rules
	does load_stdin sh -c "printf 'udp 9\n' | nstkeyctl guard load -"
	is "$(rules)" "udp/9 " load_replaces
	nstkeyctl guard load "$dir/rules"
	printf 'tcp 1\ntcp 2\nudp 1\ntcp 1 dry-run\n' >"$dir/bad"
	refuses load_twice 1 "bad:4: a second rule for tcp 1" \
		nstkeyctl guard load "$dir/bad"
	printf 'tcp 1\ntcp\n' >"$dir/bad"
	refuses load_word_missing 1 "bad:2: a rule is" \
		nstkeyctl guard load "$dir/bad"
	printf 'tcp 1 dry-run now\n' >"$dir/bad"
	refuses load_word_too_much 1 "bad:1: 'now' is too much" \
		nstkeyctl guard load "$dir/bad"
	printf 'tcp 70000\n' >"$dir/bad"
	refuses load_port 1 "bad:1: '70000' is no port" \
		nstkeyctl guard load "$dir/bad"
	printf '%0200d\n' 1 >"$dir/bad"
	refuses load_line_too_long 1 "bad:1: the line is too long" \
		nstkeyctl guard load "$dir/bad"
	printf '# none\n' >"$dir/bad"
	refuses load_empty 1 "no rule in it" nstkeyctl guard load "$dir/bad"
	refuses load_missing 1 "No such file" nstkeyctl guard load "$dir/none"
	seq 1 257 | sed 's/^/udp /' >"$dir/bad"
	refuses load_too_many 1 "bad:257: too many rules" \
		nstkeyctl guard load "$dir/bad"
	is "$(rules)" "tcp/1 tcp/3 udp/2/dry-run " load_all_or_nothing
	seq 1 256 | sed 's/^/udp /' >"$dir/many"
	does load_many nstkeyctl guard load "$dir/many"
	is "$(rules | wc -w)" 256 load_many_rules
	refuses add_one_more 1 "has room for 256 rules" \
		nstkeyctl guard add tcp 1
	json json_many nstkeyctl guard show --json
	nstkeyctl guard flush
}

rights()
{
	nstkeyctl guard add tcp 5201
	chmod 755 "$dir"
	for command in "add tcp 1" "del tcp 5201" "load $dir/rules" flush; do
		refuses "nobody_${command%% *}" 1 "needs CAP_NET_ADMIN" \
			as_nobody "$tool guard $command"
	done
	is "$(rules)" "tcp/5201 " nobody_changes_nothing
	does nobody_show as_nobody "$tool guard show"
	says nobody_sees '^tcp 5201 '
	does own_namespace as_nobody \
		"unshare -Urn sh -c '$tool guard add udp 7 && $tool guard show'"
	says own_namespace_shows '^udp 7 '
	refuses foreign_namespace 1 "needs CAP_NET_ADMIN" \
		as_nobody "unshare -Ur $tool guard flush"
	ip netns add other
	is "$(ip netns exec other nstkeyctl guard show)" \
		"No port is guarded." namespace_is_apart
	ip netns exec other nstkeyctl guard add tcp 1
	is "$(rules)" "tcp/5201 " namespace_rules_are_apart
	does namespace_goes_with_rules ip netns del other
	nstkeyctl guard flush
}

views()
{
	local i=0

	nstkeyctl monitor >"$dir/text" 2>&1 &
	children="$children $!"
	nstkeyctl monitor --json >"$dir/json" 2>&1 &
	children="$children $!"
	nstkeyctl guard add udp 5201 dry-run
	# The first events may come before both listen.
	while [ ! -s "$dir/text" ] || [ ! -s "$dir/json" ]; do
		guardpoke 5201
		sleep 0.3
		i=$((i + 1))
		[ $i -lt "$patience" ] || break
	done
	nstkeyctl guard del udp 5201
	nstkeyctl guard add udp 5201
	guardpoke 5201
	within one_is_counted sh -c "nstkeyctl guard show | grep -q 'in: 1 x no record'"
	does show nstkeyctl guard show
	says show_columns '^udp 5201  +0 +1 +0 +0$'
	json json nstkeyctl guard show --json
	says json_content '"protocol":"udp","port":5201,"dry_run":false,"in":\{"passed":0,"plain":0,"syn_data":0,"header":1,'
	does prometheus nstkeyctl guard show --prometheus
	says prometheus_content \
		'^nst_guard_packets_total\{protocol="udp",port="5201",dry_run="0",direction="in",result="header"\} 1$'
	is "$(grep -vcE '^(# (HELP|TYPE) [a-z_]+ .*|[a-z_]+\{[^}]*\} [0-9]+)$' \
		"$out")" 0 prometheus_format
	does stats_prometheus nstkeyctl stats --prometheus
	says stats_has_rules 'result="header"\} 1$'
	says stats_has_totals '^nst_guard_in_dropped_total 1$'
	is "$(counter NstGuardInDropped)" 1 stat_in
	is "$(counter NstGuardOutDropped)" 0 stat_out
	[ "$(counter NstGuardDryRun)" -gt 0 ]
	verdict $? stat_dry_run
	nstkeyctl doctor >"$out" 2>"$err"
	says doctor '^warn  guard +ports guarded: 1, 0 of them as a dry run; packets that were no NST: 1 '
	within monitor_text grep -qE 'the guard stopped a packet going in, udp 5201, or would have, NstGuardHeader' "$dir/text"
	within monitor_json grep -qE '"event":"guard","direction":"in","protocol":"udp","port":5201,"dry_run":true,"cause":"NstGuardHeader"' \
		"$dir/json"
	tr -d '\0' <"$dir/json" | jsoncheck -l >"$out" 2>"$err"
	verdict $? monitor_json_is_json
	nstkeyctl guard flush
	end_children
}

tcp_ports()
{
	rules | tr ' ' '\n' | sed -n 's/tcp.//p'
}

# The tables before and after let different ports through, never both or none.
atomic()
{
	seq 1 200 >"$dir/list.a"
	seq 301 500 >"$dir/list.b"
	sed 's/^/tcp /' "$dir/list.a" >"$dir/a"
	sed 's/^/tcp /' "$dir/list.b" >"$dir/b"
	nstkeyctl guard load "$dir/a"
	one_or_other atomic_replace tcp_ports nstkeyctl guard load
	nstkeyctl guard flush
}

# Rules change while NST traffic and attempts at plaintext go on. A port that is
# in every table is guarded at every moment.
traffic()
{
	local i=0

	echo "tcp 5201" >"$dir/a"
	seq 6000 6100 | sed 's/^/udp /' >>"$dir/a"
	seq 7000 7200 | sed 's/^/udp /' >"$dir/b"
	echo "tcp 5201" >>"$dir/b"
	nstkeyctl guard load "$dir/a"
	nc -l -p 5201 >"$dir/got" &
	children="$children $!"
	within traffic_listens sh -c "ss -Hltn sport = 5201 | grep -q LISTEN"
	(while [ ! -e "$dir/stop" ]; do echo plaintext; sleep 0.05; done |
		nc 127.0.0.1 5201) >/dev/null 2>&1 &
	children="$children $!"
	while [ $i -lt 20 ]; do
		nstkeyctl guard load "$dir/b"
		nstkeyctl guard load "$dir/a"
		nstkeyctl guard add tcp $((100 + i))
		nstkeyctl guard del tcp $((100 + i))
		i=$((i + 1))
	done
	within traffic_was_there sh -c \
		"nstkeyctl guard show | grep -q 'in: .* x no NST keys'"
	is "$(cat "$dir/got")" "" traffic_never_passed
	: >"$dir/stop"
	nstkeyctl guard flush
	# TCP has grown tired of trying, and waits longer each time.
	patience=$((3 * patience))
	within traffic_passes_without_rules grep -q plaintext "$dir/got"
	patience=$((patience / 3))
	end_children
}

# How often the kernel has come to the guard's function.
hits()
{
	awk '$1 == "nst_guard_hit" { print $2 }' \
		/sys/kernel/tracing/kprobe_profile
}

no_cost()
{
	local n

	does hook_is_seen /bin/busybox sh -c \
		"echo p:nst_guard_hit nst_ulp:hook >/sys/kernel/tracing/kprobe_events"
	echo 1 >/sys/kernel/tracing/events/kprobes/nst_guard_hit/enable
	ping -c 2 127.0.0.1 >/dev/null
	is "$(hits)" 0 no_rule_no_hook
	nstkeyctl guard add tcp 1
	ping -c 2 127.0.0.1 >/dev/null
	n=$(hits)
	[ "$n" -ge 8 ]
	verdict $? rule_and_hook
	nstkeyctl guard add udp 1
	nstkeyctl guard del tcp 1
	ping -c 2 127.0.0.1 >/dev/null
	[ "$(hits)" -gt "$n" ]
	verdict $? other_rule_and_hook
	nstkeyctl guard del udp 1
	n=$(hits)
	ping -c 2 127.0.0.1 >/dev/null
	is "$(hits)" "$n" last_rule_and_no_hook
	echo 0 >/sys/kernel/tracing/events/kprobes/nst_guard_hit/enable
	echo >/sys/kernel/tracing/kprobe_events
}

tracepoint()
{
	echo 1 >/sys/kernel/tracing/events/nst/nst_guard/enable
	nstkeyctl guard add udp 5201
	guardpoke 5201
	within tracepoint grep -qE 'nst_guard: skb=.* in protocol=17 port=5201 cause=[0-9]+$' \
		/sys/kernel/tracing/trace
	echo 0 >/sys/kernel/tracing/events/nst/nst_guard/enable
	nstkeyctl guard flush
}

# The module goes with its rules, here and elsewhere, while packets come.
unload()
{
	nstkeyctl guard add udp 5201
	ip netns add other
	ip netns exec other nstkeyctl guard add tcp 1
	(while [ ! -e "$dir/stop" ]; do
		guardpoke 5201
		sleep 0.01
	done) >/dev/null 2>&1 &
	children="$children $!"
	ping -c 2 127.0.0.1 >/dev/null
	within rmmod_with_rules rmmod nst_ulp
	ping -c 2 127.0.0.1 >/dev/null
	does modprobe_again modprobe nst_ulp
	is "$(rules)" "" rules_are_gone
	: >"$dir/stop"
	ip netns del other
}

[ -n "$tool" ] || { echo "Bail out! no nstkeyctl"; exit 1; }
commands
ports
files
rights
views
atomic
traffic
no_cost
tracepoint
unload
finish
