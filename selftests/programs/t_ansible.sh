#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The Ansible role over a fleet: three hosts, each a network namespace with an sshd
# that sees an /etc of its own, and a controller in a fourth. TCP and UDP load runs
# between the hosts all the time, and every byte of it is looked at.
#   PAUSE   between two blocks, and two datagrams, of a host's load, s (0.02)
#   SCENES  which of them, in this order (all). Each takes over what the one before
#           has left, or at_2 has before rolls_back, at_4 before two_at_once, and
#           at_5 before full_disk or uses; load_on comes behind these. Parts:
#             first_use installs load_on checks host_away
#             at_2 load_on rolls_back two_at_once
#             at_5 load_on full_disk uses refusals

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${PAUSE:=0.02}"
: "${SCENES:=first_use installs load_on checks host_away rolls_back two_at_once full_disk uses refusals}"
MODE=nst
PORTS=(--tcp 7000 --udp 7000)
BOOKS=/usr/share/nst/ansible
number_of_run=0

# --- hosts ------------------------------------------------------------------------

host_up()
{
	local n=$1 h=h$1

	ip netns add "$h"
	ip -n "$h" link set lo up
	ip link add "v$n" type veth peer name eth0 netns "$h"
	ip link set "v$n" master fleet up
	ip -n "$h" addr add "10.9.0.$n/24" dev eth0
	ip -n "$h" link set eth0 up
	HOSTS="$HOSTS $h"
}

# Its own /etc is small, so that it can be full; /var/lib/nst is its own, too.
host_files()
{
	local at=$WORK/$1

	mkdir -p "$at/etc" "$at/lib" /var/lib/nst
	mount -t tmpfs -o size=16m,mode=755 tmp "$at/etc"
	cp -a /etc/. "$at/etc/"
	rm -f "$at"/etc/nst.*
	ip netns exec "$1" sysctl -qw net.nst.timestamp_window=10
}

sshd_up()
{
	ip netns exec "$1" unshare -m /bin/sh -c "
		mount --make-rprivate / && mount --bind $WORK/$1/etc /etc &&
		mount --bind $WORK/$1/lib /var/lib/nst &&
		exec /usr/sbin/sshd -D -e -f $WORK/sshd_config" \
		>>"$WORK/sshd.$1" 2>&1 &
	listening "$1" tcp 22 "$WORK/sshd.$1"
}

sshd_down()
{
	pids_of "$1" sshd | xargs -r kill -9
	until_true 60 none_of "$1" sshd
}

# What runs modules on the hosts. If the file "away" of the host says "before STEP"
# or "after STEP", its sshd dies then; if "hold STEP", the step waits. (The step
# stands in what Ansible sends.)
make_gate()
{
	cat >gate <<-'END'
		#!/bin/sh
		dir=$(dirname "$0")
		h=$(ip netns identify $$)
		module=$(mktemp "$dir/$h/module.XXXXXX")
		cat >"$module"
		read -r when step 2>/dev/null <"$dir/$h/away"
		there() { [ -n "$step" ] && grep -q "\"step\": \"$step\"" "$module"; }
		die() { ip netns pids "$h" | while read -r p; do
			[ "$(cat "/proc/$p/comm")" != sshd ] || kill -9 "$p"; done; }
		if there; then
			: >"$dir/$h/came"
			case $when in
			before) rm "$module"; die; exit 1 ;;
			hold) while [ -e "$dir/$h/away" ]; do sleep 0.1; done ;;
			esac
		fi
		/usr/bin/python3 "$@" <"$module"
		rc=$?
		if there && [ "$when" = after ]; then
			rm "$module"
			die
		fi
		rm -f "$module"
		exit $rc
	END
	chmod 755 gate
}

# away HOST WHEN STEP, back HOST
away() { rm -f "$1/came"; echo "$2 $3" >"$1/away"; }
back() { rm -f "$1/away" "$1/came"; }
came() { [ -e "$1/came" ]; }

# --- the controller ---------------------------------------------------------------

controller()
{
	mkdir -p ctl/group_vars/nst
	cat >ctl/hosts <<-END
		[nst]
		h1 ansible_host=10.9.0.1
		h2 ansible_host=10.9.0.2
		h3 ansible_host=10.9.0.3
		[nst:vars]
		ansible_user=root
		ansible_python_interpreter=$WORK/gate
	END
	cat >ctl/ansible.cfg <<-END
		[defaults]
		inventory = hosts
		host_key_checking = False
		private_key_file = $WORK/userkey
		vault_password_file = $WORK/vault.pass
		log_path = $WORK/ansible.log
		timeout = 60
		forks = 3
		[ssh_connection]
		ssh_args = -F none -o ControlMaster=auto -o ControlPersist=60 -o UserKnownHostsFile=/dev/null
	END
	(umask 77 && echo "a word for the vault" >vault.pass)
}

# vault BOX KEY: files of keys, which stand in the vault and in no other place
vault()
{
	{
		echo "nst_box: |"
		sed 's/^/  /' "$1"
		echo "nst_rotate_key: $(cat "$2")"
	} | (cd ctl && LC_ALL=C.UTF-8 ansible-vault encrypt --output group_vars/nst/vault.yml) \
		>said 2>&1
}

# play BOOK [ARGUMENT...]: as loud as it gets, into a file of its own; in "log"
play()
{
	local book=$1

	shift
	number_of_run=$((number_of_run + 1))
	log=$WORK/run.$number_of_run
	echo "# $(date +%T) run $number_of_run: $book"
	(cd ctl && ip netns exec h4 env LC_ALL=C.UTF-8 \
		ansible-playbook -vvv --diff \
		"$BOOKS/$book.yml" "$@" </dev/null) >"$log" 2>&1
}

# changed N: the last run changed something on this many hosts
changed()
{
	[ "$(sed -n '/^PLAY RECAP/,$p' "$log" | grep -c 'changed=[1-9]')" = "$1" ]
}

# says TEXT: the last run did
says() { grep -qF -- "$1" "$log"; }

# works NAME COMMAND...: the last run ended well, and so does the command
works()
{
	local rc=$1 name=$2

	shift 2
	[ "$rc" = 0 ] && "$@"
	say $? "$name" "$log"
}

# stops NAME TEXT: the last run failed and said why
stops()
{
	[ "$1" != 0 ] && says "$3"
	say $? "$2: $3" "$log"
}

# --- what there is ----------------------------------------------------------------

# box HOST: "1:active 2:accept"
box()
{
	ip netns exec "$1" nstkeyctl show --json | python3 -c '
import json, sys
print(*("%d:%s" % (k["kid"], k["state"]) for k in json.load(sys.stdin)["keys"]))'
}

# keys_are NAME H1 H2 H3: kernel, and file, of each
keys_are()
{
	local name=$1 h got all=""

	shift
	for h in h1 h2 h3; do
		got=$(box "$h")
		[ "$got" = "$1" ] && [ "$(filed "$h")" = "$1" ] ||
			all="$all $h: $got, file $(filed "$h"), not $1;"
		shift
	done
	echo "$all" >said
	[ -z "$all" ]
	say $? "$name" said
}

filed()
{
	sed 's/#.*//' "$1/etc/nst.box" 2>/dev/null | awk 'NF { print $1 ":" $2 }' |
		paste -sd ' '
}

# All that a run could change, for comparison.
all_states()
{
	local h

	for h in h1 h2 h3; do
		box "$h"
		cat "$h/etc/nst.box" 2>/dev/null
		stat -c '%n %a %u %Y' "$h/etc/nst.box" "$h/lib/rotation" 2>/dev/null
		find "$h/lib" "$h/etc" -name '*nst.*' -o -name 'rotation*'
	done
	systemctl is-enabled nst-box.service
}

# What a boot would load, in a namespace of its own.
boots_alike()
{
	local h

	ip netns add boot
	for h in h1 h2 h3; do
		nstkeyctl --netns boot load "$h/etc/nst.box"
		nstkeyctl --netns boot show --json | fingers >booted
		nstkeyctl --netns "$h" show --json | fingers | diff booted -
	done >said 2>&1
	[ ! -s said ]
	say $? "a boot would load what the kernel has" said
	ip netns del boot
}

fingers()
{
	grep -oE '"(kid|state|fingerprint)":[^,}]*'
}

load_on()
{
	local n

	for n in 1 2 3; do
		run "h$n" python3 /t/load.py serve 7000 >"serve.$n" 2>&1 &
	done
	for n in 1 2 3; do
		listening "h$n" tcp 7000 "serve.$n"
		listening "h$n" udp 7000 "serve.$n"
	done
	for n in 1 2 3; do
		run "h$n" python3 /t/load.py ask 10.9.0.$((n % 3 + 1)) 7000 \
			"$WORK/stop" "$WORK/load.$n" "$PAUSE" >"ask.$n" 2>&1 &
	done
}

load_fine() { ! compgen -G "load.?" >said; }

load_off()
{
	local n

	[ -e ask.1 ] || return 0
	: >stop
	for n in 1 2 3; do
		until_true 300 test -e load.$n
		grep -qE '^ok [0-9]+ bytes .*; ok [0-9]+ datagrams$' load.$n
		say $? "load of h$n: $(cat load.$n)" ask.$n
	done
}

# --- scenes -----------------------------------------------------------------------

# as_if STATES: all hosts have this box, as scenes that are left out would leave it
as_if()
{
	local h key

	for key in $1; do
		cat box key? | awk -v k="${key%:*}" -v s="${key#*:}" \
			'$1 == k { print k, s, $3 }'
	done >as_if.box
	[ "$(wc -w <as_if.box)" = $((3 * $(wc -w <<<"$1"))) ]
	say $? "a box of $1" as_if.box
	for h in h1 h2 h3; do
		install -m 600 as_if.box "$h/etc/nst.box"
		nstkeyctl --netns "$h" load "$h/etc/nst.box" || say 1 "$h has it"
	done
	systemctl -q enable nst-box.service
	sed 's/accept/active/' key2 >box2
	sed 's/accept/active/' key5 >box5
}

at_2() { as_if "1:retired 2:active" && vault box2 key3; }
at_4() { as_if "1:retired 2:active 3:retired 4:retired"; }
at_5() { as_if "1:retired 2:retired 3:retired 4:retired 5:active" && vault box5 key6; }

# The lines of packaging/ansible/README.md as they stand there.
first_use()
{
	log=$WORK/run.first
	mkdir -p home
	cp vault.pass home/.vault-word
	for n in 1 2 3; do echo "10.9.0.$n h$n"; done >>/etc/hosts
	sed -n '/^## First use/,/^Then/s/^    //p' /t/ansible.md >first
	[ "$(wc -l <first)" -ge 10 ]
	say $? "the README has a first use of $(wc -l <first) lines" first
	(cd home && HOME=$WORK/home ANSIBLE_CONFIG=$WORK/ctl/ansible.cfg \
		LC_ALL=C.UTF-8 ip netns exec h4 bash -e "$WORK/first") >"$log" 2>&1
	works $? "it works as it is written" says "key 2 active"
	keys_are "and ends with another key" "1:retired 2:active" \
		"1:retired 2:active" "1:retired 2:active"
	for n in 1 2 3; do
		ip netns exec "h$n" nstkeyctl flush
		rm -f "h$n/etc/nst.box" "h$n/lib/rotation"
	done
	systemctl disable nst-box.service 2>/dev/null
}

installs()
{
	all_states >before
	play box --check
	works $? "box.yml --check would change all hosts" changed 3
	all_states | diff before - >said
	say $? "and changes nothing" said
	play box
	works $? "box.yml" changed 3
	keys_are "the box is there" 1:active 1:active 1:active
	[ "$(stat -c '%a %u' h?/etc/nst.box | sort -u)" = "600 0" ]
	say $? "readable by root alone"
	systemctl -q is-enabled nst-box.service
	say $? "nst-box.service loads it at a boot"
	all_states >before
	play box
	works $? "a second run changes nothing" changed 0
	all_states | diff before - >said
	say $? "not even a time" said
}

checks()
{
	all_states >before
	play rotate --check
	works $? "rotate.yml --check would change all hosts" changed 3
	says "accepts key 2" && says "sends under key 2" && says "refuses key 1"
	say $? "and says what" "$log"
	grep -qE 'waits for [1-9][0-9]* streams and [1-9][0-9]* UDP sessions that use key 1 now' "$log"
	say $? "and for whom it would wait" "$log"
	all_states | diff before - >said
	say $? "and changes nothing" said
}

# h3 is away in each of the steps, before and after it did it.
host_away()
{
	local old=1:active new="1:active 2:accept"

	sshd_down h3
	play rotate
	stops $? "h3 is away" "h3: cannot be reached"
	keys_are "nobody has done anything" "$old" "$old" "$old"
	sshd_up h3

	away h3 before accept
	play rotate
	stops $? "h3 goes before accept" "stopped at accept"
	keys_are "the others accept the key" "$new" "$new" "$old"
	back h3 && sshd_up h3

	away h3 after accept
	play rotate
	stops $? "h3 goes after accept" "stopped at accept"
	keys_are "nobody sends under it" "$new" "$new" "$new"
	back h3 && sshd_up h3

	away h3 before activate
	play rotate
	stops $? "h3 goes before activate" "stopped at activate"
	old=$new new="1:accept 2:active"
	keys_are "the others send under it" "$new" "$new" "$old"
	back h3 && sshd_up h3
	boots_alike

	away h3 before drain
	play rotate
	stops $? "h3 goes while it waits" "stopped at drain"
	keys_are "nobody refuses the old key" "$new" "$new" "$new"
	back h3 && sshd_up h3

	away h3 before retire
	play rotate
	stops $? "h3 goes before retire" "h3: cannot be reached"
	old=$new new="1:retired 2:active"
	keys_are "the others refuse the old key" "$new" "$new" "$old"
	back h3 && sshd_up h3

	play rotate
	works $? "with all of them it goes on from there" changed 1
	keys_are "and ends" "$new" "$new" "$new"
	all_states | grep -v /lib/ >before
	play rotate
	works $? "once more: nothing changes" changed 0
	all_states | grep -v /lib/ | diff before - >said
	say $? "really" said
	boots_alike
	load_fine
	say $? "the load runs" load.?
	play box
	stops $? "the vault's box is an old one now" "key 2 is active here and not in nst_box"
	sed 's/accept/active/' key2 >box2
	vault box2 key3
	play box
	works $? "with the new key in the vault there is nothing to do" changed 0
	play status
	works $? "status.yml" says "key 2 active"
	grep -qE 'key 2 active [0-9a-f]{16}: [1-9][0-9]* streams send, [1-9][0-9]* receive, [1-9][0-9]* UDP' "$log"
	say $? "and who uses it" "$log"
}

rolls_back()
{
	local is="1:retired 2:active 3:retired"

	play rotate -e nst_until=activate
	works $? "to key 3, as far as activate" changed 3
	all_states >before
	play rollback --check
	works $? "rollback.yml --check would change all hosts" changed 3
	all_states | diff before - >said
	say $? "and changes nothing" said
	play rollback
	works $? "rollback.yml" changed 3
	keys_are "the old key again" "$is" "$is" "$is"
	play rollback
	works $? "a second run changes nothing" changed 0
	boots_alike

	vault box2 key4
	away h3 before retire
	play rotate
	stops $? "to key 4, and h3 goes" "stopped at retire"
	is="$is 4:retired"
	keys_are "key 2 is refused by some" "${is//2:active 3:retired 4:retired/2:retired 3:retired 4:active}" \
		"${is//2:active 3:retired 4:retired/2:retired 3:retired 4:active}" \
		"${is//2:active 3:retired 4:retired/2:accept 3:retired 4:active}"
	back h3 && sshd_up h3
	play rollback
	works $? "back from there" changed 3
	keys_are "the old key everywhere" "$is" "$is" "$is"
	boots_alike
	play rotate
	stops $? "not to a key that was retired" "key 4 was retired: make another one"
}

has_key() { box "$1" | grep -q "$2:"; }

# leased HOST SECONDS: somebody was last heard of then
leased()
{
	sed -i -e 's/"run": null/"run": "1"/' -e 's/"by": "[^"]*"/"by": "nobody"/' \
		-e "s/\"at\": [0-9]*/\"at\": $(($(date +%s) - $2))/" "$1/lib/rotation"
}

two_at_once()
{
	local first base="1:retired 2:active 3:retired 4:retired"

	vault box2 key5
	away h2 hold accept
	play rotate &
	first=$!
	until_true 300 came h2
	say $? "one rotation is under way"
	until_true 120 has_key h1 5 && until_true 120 has_key h3 5
	all_states >before
	number_of_run=$((number_of_run + 1))
	play rotate -e "nst_rotate_key='$(cat key6)'"
	stops $? "another one is refused" "is under way, of"
	play rotate
	stops $? "and another run of the same" "let it end"
	play box
	stops $? "and box.yml" "a rotation to key 5 is under way"
	all_states | diff before - >said
	say $? "they change nothing" said
	# The controller dies; what it has sent to h2 comes to life late.
	ip netns pids h4 | xargs -r kill -9
	wait "$first"
	number_of_run=$((number_of_run + 10))
	play rotate -e nst_take_over=true -e nst_until=accept &
	first=$!
	sleep 1
	back h2
	wait "$first"
	number_of_run=$((number_of_run + 1))
	log=$WORK/run.$number_of_run
	works $? "with nst_take_over another one goes on" true
	keys_are "key 5 is accepted" "$base 5:accept" "$base 5:accept" "$base 5:accept"
	leased h1 0
	play rotate
	stops $? "a lease that runs" "is under way, of nobody"
	leased h1 901
	play rotate
	works $? "one that is over counts no more" changed 3
	base="1:retired 2:retired 3:retired 4:retired 5:active"
	keys_are "key 5 is used" "$base" "$base" "$base"
	sed 's/accept/active/' key5 >box5
}

full_disk()
{
	local base="1:retired 2:retired 3:retired 4:retired 5:active"

	vault box5 key6
	sha h2/etc/nst.box >sum
	dd if=/dev/zero of=h2/etc/fill bs=4k 2>/dev/null
	play rotate
	stops $? "a full disk" "/etc/nst.box: No space left on device; it is as it was"
	[ "$(sha h2/etc/nst.box)" = "$(cat sum)" ] &&
		[ "$(find h2/etc -name '*nst.box*' | wc -l)" = 1 ]
	say $? "the old file stays, and nothing beside it"
	keys_are "and the kernel's box" "$base 6:accept" "$base" "$base 6:accept"
	rm h2/etc/fill
	echo x >h2/etc/.nst.box.new-killed

	chown nobody h1/etc/nst.box
	play rotate
	stops $? "a file of another's" "/etc/nst.box belongs to user"
	keys_are "nobody goes on" "$base 6:accept" "$base" "$base 6:accept"
	chown root h1/etc/nst.box
	chmod 644 h1/etc/nst.box
	play rotate
	stops $? "a file that others can read" "others have access"
	chmod 600 h1/etc/nst.box
	mv h1/etc/nst.box h1/saved
	ln -s /nowhere h1/etc/nst.box
	play rotate
	stops $? "a symbolic link" "is no ordinary file"
	mv h1/saved h1/etc/nst.box
}

# A connection that is idle keeps its key, and retire must be told.
uses()
{
	local base="1:retired 2:retired 3:retired 4:retired"

	run h1 python3 /t/load.py idle 10.9.0.2 7000 "$WORK/speak" "$WORK/idle" \
		>idle.log 2>&1 &
	until_true 120 test -e idle
	play rotate -e nst_wait=3
	stops $? "a key in use is not retired" "use key 5 yet"
	[ ! -e h2/etc/.nst.box.new-killed ]
	say $? "what a step that was killed has left goes"
	grep -qE 'h1: [1-9][0-9]* streams and [0-9]+ UDP sessions use key 5 yet' "$log"
	say $? "by how many, on which host" "$log"
	keys_are "all send under the new one" "$base 5:accept 6:active" \
		"$base 5:accept 6:active" "$base 5:accept 6:active"
	play rotate -e nst_wait=3 -e nst_force=true
	works $? "with nst_force it is" changed 3
	base="$base 5:retired 6:active"
	keys_are "key 5 is refused" "$base" "$base" "$base"
	: >speak
	until_true 120 grep -q . idle && until_true 120 grep -qv idle idle
	[ "$(cat idle)" = ok ]
	say $? "the idle connection goes on under key 6" idle idle.log
	away h3 before forget
	play rotate -e nst_until=forget -e nst_rotate_from=5
	stops $? "h3 goes before forget" "stopped at forget"
	back h3 && sshd_up h3
	play rotate -e nst_until=forget -e nst_rotate_from=5
	works $? "nst_until=forget, of one of them yet" changed 1
	base="1:retired 2:retired 3:retired 4:retired 6:active"
	keys_are "key 5 is gone" "$base" "$base" "$base"
}

refusals()
{
	all_states >before
	play rotate --limit h1,h2
	stops $? "a part of the group" "all hosts of the group"
	play rotate -e nst_rotate_key=rubbish
	stops $? "a key that is none" "is no 'KID STATE KEY'"
	play rotate -e "{\"nst_rotate_key\": {\"a\": \"$(cut -d ' ' -f 3 key7)\"}}"
	stops $? "a key that is no text" "one line of text"
	play rotate -e "nst_rotate_key='6 accept $(cut -d ' ' -f 3 key7)'"
	stops $? "another key of the same number" "key 6 is another one here"
	play rotate -e nst_until=tomorrow
	stops $? "a step that is none" "nst_until"
	play box -e "{\"nst_box\": [\"$(cut -d ' ' -f 3 key7)\"]}"
	stops $? "a box that is no text" "give the lines of a box file"
	play rotate -e "nst_rotate_key='7 accept $(cut -d ' ' -f 3 key7)'" \
		-e nst_state_dir=/proc/nowhere
	stops $? "no place for the lock" "/proc/nowhere"
	play box -e ansible_ssh_pipelining=false
	stops $? "files instead of a pipe" "written to the host's disk"
	ANSIBLE_KEEP_REMOTE_FILES=1 play rotate \
		-e "nst_rotate_key='7 accept $(cut -d ' ' -f 3 key7)'"
	stops $? "files that are kept" "written to the host's disk"
	all_states | grep -v /lib/ >after
	grep -v /lib/ before | diff - after >said
	say $? "none of that changes anything" said
}

# Keys in hexadecimal, as bytes and in base64, over all that was written by anybody.
no_key_in_logs()
{
	local hex found

	# The one playbook whose module Ansible itself tells the journal of: the
	# others have no_log.
	play status
	works $? "status.yml at the end" says " active"
	journalctl --no-pager -o verbose >journal.txt 2>&1
	dmesg >dmesg.txt
	cat key? box | awk '{ print $3 }' | while read -r hex; do
		echo "$hex"
		echo "$hex" | tr a-f A-F
		echo "$hex" | tr a-f A-F | basenc -d --base16 | base64 -w 0 | cut -c 1-40
		# in the middle of something, at each of three places
		for n in 0 1 2; do
			{ head -c $n /dev/zero; echo "$hex"; } | base64 -w 0 |
				cut -c 9-80
			echo
		done
	done | grep . | sort -u >patterns
	grep -qFf patterns h1/etc/nst.box
	say $? "the search finds keys where they are ($(wc -l <patterns) patterns)"
	found=$(grep -alFf patterns run.* ansible.log journal.txt dmesg.txt sshd.h? \
		said ctl/group_vars/nst/vault.yml; grep -ralFf patterns /var/log /run/log \
		/root/.ansible h1/lib h2/lib h3/lib 2>/dev/null)
	echo "$found" >said
	[ -z "$found" ]
	say $? "no key in $(cat run.* ansible.log journal.txt | wc -c) bytes of output and logs" said
	grep -q "ansible.*nst_box\|nst_box.*Invoked" journal.txt
	say $? "where the module is named"
	find /root/.ansible/tmp h?/module.* -type f 2>/dev/null | grep -e '\.py$' \
		-e /module >said
	[ ! -s said ]
	say $? "nothing of what was sent is left on a host" said
}

# --- all --------------------------------------------------------------------------

ip link add fleet type bridge
ip link set fleet up
for n in 1 2 3 4; do host_up $n; done
for n in 1 2 3; do host_files h$n; done
sshd_files
make_gate
controller
nstkeyctl genbox box
for n in 2 3 4 5 6 7; do nstkeyctl genkey $n accept key$n; done
vault box key2
for n in 1 2 3; do sshd_up h$n; done
for scene in $SCENES; do $scene; done
load_off
no_key_in_logs
systemctl disable nst-box.service 2>/dev/null
for n in 1 2 3; do umount -l "h$n/etc" 2>/dev/null; done
hosts_down
ip link del fleet
finish
