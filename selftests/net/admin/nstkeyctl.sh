#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# nstkeyctl against the kernel: every command, what it refuses and in which
# words, rights, namespaces. Runs in a network namespace of its own.

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"
umask 077

# state KID: accept, active, retired or nothing
state()
{
	nstkeyctl show | awk -v k="$1" '$1 == k { print $2 }'
}

fingerprints()
{
	nstkeyctl show | awk '$1 + 0 > 0 { print $1, $3 }'
}

commands()
{
	: >"$out"
	does help nstkeyctl help
	says help_lists_commands '^  genbox '
	is "$(nstkeyctl -h; nstkeyctl --help)" "$(nstkeyctl help; nstkeyctl help)" \
		help_by_other_names
	for words in "help guard" "guard -h" "guard --help" "--help guard"; do
		# shellcheck disable=SC2086 # words
		does "help_of_command '$words'" nstkeyctl $words
		says help_of_command_says '^  guard add tcp'
		is "$(grep -c genbox "$out")" 0 help_of_one_command
	done
	refuses help_unknown 2 "no command 'frob'" nstkeyctl help frob
	does version nstkeyctl --version
	is "$(cat "$out")" "nstkeyctl $(modinfo -F version nst_ulp)" version_is
	refuses no_command 2 "usage:" nstkeyctl
	refuses unknown_command 2 "no command 'frob'" nstkeyctl frob
	refuses unknown_option 2 "no option --frob" nstkeyctl show --frob
	refuses option_of_another_command 2 "'flush' does not take" \
		nstkeyctl flush --json
	refuses option_of_another_command 2 "'show' does not take" \
		nstkeyctl show --force
	refuses two_formats 2 "do not go together" \
		nstkeyctl stats --json --prometheus
	refuses argument_missing 2 "usage: nstkeyctl load FILE" nstkeyctl load
	refuses argument_too_many 2 "usage: nstkeyctl flush" nstkeyctl flush x
	refuses arguments_far_too_many 2 "too many arguments" \
		nstkeyctl genkey 1 active f g h
	for kid in 0 65536 -1 x 1x ''; do
		refuses "bad_kid '$kid'" 2 "" nstkeyctl activate "$kid"
	done
}

generate()
{
	does genkey nstkeyctl genkey 7
	says genkey_is_a_line '^7 accept [0-9a-f]{64}$'
	does genkey_active nstkeyctl genkey 65535 active
	says genkey_active_is_a_line '^65535 active [0-9a-f]{64}$'
	does genkey_file nstkeyctl genkey 9 retired "$dir/key9"
	is "$(cut -d' ' -f1,2 "$dir/key9")" "9 retired" genkey_file_content
	is "$(stat -c %a "$dir/key9")" 600 genkey_file_mode
	refuses genkey_no_overwrite 1 "is there already" \
		nstkeyctl genkey 9 retired "$dir/key9"
	refuses genkey_state 2 "accept, active or retired" \
		nstkeyctl genkey 9 asleep
	(umask 0; nstkeyctl genbox --keys 3 "$dir/box") >"$out" 2>"$err"
	verdict $? genbox
	is "$(stat -c %a "$dir/box")" 600 genbox_mode
	is "$(cut -d' ' -f1,2 "$dir/box" | tr '\n' ' ')" \
		"1 active 2 accept 3 accept " genbox_content
	is "$(cut -d' ' -f3 "$dir/box" | sort -u | wc -l)" 3 genbox_differ
	does genbox_force nstkeyctl genbox --force "$dir/box"
	is "$(wc -l <"$dir/box")" 1 genbox_force_replaces
	refuses genbox_count 2 "number from 1 to 1024" \
		nstkeyctl genbox --keys 1025
	(umask 022; nstkeyctl genbox >"$dir/open") 2>"$err"
	grep -q "warning: others have access" "$err"
	verdict $? genbox_stdout_open_file_warns
	refuses genbox_no_space 1 "No space left" \
		sh -c "nstkeyctl genbox >/dev/full"
}

# What was there stays until the new file is whole, whatever comes between.
save()
{
	local i=0 bad=0

	mkdir "$dir/small"
	mount -t tmpfs -o size=16k none "$dir/small"
	box_file "$dir/small/box" 2
	cp "$dir/small/box" "$dir/before"
	dd if=/dev/zero of="$dir/small/fill" bs=1k 2>/dev/null
	for words in "genbox --force $dir/small/box" \
		"genkey --force 9 accept $dir/small/box"; do
		# shellcheck disable=SC2086 # words
		refuses "full_disk_force ${words%% *}" 1 "No space left" \
			nstkeyctl $words
		cmp "$dir/small/box" "$dir/before" >>"$err"
		verdict $? full_disk_force_keeps
	done
	refuses full_disk_new 1 "No space left" \
		nstkeyctl genbox "$dir/small/new"
	is "$(cd "$dir/small" && echo *)" "box fill" full_disk_leaves_nothing
	umount "$dir/small"
	box_file "$dir/box" 2
	cp "$dir/box" "$dir/before"
	refuses file_size_limit 1 "File too large" sh -c \
		"ulimit -f 8; exec nstkeyctl genbox --keys 1024 --force $dir/box"
	cmp "$dir/box" "$dir/before" >>"$err"
	verdict $? file_size_limit_keeps
	while [ $i -lt 20 ]; do
		nstkeyctl genbox --keys 1024 --force "$dir/box" &
		sleep "0.00$i"
		kill -9 $! 2>/dev/null
		wait $! 2>/dev/null
		nstkeyctl load "$dir/box" 2>>"$err" || bad=1
		i=$((i + 1))
	done
	verdict $bad killed_in_the_middle
	nstkeyctl flush
	rm -f "$dir"/box*
	mknod "$dir/null" c 1 3
	refuses force_device 1 "no ordinary file" \
		nstkeyctl genbox --force "$dir/null"
	refuses force_directory 1 "no ordinary file" \
		nstkeyctl genbox --force "$dir/small"
	[ -c "$dir/null" ] && [ -d "$dir/small" ]
	verdict $? force_replaces_files_only
	refuses no_such_directory 1 "No such file" \
		nstkeyctl genbox "$dir/none/box"
	ln -s "$dir/elsewhere" "$dir/link"
	refuses link_is_there 1 "is there already" nstkeyctl genbox "$dir/link"
	does link_force nstkeyctl genbox --force "$dir/link"
	[ ! -e "$dir/elsewhere" ] && [ ! -L "$dir/link" ]
	verdict $? link_is_replaced_not_followed
}

rotation()
{
	nstkeyctl genbox --force "$dir/box"
	does load nstkeyctl load "$dir/box"
	is "$(state 1)" active load_state
	does add sh -c "nstkeyctl genkey 2 | nstkeyctl add -"
	is "$(state 2)" accept add_state
	does activate nstkeyctl activate 2
	is "$(state 1) $(state 2)" "accept active" activate_states
	does activate_again nstkeyctl activate 2
	does retire nstkeyctl retire 1
	is "$(state 1) $(state 2)" "retired active" retire_states
	does retire_again nstkeyctl retire 1
	refuses activate_retired 1 "The key is retired" nstkeyctl activate 1
	refuses retire_active 1 "activate another one first" \
		nstkeyctl retire 2
	refuses del_active 1 "activate another one first" nstkeyctl del 2
	for command in activate retire del show; do
		refuses "${command}_unknown" 1 "no key with this kid" \
			nstkeyctl $command 99
	done
	does del nstkeyctl del 1
	is "$(state 1)" "" del_state
	does add_active sh -c "nstkeyctl genkey 3 active | nstkeyctl add -"
	is "$(state 2) $(state 3)" "accept active" add_active_states
	refuses add_twice 1 "has a key with this kid" \
		sh -c "nstkeyctl genkey 3 | nstkeyctl add -"
	does del_accept nstkeyctl del 2
	does del_last nstkeyctl del 3
	does show_empty nstkeyctl show
	says show_empty_says "The box is empty"
	refuses add_first_accept 1 "first key of a box must be active" \
		sh -c "nstkeyctl genkey 3 | nstkeyctl add -"
	does add_first sh -c "nstkeyctl genkey 3 active | nstkeyctl add -"
	does flush nstkeyctl flush
	does flush_again nstkeyctl flush
	is "$(fingerprints)" "" flush_empties
}

files()
{
	local zeros=0000000000000000000000000000000000000000000000000000000000000000

	box_file "$dir/box" 2
	nstkeyctl load "$dir/box"
	fingerprints >"$dir/before"
	refuses load_missing 1 "No such file" nstkeyctl load "$dir/none"
	refuses load_directory 1 "is a directory" nstkeyctl load "$dir"
	: >"$dir/empty"
	refuses load_empty 1 "empty: no key in it" nstkeyctl load "$dir/empty"
	for mode in 640 604 620 602 610 601; do
		chmod $mode "$dir/box"
		refuses "load_mode_$mode" 1 "others have access" \
			nstkeyctl load "$dir/box"
		refuses "load_stdin_mode_$mode" 1 "others have access" \
			sh -c "nstkeyctl load - <$dir/box"
	done
	chmod 600 "$dir/box"
	chown nobody "$dir/box"
	refuses load_owner 1 "belongs to user 65534" nstkeyctl load "$dir/box"
	chown root "$dir/box"
	echo "5 active $zeros" >"$dir/bad"
	refuses load_zero_key 1 "bad:1: the key is all zeros" \
		nstkeyctl load "$dir/bad"
	(cat "$dir/box"; echo; sed 's/^1/3/' "$dir/box") >"$dir/bad"
	refuses load_two_active 1 "bad:4: active, as line 1 is" \
		nstkeyctl load "$dir/bad"
	(cat "$dir/box"; sed 's/active/accept/' "$dir/box") >"$dir/bad"
	refuses load_kid_twice 1 "bad:3: kid 1 is on line 1 already" \
		nstkeyctl load "$dir/bad"
	sed 's/active/accept/' "$dir/box" >"$dir/bad"
	refuses load_no_active 1 "no key is active" nstkeyctl load "$dir/bad"
	refuses add_box 1 "box:2: a second key" nstkeyctl add "$dir/box"
	is "$(fingerprints)" "$(cat "$dir/before")" refused_changes_nothing
	does load_stdin sh -c "nstkeyctl load - <$dir/box"
	does load_comments sh -c "(echo '# a box'; echo; sed 's/$/ # x/' $dir/box) |
		nstkeyctl load -"
	is "$(fingerprints)" "$(cat "$dir/before")" load_same_fingerprints
}

# The fingerprint as documented, computed by other means.
fingerprint()
{
	local key

	nstkeyctl genbox --force "$dir/box"
	nstkeyctl load "$dir/box"
	key=$(cut -d' ' -f3 "$dir/box" | sed 's/../\\x&/g')
	# shellcheck disable=SC2059 # the key is the format
	is "$(/bin/busybox printf "nst-fp$key" | sha256sum | cut -c1-16)" \
		"$(nstkeyctl show | awk '$1 == 1 { print $3 }')" \
		fingerprint_is_sha256
}

# No command prints a key that the kernel or a file holds.
secrecy()
{
	cut -d' ' -f3 "$dir/box" >"$dir/secret"
	(nstkeyctl show; nstkeyctl show --json; nstkeyctl stats
	 nstkeyctl doctor; nstkeyctl caps; nstkeyctl load "$dir/box" 2>&1
	 sed 's/ active / /' "$dir/box" | nstkeyctl load - 2>&1
	 sed 's/.$/x/' "$dir/box" | nstkeyctl load - 2>&1
	 sed 's/^1 active \(.*\)/\1 1 active/' "$dir/box" |
		nstkeyctl load - 2>&1
	 dmesg; cat /proc/net/nst_stat) >"$out"
	cut -c1-16 "$dir/secret" >"$dir/half"
	! grep -q -f "$dir/half" "$out"
	verdict $? keys_never_printed
}

big_box()
{
	box_file "$dir/big" 1024
	does big_load nstkeyctl load "$dir/big"
	is "$(fingerprints | wc -l)" 1024 big_show
	is "$(fingerprints | sort -u -k2 | wc -l)" 1024 big_fingerprints
	json big_json nstkeyctl show --json
	refuses big_add 1 "has room for 1024 keys" \
		sh -c "nstkeyctl genkey 2000 | nstkeyctl add -"
	(cat "$dir/big"; nstkeyctl genkey 2000) >"$dir/bad"
	refuses big_too_many 1 "bad:1025: too many keys" \
		nstkeyctl load "$dir/bad"
	does big_activate nstkeyctl activate 1024
	is "$(state 1) $(state 1024)" "accept active" big_activate_states
	does big_del nstkeyctl del 512
	is "$(fingerprints | wc -l)" 1023 big_del_count
	does big_add_again sh -c "nstkeyctl genkey 512 | nstkeyctl add -"
	is "$(fingerprints | sed -n 512p | cut -d' ' -f1)" 512 big_sorted
}

# A lister never sees a part of one box and a part of another.
atomic()
{
	box_file "$dir/a" 1024
	box_file "$dir/b" 1024
	nstkeyctl load "$dir/a"
	fingerprints >"$dir/list.a"
	nstkeyctl load "$dir/b"
	fingerprints >"$dir/list.b"
	one_or_other atomic_replace fingerprints nstkeyctl load
}

rights()
{
	nstkeyctl genbox --force "$dir/box"
	nstkeyctl load "$dir/box"
	fingerprints >"$dir/before"
	chmod 755 "$dir"
	cp "$dir/box" "$dir/nobodys"
	chown nobody "$dir/nobodys"
	for command in "load $dir/nobodys" "activate 1" "retire 1" "del 1" \
		flush; do
		refuses "nobody_${command%% *}" 1 "needs CAP_NET_ADMIN" \
			as_nobody "$tool $command"
	done
	refuses nobody_add 1 "needs CAP_NET_ADMIN" \
		as_nobody "$tool genkey 5 | $tool add -"
	refuses nobody_reads_no_box 1 "Permission denied" \
		as_nobody "$tool load $dir/box"
	is "$(fingerprints)" "$(cat "$dir/before")" nobody_changes_nothing
	for command in show "show --json" "show 1" stats caps \
		"stats --prometheus"; do
		does "nobody_$command" as_nobody "$tool $command"
	done
	# In a user namespace of one's own one may do all, to one's own box.
	does own_namespace as_nobody \
		"unshare -Urn sh -c '$tool load $dir/nobodys && $tool show'"
	says own_namespace_shows '^ +1 +active'
	refuses foreign_namespace 1 "needs CAP_NET_ADMIN" \
		as_nobody "unshare -Ur $tool flush"
	is "$(fingerprints)" "$(cat "$dir/before")" own_namespace_is_apart
}

namespaces()
{
	nstkeyctl genbox --force "$dir/box"
	nstkeyctl load "$dir/box"
	fingerprints >"$dir/before"
	ip netns add other
	is "$(ip netns exec other nstkeyctl show)" \
		"$(ip netns add o2; ip netns exec o2 nstkeyctl show)" \
		namespaces_begin_empty
	box_file "$dir/box2" 4
	does namespace_load ip netns exec other nstkeyctl load "$dir/box2"
	is "$(fingerprints)" "$(cat "$dir/before")" namespace_box_is_apart
	does namespace_flush nstkeyctl flush
	is "$(ip netns exec other nstkeyctl show | wc -l)" 5 \
		namespace_flush_is_apart
	is "$(ip netns exec other wc -l </proc/net/nst_stat)" \
		"$(wc -l </proc/net/nst_stat)" namespace_stat
	sysctl -q -w net.nst.timestamp_window=7
	is "$(ip netns exec other sysctl -n net.nst.timestamp_window)" 30 \
		namespace_sysctl_is_apart
	sysctl -q -w net.nst.timestamp_window=30
	does namespace_del ip netns del other
	ip netns del o2
}

# bounds NAME MIN MAX: refused outside, taken at the ends
bounds()
{
	local name=$1 f=/proc/sys/net/nst/$1 old

	old=$(cat "$f")
	for value in $(($2 - 1)) $(($3 + 1)) x; do
		refuses "sysctl_${name}_$value" 1 "Invalid argument" \
			/bin/busybox sh -c "echo $value >$f"
	done
	is "$(cat "$f")" "$old" "sysctl_${name}_unchanged"
	for value in "$2" "$3"; do
		/bin/busybox sh -c "echo $value >$f"
		is "$(cat "$f")" "$value" "sysctl_${name}_$value"
	done
	echo "$old" >"$f"
}

sysctls()
{
	is "$(cd /proc/sys/net/nst && cat enabled strict timestamp_window \
		start_cache_max rekey_records rekey_bytes | tr '\n' ' ')" \
		"1 0 30 65536 1048576 17179869184 " sysctl_defaults
	bounds enabled 0 1
	bounds strict 0 1
	bounds timestamp_window 1 3600
	bounds start_cache_max 16 4194304
	bounds rekey_records 1 1048576
	bounds rekey_bytes 1 17179869184
	is "$(as_nobody "unshare -Urn sh -c \
		'echo 65537 >/proc/sys/net/nst/start_cache_max'" 2>&1 |
		grep -c .)" 1 sysctl_cache_bounded_for_users
	refuses sysctl_nobody 2 "Permission denied" as_nobody \
		"echo 5 >/proc/sys/net/nst/timestamp_window"
}

views()
{
	nstkeyctl genbox --force "$dir/box"
	nstkeyctl load "$dir/box"
	does show nstkeyctl show
	says show_columns '^ +1  active   [0-9a-f]{16} +0 +0 +0$'
	does show_one nstkeyctl show 1
	says show_one_columns '^ +1  active '
	does stats nstkeyctl stats
	sed 's/  */ /' "$out" >"$dir/stats"
	sed 's/  */ /' /proc/net/nst_stat >"$dir/stat"
	cmp "$dir/stats" "$dir/stat" >>"$err"
	verdict $? stats_as_in_proc
	is "$(grep -cE '^Nst[A-Za-z]+ [0-9]+$' "$dir/stat")" \
		"$(wc -l <"$dir/stat")" stat_lines
	for command in show "show 1" caps stats doctor sockets owners; do
		# shellcheck disable=SC2086 # words
		json "json_$command" nstkeyctl $command --json
	done
	nstkeyctl show --json >"$out"
	says json_show_content \
		'"kid":1,"state":"active","fingerprint":"[0-9a-f]{16}","tx_streams":0,"rx_streams":0,"sessions":0'
	does caps nstkeyctl caps
	is "$(wc -l <"$out")" 7 caps_lines
	says caps_aes_gcm '^ 1  aes-gcm .*gcm.*, .*hmac.*sha256'
	is "$(grep -c 'not in this kernel' "$out")" 0 caps_all_usable
	does prometheus nstkeyctl stats --prometheus
	says prometheus_counter '^nst_rx_auth_total [0-9]+$'
	says prometheus_gauge '^nst_sockets [0-9]+$'
	for gauge in nst_sockets nst_udp_sessions; do
		nstkeyctl stats --prometheus >"$out"
		says "prometheus_type_$gauge" "^# TYPE $gauge gauge\$"
	done
	is "$(grep -c '^# TYPE .*[^l] counter$' "$out")" 0 \
		prometheus_counters_are_totals
	says prometheus_key '^nst_key_streams\{kid="1",state="active",direction="tx"\} 0$'
	is "$(grep -vcE '^(# (HELP|TYPE) [a-z_]+ .*|[a-z_]+(\{[^}]*\})? [0-9]+)$' \
		"$out")" 0 prometheus_format
	refuses full_disk 1 "No space left" sh -c "nstkeyctl stats >/dev/full"
}

doctor()
{
	nstkeyctl doctor >"$out" 2>"$err"
	verdict $? doctor
	for check in kernel module ulp udp suites box refused peers rights; do
		says "doctor_$check" "^ok    $check"
	done
	says doctor_clock '^(ok|warn)  +clock'
	nstkeyctl flush
	nstkeyctl doctor >"$out" 2>"$err"
	says doctor_empty_box '^warn  box .*nstkeyctl genbox'
	sysctl -q -w net.nst.enabled=0
	nstkeyctl doctor >"$out" 2>"$err"
	is $? 1 doctor_switched_off_status
	says doctor_switched_off '^fail  ulp .*sysctl net.nst.enabled=1'
	says doctor_switched_off_udp '^fail  udp .*sysctl net.nst.enabled=1'
	sysctl -q -w net.nst.enabled=1
	as_nobody "$tool doctor" >"$out" 2>"$err"
	says doctor_no_rights '^warn  rights'
	now=$(date +%s)
	date -s @1500000000 >/dev/null
	nstkeyctl doctor >"$out" 2>"$err"
	is $? 1 doctor_clock_wrong_status
	date -s "@$now" >/dev/null
	says doctor_clock_wrong '^fail  clock .*a time long past'
}

# A clock that was set back: what holds, until when, and the way out.
set_back()
{
	local i floor now

	nstkeyctl genbox --force "$dir/box"
	nstkeyctl load "$dir/box"
	sysctl -q -w net.nst.start_cache_max=16
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do
		nstpoke pair tcp 1 >/dev/null
	done
	nstkeyctl doctor >"$out" 2>"$err"
	is "$(grep -c 'clock.*until it shows' "$out")" 0 set_back_not_yet
	now=$(date +%s)
	date -s "@$((now - 3600))" >/dev/null
	nstkeyctl doctor >"$out" 2>"$err"
	is "$(nstpoke pair tcp 1)" ESTALE set_back_refuses
	date -s "@$((now + 2))" >/dev/null
	floor=$(sed -n 's/^warn *clock .*kid 1 .* until it shows \(.*\) UTC.*/\1/p' \
		"$out")
	floor=$(date -u -d "$floor" +%s)
	is "$((floor > now - 600 && floor <= now + 1))" 1 set_back_until
	says set_back_way_out "^warn *clock .*nstkeyctl genkey.*strict mode"
	nstkeyctl doctor >"$out" 2>"$err"
	is "$(grep -c 'clock.*until it shows' "$out")" 0 set_back_over
	sysctl -q -w net.nst.start_cache_max=65536
}

# Who has NST on UDP, and what each has refused.
sockets()
{
	nstkeyctl genbox --force "$dir/box"
	nstkeyctl load "$dir/box"
	does sockets_none nstkeyctl sockets
	says sockets_none_says '^No UDP socket has NST here'
	nstpoke hold udp 7100 1 >"$dir/held" &
	children="$children $!"
	su -s /bin/sh nobody -c "exec $(command -v nstpoke) hold udp 7101 7" \
		>>"$dir/held" &
	children="$children $!"
	nstpoke hold tcp 7102 1 >>"$dir/held" &
	children="$children $!"
	wait_for has_lines "$dir/held" 3
	does sockets nstkeyctl sockets
	says sockets_address '^udp  127.0.0.1:7100  \*  uid 0  cookie [0-9a-f]+$'
	says sockets_owner '^udp  127.0.0.1:7101  \*  uid 65534 '
	is "$(grep -c '^udp' "$out")" 2 sockets_of_udp_only
	is "$(sed -n '/:7101/,/^udp/s/.*tx: \(suite [0-9]*\),.*/\1/p' "$out")" \
		"suite 7" sockets_suite
	is "$(grep -c refused "$out")" 0 sockets_nothing_refused
	guardpoke 7100
	guardpoke 7100
	does sockets_refuse nstkeyctl sockets
	says sockets_cause '^ +refused: 2 x NstRx(HdrMagic|DgramLength)$'
	is "$(grep -c refused "$out")" 1 sockets_cause_of_one_socket
	json sockets_json nstkeyctl sockets --json
	says sockets_json_content \
		'"local":"127.0.0.1","local_port":7100,"uid":0,"cookie":[0-9]+,"broken":false,"tx":\{"suite":1,"kid":0,"records":0,"bytes":0\},"rx":\{"suite":1,"kid":0,.*"drops":\{"NstRx[A-Za-z]+":2\}'
	does sockets_nobody as_nobody "$tool sockets"
	says sockets_nobody_sees '127.0.0.1:7100 '
	is "$(sed -n '/:7100/,/^udp/p' "$out" | grep -c 'suite\|refused')" 0 \
		sockets_nobody_sees_no_more
	is "$(sed -n '/:7101/,/^udp/p' "$out" | grep -c '[tr]x: suite 7')" 2 \
		sockets_owner_sees_his
	ss -Huane | grep ':7100 ' >"$dir/ss"
	is "$(sed -n 's/.*:7100 .*cookie \([0-9a-f]*\).*/\1/p' "$out")" \
		"$(sed -n 's/.* sk:\([0-9a-f]*\).*/\1/p' "$dir/ss")" \
		sockets_cookie_of_ss
	ip netns add other
	is "$(ip netns exec other nstkeyctl sockets | grep -c '^udp')" 0 \
		sockets_of_one_namespace
	ip netns del other
	end_children
}

# Who holds what is remembered, and who may know.
owners()
{
	does owners nstkeyctl owners
	says owners_namespace '^namespace  [0-9]+ of [0-9]+ bytes, [0-9]+ sessions, [0-9]+ starts, [0-9]+ floors$'
	nstpoke serve 7103 >"$dir/served" &
	children="$children $!"
	wait_for has_lines "$dir/served" 1
	nstpoke call 127.0.0.1 7103 >/dev/null
	does owners_starts nstkeyctl owners
	says owners_a_start '^namespace  [1-9][0-9]* of .* [1-9][0-9]* starts, '
	nstkeyctl owners --json >"$out"
	says owners_json_content \
		'"owner":"namespace","bytes":[0-9]+,"bytes_max":[0-9]+,"sessions":[0-9]+,"starts":[0-9]+,"floors":[0-9]+'
	does owners_nobody as_nobody "$tool owners"
	says owners_nobody_sees_none '^Nothing is remembered on your account'
	end_children
}

# A client learns nothing but a reset from a peer that has another box.
other_box()
{
	nstkeyctl genbox --force "$dir/box"
	ip netns add peer
	ip link add here type veth peer name there netns peer
	ip addr add 10.9.0.1/24 dev here
	ip link set here up
	ip -n peer addr add 10.9.0.2/24 dev there
	ip -n peer link set there up
	ip -n peer link set lo up
	nstkeyctl load "$dir/box"
	nstkeyctl genbox --force "$dir/box"
	ip netns exec peer nstkeyctl load "$dir/box"
	ip netns exec peer nstpoke serve 7007 >"$dir/served" &
	children="$children $!"
	wait_for has_lines "$dir/served" 1
	is "$(nstpoke call 10.9.0.2 7007)" ECONNRESET other_box_is_refused
	nstkeyctl doctor >"$out" 2>"$err"
	says doctor_other_box '^warn  peers .*NstTxStreams.*nstkeyctl show'
	ip netns exec peer nstkeyctl doctor >"$out" 2>"$err"
	says doctor_other_box_there '^warn  refused .*NstRxAuth'
	end_children
	ip netns del peer
}

monitor()
{
	local i=0

	nstkeyctl genbox --force "$dir/box"
	nstkeyctl monitor >"$dir/text" 2>&1 &
	children="$children $!"
	nstkeyctl monitor --json >"$dir/json" 2>&1 &
	children="$children $!"
	ip netns add other
	ip netns exec other nstkeyctl monitor >"$dir/foreign" 2>&1 &
	children="$children $!"
	# Until both are subscribed their first event does not come.
	while [ ! -s "$dir/text" ] || [ ! -s "$dir/json" ]; do
		nstkeyctl load "$dir/box"
		sleep 0.2
		i=$((i + 1))
		[ $i -lt 50 ] || break
	done
	: >"$dir/text"
	: >"$dir/json"
	nstkeyctl genkey 2 | nstkeyctl add -
	nstkeyctl activate 2
	nstkeyctl retire 1
	nstkeyctl del 1
	nstkeyctl load "$dir/box"
	nstkeyctl flush
	wait_for has_lines "$dir/text" 6
	wait_for has_lines "$dir/json" 6
	is "$(tr -d '\0' <"$dir/text" | cut -d' ' -f2- | tr '\n' ';')" \
		"key added, kid 2;key activated, kid 2;key retired, kid 1;key deleted, kid 1;a box was loaded;the box was emptied;" \
		monitor_text
	tr -d '\0' <"$dir/json" >"$out"
	jsoncheck -l <"$out" >>"$err"
	verdict $? monitor_json
	says monitor_json_content '"event":"key-activated","kid":2'
	is "$(cat "$dir/foreign")" "" monitor_is_of_one_namespace
	end_children
	ip netns del other
}

[ -n "$tool" ] || { echo "Bail out! no nstkeyctl"; exit 1; }
commands
generate
save
rotation
files
fingerprint
secrecy
big_box
atomic
rights
namespaces
sysctls
views
doctor
set_back
sockets
owners
other_box
monitor
finish
