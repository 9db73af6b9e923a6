# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion of nstkeyctl(8) for bash.

_nstkeyctl_kids()
{
	nstkeyctl show 2>/dev/null | awk '$1 + 0 { print $1 }'
}

_nstkeyctl_namespaces()
{
	ip -brief netns 2>/dev/null | cut -d ' ' -f 1
}

# _nstkeyctl_words COMMAND N: what may stand at its argument N
_nstkeyctl_words()
{
	case $1-$2 in
	activate-1 | retire-1 | del-1 | show-1) _nstkeyctl_kids ;;
	genkey-2) echo accept active retired ;;
	guard-1) echo add del load flush show ;;
	guard-2) echo tcp udp ;;
	guard-4) echo dry-run ;;
	help-1) _nstkeyctl_commands ;;
	esac
}

_nstkeyctl_commands()
{
	echo genkey genbox load add activate retire del flush show guard \
		sockets owners caps stats monitor doctor help
}

_nstkeyctl_options()
{
	case $1 in
	genkey) echo --force ;;
	genbox) echo --force --keys ;;
	retire) echo --force ;;
	show | sockets | owners | caps | doctor) echo --json ;;
	guard | stats) echo --json --prometheus ;;
	monitor) echo --json --journal ;;
	esac
	echo --netns --help
}

_nstkeyctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} command='' words n=0 i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--netns | --keys) ((i++)) ;;
		-*) ;;
		*)
			if [ -z "$command" ]; then
				command=${COMP_WORDS[i]}
			else
				((n++))
			fi
			;;
		esac
	done
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--netns) words=$(_nstkeyctl_namespaces) ;;
	--keys) return ;;
	*)
		case $cur in
		-*) words=$(_nstkeyctl_options "$command") ;;
		*)
			if [ -z "$command" ]; then
				words=$(_nstkeyctl_commands)
			else
				words=$(_nstkeyctl_words "$command" $((n + 1)))
			fi
			;;
		esac
		;;
	esac
	case $command-$((n + 1)) in
	load-1 | add-1 | genbox-1 | genkey-3 | guard-2)
		mapfile -t COMPREPLY < <(compgen -W "$words" -f -- "$cur") ;;
	*) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur") ;;
	esac
}

complete -F _nstkeyctl nstkeyctl
