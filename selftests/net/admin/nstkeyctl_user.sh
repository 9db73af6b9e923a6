#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# nstkeyctl in the hands of a new user: each command with nothing, with rubbish,
# with nowhere to write to, ended in the middle, and after a clock was set back. What
# it refuses is one line that names what is wrong; what it writes is whole.

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"
umask 077

# one_line NAME STATUS COMMAND...: fails with one line of its own, and writes nothing
one_line()
{
	local name=$1 status=$2 rc=0

	shift 2
	"$@" >"$out" 2>"$err" </dev/null
	[ $? = "$status" ] || rc=1
	[ "$(wc -l <"$err")" = 1 ] && [ ! -s "$out" ] || rc=1
	verdict $rc "$name"
}

nothing()
{
	for command in genkey load add activate retire del guard "guard add" \
		"guard del" "guard load"; do
		# shellcheck disable=SC2086 # words
		one_line "nothing '$command'" 2 nstkeyctl $command
		grep -q "^usage: nstkeyctl $command" "$err"
		verdict $? nothing_says_what_is_missing
	done
	for command in flush show sockets owners caps stats help genbox \
		"guard show" "guard flush"; do
		# shellcheck disable=SC2086 # words
		does "nothing '$command'" nstkeyctl $command
	done
}

rubbish()
{
	head -c 3000 /dev/urandom >"$dir/noise"
	head -c 3000 /dev/zero >"$dir/zeros"
	for f in noise zeros none; do
		for command in load add; do
			one_line "rubbish '$command $f'" 1 \
				nstkeyctl $command "$dir/$f"
			grep -q "^$dir/$f" "$err"
			verdict $? rubbish_file_is_named
		done
		one_line "rubbish 'guard load $f'" 1 \
			nstkeyctl guard load "$dir/$f"
		grep -q "^nstkeyctl: $dir/$f" "$err"
		verdict $? rubbish_rules_are_named
	done
	for words in "genkey x" "genkey 1 x" "genkey 0x7" "activate x" \
		"retire 70000" "del -" "show x" "guard x" "guard add x 1" \
		"guard add tcp 5-" "guard del tcp x" "flush x" "sockets x" \
		"owners x" "caps x" "stats x" "monitor x" "doctor x" frob \
		"help frob" "genbox --keys" "genbox --keys=" "genbox --keys x" \
		"genbox --keys -18446744073709551615" "show --keys 3" \
		"load --json x" "guard flush --json" "guard show --force" \
		"show --frob" "genbox a b"; do
		# shellcheck disable=SC2086 # words
		one_line "rubbish '$words'" 2 nstkeyctl $words
	done
	for words in "load ''" "genbox ''" "genkey 1 accept ''" "'' load"; do
		refuses "rubbish '$words'" 2 "an argument is an empty word" \
			sh -c "nstkeyctl $words"
	done
	refuses rubbish_option_is_named 2 "'load' does not take --json" \
		nstkeyctl load --json x
	refuses rubbish_keys_are_named 2 "--keys '-18446744073709551615'" \
		nstkeyctl genbox --keys -18446744073709551615
}

# Ways to write it that one tries.
spelling()
{
	does keys_with_equals nstkeyctl genbox --keys=3 "$dir/three"
	is "$(wc -l <"$dir/three")" 3 keys_with_equals_count
	cd "$dir" || return
	does name_like_an_option nstkeyctl genbox -- -box
	[ -s ./-box ]
	verdict $? name_like_an_option_is_one
	cd / || return
	does help_of_two_words nstkeyctl help guard add
	says help_of_two_words_says '^  guard add tcp'
	says help_tells_of_lists 'PORTS is .*or some of these$'
	does help_of_one nstkeyctl help genbox
	says help_tells_of_force '^  genbox \[--force\]'
	nstkeyctl help >"$out"
	fails grep -nE '[^ ] ( |$)' "$out"
	verdict $? help_has_no_stray_blanks
	for words in --version -V; do
		does "version '$words'" nstkeyctl $words
	done
}

# Closed or full: it is an error, and goes nowhere else.
nowhere()
{
	for command in help --version "genkey 1" genbox show "show --json" caps \
		"caps --json" stats "stats --json" "stats --prometheus" \
		"guard show" "guard show --json" sockets "sockets --json" \
		owners "owners --json" doctor "doctor --json"; do
		refuses "full '$command'" 1 "stdout: No space left" \
			sh -c "nstkeyctl $command >/dev/full"
		refuses "closed '$command'" 1 "stdout: Bad file descriptor" \
			sh -c "nstkeyctl $command >&-"
	done
	refuses no_input 1 "stdin: Bad file descriptor" \
		sh -c "nstkeyctl load - <&-"
	mkdir "$dir/small"
	mount -t tmpfs -o size=4k none "$dir/small"
	nstkeyctl genbox "$dir/small/box"
	! nstkeyctl genbox --force "$dir/small/box" 2>&- >&-
	verdict $? messages_closed
	is "$(cd "$dir/small" && echo *) $(grep -c active "$dir/small/box")" \
		"box 1" messages_closed_go_into_no_file
	umount "$dir/small"
}

rules()
{
	nstkeyctl guard show | grep -c '^tcp'
}

# Of a range all is guarded or nothing, whenever a signal comes.
interrupted()
{
	local i=0 bad=0 n

	for signal in INT TERM HUP; do
		for i in 0 1 2 3 4 5 6 7 8 9; do
			nstkeyctl guard add tcp 1-200 &
			sleep "0.0$i"
			kill -$signal $! 2>/dev/null
			wait $! 2>/dev/null
			n=$(rules)
			[ "$n" = 0 ] || [ "$n" = 200 ] || bad="$n after $signal"
			nstkeyctl guard flush
		done
	done
	is "$bad" 0 interrupted_range
}

# count_json COMMAND...: what it writes is JSON, or it fails and writes nothing
count_json()
{
	local rc

	"$@" >"$out" 2>"$err"
	rc=$?
	if [ $rc = 0 ] && jsoncheck <"$out" 2>>"$err"; then
		whole=$((whole + 1))
	elif [ $rc != 0 ] && [ ! -s "$out" ] && [ -s "$err" ]; then
		none=$((none + 1))
	else
		echo "# status $rc, $(wc -c <"$out") bytes: $(head -n 1 "$err")"
		bad=1
	fi
}

# Whatever changes while it is listed, wherever memory ends: JSON is whole, or not
# there.
whole_json()
{
	local i=0 kb=2500 bad=0 whole=0 none=0

	nstkeyctl genbox --keys 1024 "$dir/many"
	nstkeyctl load "$dir/many"
	(while [ ! -e "$dir/stop" ]; do
		nstkeyctl load "$dir/many"
	done) &
	children="$children $!"
	while [ $i -lt 10 ]; do
		count_json nstkeyctl show --json
		i=$((i + 1))
	done
	: >"$dir/stop"
	end_children
	while [ $kb -lt 4000 ]; do
		count_json sh -c "ulimit -v $kb; exec nstkeyctl show --json"
		kb=$((kb + 30))
	done
	echo "# whole $whole times, an error $none times"
	[ $none -gt 0 ] || bad=1
	: >"$out"
	verdict $bad json_whole_or_nothing
	nstkeyctl flush
}

# A driver that looks bytes up in tables is told as such, in text and JSON.
tables()
{
	nstkeyctl caps >"$out" 2>"$err"
	is "$(grep -cE '(aes|sm4)-(generic|nst)' "$out")" \
		"$(grep -cE '\((AES|SM4) on tables\)$' "$out")" caps_tables
	nstkeyctl caps --json >"$dir/json"
	is "$(grep -o '"tables":true' "$dir/json" | wc -l)" \
		"$(grep -c 'on tables' "$out")" caps_tables_json
}

# What UDP's sessions leave holds after a clock was set back, and until when.
set_back()
{
	local i=0 until before now refused

	nstkeyctl genbox --force "$dir/box"
	nstkeyctl load "$dir/box"
	sysctl -q -w net.nst.timestamp_window=1
	is "$(nstpoke pair udp 1)" ok set_back_before
	before=$(date +%s)
	while [ "$(counter NstUdpSessions)" != 0 ] && [ $i -lt 300 ]; do
		sleep 0.1
		i=$((i + 1))
	done
	is "$(counter NstUdpSessions)" 0 set_back_sessions_are_forgotten
	nstkeyctl doctor >"$out" 2>"$err"
	is "$(grep -c 'until it shows' "$out")" 0 set_back_not_yet
	now=$(date +%s)
	date -s "@$((now - 3600))" >/dev/null
	refused=$(counter NstRxCacheFloor)
	timeout 3 nstpoke pair udp 1 >/dev/null
	nstkeyctl doctor >"$out" 2>"$err"
	nstkeyctl doctor --json >"$dir/json"
	is "$(($(counter NstRxCacheFloor) > refused))" 1 set_back_refuses
	date -s "@$((now + 3))" >/dev/null
	says set_back_says '^warn  clock .*kid 1 refuses datagrams of new sessions.* in 3[0-9]* s\. .*nstkeyctl genkey.*strict mode'
	until=$(sed -n 's/^warn *clock .* until it shows \(.*\) UTC.*/\1/p' "$out")
	until=$(date -u -d "$until" +%s)
	is "$((until >= before - 2 && until <= now + 1))" 1 set_back_until
	jsoncheck <"$dir/json" 2>>"$err"
	verdict $? set_back_json
	# The time that it named has come.
	is "$(nstpoke pair udp 1)" ok set_back_is_over
	nstkeyctl doctor >"$out" 2>"$err"
	says set_back_over '^warn  clock .*of the keys in the box none does so now'
	sysctl -q -w net.nst.timestamp_window=30
}

# asks COMMAND...: 30 times what suites there are, as $times runs of modprobe in
# $seconds
asks()
{
	local n=0 before

	: >"$dir/runs"
	before=$(date +%s)
	while [ $n -lt 30 ]; do
		"$@" >"$out" 2>"$err"
		n=$((n + 1))
	done
	seconds=$(($(date +%s) - before))
	times=$(wc -l <"$dir/runs")
}

# Everybody may ask what is there, but what is missing is sought anew for who
# administers alone; for others once in NST_SUITE_RETRY seconds, which is 2.
missing()
{
	local old one

	old=$(cat /proc/sys/kernel/modprobe)
	printf '#!/bin/sh\necho >>%s\nexit 1\n' "$dir/runs" >"$dir/modprobe"
	chmod 700 "$dir/modprobe"
	echo "$dir/modprobe" >/proc/sys/kernel/modprobe
	# Epochs of the tests before have it for a moment.
	wait_for rmmod nst_sm 2>"$err"
	if nstkeyctl caps | grep -q 'not in this kernel'; then
		asks nstkeyctl caps
		one=$((times / 30))
		is "$((one > 0))" 1 missing_is_sought
		asks as_nobody "$(command -v nstkeyctl) caps"
		says missing_is_said '^ 3  sm4-gcm +not in this kernel'
		is "$((times <= one * (seconds + 2)))" 1 \
			missing_is_sought_seldom_for_others
	else
		verdict 0 "missing # SKIP this kernel has SM4 of its own"
	fi
	echo "$old" >/proc/sys/kernel/modprobe
	modprobe -q nst_sm
	does missing_is_back nstkeyctl caps
	is "$(grep -c 'not in this kernel' "$out")" 0 missing_is_found
}

[ -n "$tool" ] || { echo "Bail out! no nstkeyctl"; exit 1; }
nothing
rubbish
spelling
nowhere
interrupted
whole_json
tables
set_back
missing
finish
