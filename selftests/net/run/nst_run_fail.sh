#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# nst-run where it cannot do what it should: nothing is started, or a call fails,
# with a line that says why; never plaintext. TAP.

# shellcheck source-path=SCRIPTDIR/../lib source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"

lib=/t/libnst-preload.so
enabled=/proc/sys/net/nst/enabled

run()
{
	nst-run --tcp 7101 --udp 7101 --engine preload "$@"
}

# fails_with WORDS COMMAND...: in these words, and nothing of it was sent
fails_with()
{
	local words=$1

	shift
	if "$@" >"$dir/said" 2>"$dir/why"; then
		return 1
	fi
	cat "$dir/why" >&2
	grep -qF -- "$words" "$dir/why" && ! grep -q plain "$dir/said"
}

# with_policy TEXT COMMAND...: preloaded by hand
with_policy()
{
	local text=$1

	shift
	env LD_PRELOAD="$lib" NST_RUN_POLICY="$text" "$@"
}

# keyless ENGINE: two sockets are attached without a key, and it is said once
keyless()
{
	nst-run --tcp 7101 --engine "$1" -- \
		sh -c "nstkeyctl flush; runpoke -q tcp4" >"$dir/said" 2>"$dir/why"
	nstkeyctl load "$dir/box"
	cat "$dir/why" >&2
	[ "$(grep -c 'port 7101 goes on without a key' "$dir/why")" = 1 ]
}

# outlives_runner: nst-run --explain is killed; its program goes on, with NST
outlives_runner()
{
	rm -f "$dir/alive"
	mkfifo "$dir/begin"
	nst-run --tcp 7101 --engine preload --explain -- sh -c \
		"read -r _ <$dir/begin; runpoke -q tcp4 && echo >$dir/alive" &
	runner=$!
	exec 7>"$dir/begin"
	kill -9 "$runner"
	wait "$runner"
	echo >&7
	exec 7>&-
	wait_for test -e "$dir/alive"
}

box_file "$dir/box" 1

# Arguments.
nstkeyctl load "$dir/box"
while IFS='|' read -r status words arguments; do
	# shellcheck disable=SC2086 # words
	refuses "nst-run $arguments" "$status" "$words" nst-run $arguments
done <<'END'
2|nothing to protect|
2|nst-run --help|-- true
2|no PROGRAM|--tcp 80
2|no PROGRAM|--tcp 80 --
2|--tcp needs a value|--tcp
2|--tcp 0: '0' is no port|--tcp 0 -- true
2|'65536' is no port|--tcp 65536 -- true
2|'99999999999999999999' is no port|--tcp 99999999999999999999 -- true
2|'-1' is no port|--tcp -1 -- true
2|'10-5' is no port|--tcp 10-5 -- true
2|'1-' is no port|--tcp 1- -- true
2|'80x' is no port|--tcp 80x -- true
2|'nosuch' is no port (1-65535), range or tcp service|--tcp nosuch -- true
2|--udp 53,nosuch: 'nosuch' is no port (1-65535), range or udp service|--udp 53,nosuch -- true
2|a word of it is empty|--tcp 80,,81 -- true
2|a word of it is empty|--tcp 80, -- true
2|a word of it is too long|--tcp aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa -- true
2|there is no such suite|--tcp 80 --cipher rot13 -- true
2|it has 1 to 32 bytes|--tcp 80 --context 123456789012345678901234567890123 -- true
2|there are preload and notify|--tcp 80 --engine magic -- true
2|--strict is for TCP|--udp 80 --strict -- true
2|--forward-secret is for TCP|--udp 80 --forward-secret -- true
2|--forward-secret is for TCP|--tcp 80 --udp 80 --forward-secret -- true
125|the preload engine cannot exchange keys|--tcp 80 --forward-secret --engine preload -- true
2|there are x25519 and x25519mlkem768|--tcp 80 --forward-secret=p256 -- true
2|there are x25519 and x25519mlkem768|--tcp 80 --forward-secret= -- true
2|there is no option '--nosuch'|--tcp 80 --nosuch -- true
127|not found in $PATH|--tcp 80 -- nosuchprogram
127|No such file|--tcp 80 -- /nosuch/program
126|Permission denied|--tcp 80 -- /etc/passwd
126|Permission denied|--tcp 80 -- /etc
END
refuses "an empty context" 2 "it has 1 to 32 bytes" \
	nst-run --tcp 80 --context "" -- true
refuses "a program without a name" 2 "an empty word" nst-run --tcp 80 -- ""
refuses "help to a full disk" 125 "stdout: No space left" \
	sh -c "nst-run --help >/dev/full"
refuses "a version to nowhere" 125 "stdout: Bad file descriptor" \
	sh -c "nst-run --version >&-"

# What the caller has closed is closed in the program, and in nobody's way.
# without CLOSED N...: as the shell closes them, and these are their numbers
without()
{
	local closed=$1 engine

	shift
	for engine in preload notify; do
		sh -c "nst-run --tcp 7101 --engine $engine -- \
			sh -c 'for n in $*; do
				[ ! -e /proc/self/fd/\$n ] || exit 3
			done; exit 7' $closed"
		[ $? = 7 ] || return 1
	done
}
check "no input" without "<&-" 0
check "no output" without ">&-" 1
check "no errors" without "2>&-" 2
check "none of the three" without "<&- >&- 2>&-" 0 1 2
cp /t/nst-run "$dir/nst-run"
refuses "--forward-secret without its library" 125 "libnst.so.0" \
	"$dir/nst-run" --tcp 80 --forward-secret -- true
many=1
i=3
while [ $i -lt 600 ]; do
	many=$many,$i
	i=$((i + 2))
done
refuses "too many ranges" 2 "more than 256 ranges" nst-run --tcp "$many" -- true
check "its own status is the program's" sh -c \
	'nst-run --tcp 80 -- sh -c "exit 7"; [ $? = 7 ]'
# shellcheck disable=SC2016 # expanded by the inner shell
check "what follows the program is the program's" \
	run -- sh -c '[ "$1" = --tcp ]' sh --tcp

# Programs out of reach.
static="is a static program"
refuses "a static program" 125 "$static" run -- /usr/bin/busybox true
refuses "a Go program" 125 "is a Go program" run -- rungo
cp /t/runpoke "$dir/foreign"
printf '\003\000' | dd of="$dir/foreign" bs=1 seek=18 conv=notrunc 2>/dev/null
refuses "a program for another machine" 125 "another machine" run -- "$dir/foreign"
check "a static child" fails_with "$static" \
	run -- runpoke -q exec /usr/bin/busybox true
check "a script's interpreter counts" fails_with "$static" run -- sh -c \
	"printf '#!/usr/bin/busybox sh\n' >$dir/s; chmod +x $dir/s; $dir/s"
check "a static child by posix_spawn()" fails_with "$static" \
	run -- runpoke -q spawn_of /usr/bin/busybox
check "a static child by pidfd_spawn()" fails_with "$static" \
	env LD_PRELOAD=$lib:/t/runwrap.so nst-run --tcp 7101 -- \
	runpoke -q pidfd_spawn_of /usr/bin/busybox
mkdir "$dir/here" "$dir/there" "$dir/there/program"
cp /t/rungoinfo "$dir/here/program"
cp /usr/bin/busybox "$dir/there/busybox"
cp /t/runpoke "$dir/here/busybox"
check "posix_spawn() in another directory, plain" sh -c \
	"cd $dir/here && runpoke -q moved $dir/there ./busybox"
check "posix_spawn() in another directory" fails_with "not known here" \
	run -- sh -c "cd $dir/here && runpoke -q moved $dir/there ./busybox"
check "and with an absolute path" \
	run -- sh -c "cd $dir/here && runpoke -q moved $dir/there /t/runpoke -q untouched"
check "a directory of the program's name in \$PATH" \
	fails_with "is a Go program" env PATH="$dir/there:$dir/here" \
	/t/nst-run --tcp 7101 --engine preload -- \
	/t/runpoke -q execvp_of program
refuses "a Go program without a note" 125 "is a Go program" run -- rungoinfo
cp /t/rungoinfo "$dir/go"
for at in 40 60; do
	dd if=/dev/zero of="$dir/go" bs=1 seek=$at count=2 conv=notrunc 2>/dev/null
done
refuses "also without sections" 125 "is a Go program" run -- "$dir/go"
check "it may be let go" run --let-go -- runpoke -q exec /usr/bin/busybox true
chmod 755 "$dir"
cp /t/runpoke "$dir/suid"
chmod 4755 "$dir/suid"
check "a set-uid child" fails_with "other rights" as_nobody \
	"/t/nst-run --tcp 7101 -- /t/runpoke -q exec $dir/suid -q connect"
cp /t/runpoke "$dir/hidden"
chmod 711 "$dir/hidden"
check "a child that may not be read" fails_with "may not be read" as_nobody \
	"/t/nst-run --tcp 7101 -- /t/runpoke -q exec $dir/hidden -q connect"

# A dynamic linker goes on without a library that it does not find.
libc=$(find /usr/lib/ -name libc.so.6)
mkdir -p "$dir/root/lib64" "$dir/root${libc%/*}"
cp /lib64/ld-linux* "$dir/root/lib64/"
cp "$libc" "$dir/root$libc"
ln -s usr/lib "$dir/root/lib"
cp /t/runpoke "$dir/root/"
check "a program in a chroot, plain" \
	runpoke -q chrooted "$dir/root" /runpoke -q untouched
check "a library that is not in a chroot" fails_with "cannot have the library" \
	run -- runpoke -q chrooted "$dir/root" /runpoke -q connect
check "the wait for EBUSY has an end" run -- runpoke -q corked
check "and that for another's keys" run -- runpoke -q unkeyed

# The policy is not there, or was tampered with.
missing="NST_RUN_POLICY is missing"
check "no policy, connect()" fails_with "$missing" env LD_PRELOAD=$lib runpoke connect
check "no policy, listen()" fails_with "$missing" env LD_PRELOAD=$lib runpoke listen
check "no policy, UDP" fails_with "$missing" env LD_PRELOAD=$lib runpoke udp4
check "no policy, a child" fails_with "$missing" \
	env LD_PRELOAD=$lib sh -c "runpoke -q connect"
check "no policy, no socket" env LD_PRELOAD=$lib sh -c "true"
check "the right one" with_policy "1 tcp=7101 cipher=1" runpoke -q tcp4
while IFS='|' read -r text; do
	check "policy '$text'" fails_with "$missing" with_policy "$text" runpoke connect
done <<'END'

1
1 cipher=1
2 tcp=7101 cipher=1
tcp=7101 cipher=1
1 tcp=7101
1 tcp=7101 cipher=0
1 tcp=7101 cipher=8
1 tcp=7101 cipher=11
1 tcp= cipher=1
1 tcp=0 cipher=1
1 tcp=65536 cipher=1
1 tcp=07101 cipher=1
1 tcp=7101,7101 cipher=1
1 tcp=7102,7101 cipher=1
1 tcp=7101,7102 cipher=1
1 tcp=7101- cipher=1
1 tcp=-7101 cipher=1
1 tcp=7101 tcp=7101 cipher=1
1 tcp=7101  cipher=1
1 tcp=7101 cipher=1 
1 cipher=1 tcp=7101
1 tcp=7101 cipher=1 strict strict
1 tcp=7101 cipher=1 let strict
1 tcp=7101 cipher=1 stricter
1 tcp=7101 cipher=1 context=
1 tcp=7101 cipher=1 context=6
1 tcp=7101 cipher=1 context=6G
1 tcp=7101 cipher=1 context=6A
1 tcp=7101 cipher=1 context=000000000000000000000000000000000000000000000000000000000000000000
END
check "a policy without end" fails_with "$missing" with_policy \
	"1 tcp=$(seq -s, 1 2 9999) cipher=1" runpoke connect

# NST cannot be had.
echo 0 >$enabled
refuses "net.nst.enabled=0" 125 "EPERM" run -- sh -c :
echo 1 >$enabled
check "disabled under way" fails_with "EPERM" \
	run -- sh -c "echo 0 >$enabled; runpoke connect"
check "also a listener" fails_with "EPERM" \
	run -- sh -c "echo 0 >$enabled; runpoke listen"
check "and UDP" fails_with "EPERM" \
	run -- sh -c "echo 0 >$enabled; runpoke udp4"
echo 0 >$enabled
check "what was passed then leads nowhere" runpoke -q pass \
	env LD_PRELOAD=$lib "NST_RUN_POLICY=1 tcp=7101 cipher=1" \
	runpoke -q taken_dead true
echo 1 >$enabled
nstkeyctl flush
refuses "no box" 125 "ENOKEY (no keys" run -- sh -c :
nstkeyctl load "$dir/box"
check "the box goes away under way" fails_with "Required key not available" \
	run -- sh -c "nstkeyctl flush; runpoke tcp4"
nstkeyctl load "$dir/box"
check "which is said, once" keyless preload
check "and comes again" run -- sh -c "nstkeyctl flush; nstkeyctl load $dir/box; runpoke -q tcp4"
if [ -e /proc/sys/kernel/modprobe ]; then
	modprobe=$(cat /proc/sys/kernel/modprobe)
	echo /nonexistent >/proc/sys/kernel/modprobe
	wait_for rmmod nst_ulp
	refuses "no module" 125 "nst_ulp is not loaded" run -- sh -c :
	refuses "no module for UDP" 125 "nst_ulp is not loaded" nst-run --udp 7101 -- sh -c :
	check "no module under way" fails_with "nst_ulp is not loaded" \
		with_policy "1 tcp=7101 cipher=1" runpoke connect
	echo "$modprobe" >/proc/sys/kernel/modprobe
	check "nst-run loads it" sh -c "nst-run --udp 7101 -- sh -c :; [ \$? = 125 ]"
	check "it is there" loaded
	nstkeyctl load "$dir/box"
fi

check "the runner is killed" outlives_runner

# The same with the other engine, where it works.
note()
{
	nst-run --tcp 7101 --engine notify "$@"
}
if note -- sh -c : 2>"$err"; then
	echo 0 >$enabled
	refuses "notify: net.nst.enabled=0" 125 "EPERM" note -- sh -c :
	echo 1 >$enabled
	check "notify: disabled under way" fails_with "EPERM" \
		note -- sh -c "echo 0 >$enabled; runpoke connect"
	check "notify: also a listener" fails_with "EPERM" \
		note -- sh -c "echo 0 >$enabled; runpoke listen"
	echo 1 >$enabled
	nstkeyctl flush
	refuses "notify: no box" 125 "ENOKEY (no keys" note -- sh -c :
	nstkeyctl load "$dir/box"
	check "notify: the box goes away under way" \
		fails_with "Required key not available" \
		note -- sh -c "nstkeyctl flush; runpoke tcp4"
	nstkeyctl load "$dir/box"
	check "notify: which is said, once" keyless notify
	# The program has the limit as it was given.
	few="n=\$(ulimit -n); [ \$n = 32 ] && runpoke -q tcp4"
	check "notify: 32 descriptors" sh -c "ulimit -n 32
		nst-run --tcp 7101 --engine notify -- sh -c '$few'"
	check "notify: 32, and more to be had" sh -c "ulimit -Sn 32
		nst-run --tcp 7101 --engine notify -- sh -c '$few'"
	check "notify: 32, some of them open" sh -c "ulimit -n 32
		exec 3</dev/null 4<&3 5<&3 6<&3 7<&3 8<&3 9<&3
		nst-run --tcp 7101 --engine notify -- sh -c '$few'"
	refuses "notify: too few descriptors" 125 \
		"needs room for 32 descriptors, and has it for 31 (ulimit -n)" \
		sh -c "ulimit -n 31; nst-run --tcp 7101 --engine notify -- sh -c :"
	refuses "notify: no program" 127 "not found" note -- nosuchprogram
	yama=/proc/sys/kernel/yama/ptrace_scope
	if [ -e $yama ]; then
		scope=$(cat $yama)
		echo 2 >$yama
		refuses "notify: nobody may look into processes" 125 \
			"kernel.yama.ptrace_scope" as_nobody \
			"/t/nst-run --tcp 7101 --engine notify -- /t/runpoke"
		echo "$scope" >$yama
	fi
else
	sed 's/^/# /' "$err"
fi

# Where the line goes.
echo 0 >$enabled
check "not into a file of the program's" sh -c "with() { env LD_PRELOAD=$lib \
	'NST_RUN_POLICY=1 tcp=7101 cipher=1' \"\$@\"; }; \
	with runpoke -q into $dir/file; [ ! -s $dir/file ]"
syslogd -n -O "$dir/journal" &
children="$children $!"
wait_for test -S /dev/log
check "with syslog, not to standard error" sh -c \
	"env LD_PRELOAD=$lib 'NST_RUN_POLICY=1 tcp=7101 cipher=1' \
	runpoke -q into $dir/file; [ ! -s $dir/file ]"
within "but to syslog" grep -qE "nst-run\[[0-9]+\]: .*connect\(\) to port 7101/tcp refused: EPERM" \
	"$dir/journal"
end_children
rm -f /dev/log
echo 1 >$enabled
finish
