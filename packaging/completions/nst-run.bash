# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion of nst-run(8) for bash.

_nst_run_ciphers()
{
	echo aes-gcm aes-cbc sm4-gcm sm4-cbc aes-256-gcm aes-256-cbc \
		chacha20-poly1305
}

_nst_run_options()
{
	echo --tcp --udp --strict --forward-secret --cipher --context \
		--engine --let-go --explain --help --version
}

_nst_run_units()
{
	systemctl list-unit-files --no-legend --type service,socket \
		2>/dev/null | awk '{ print $1 }'
}

# The program behind "--" completes as it does by itself.
_nst_run_program()
{
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		[ "${COMP_WORDS[i]}" = -- ] || continue
		if declare -F _command_offset >/dev/null; then
			_command_offset $((i + 1))
		else
			mapfile -t COMPREPLY < <(compgen -c -f -- "$1")
		fi
		return 0
	done
	return 1
}

_nst_run()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words=''

	COMPREPLY=()
	_nst_run_program "$cur" && return
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--engine) words="preload notify" ;;
	--cipher) words=$(_nst_run_ciphers) ;;
	--tcp | --udp) words=$(awk '/^[a-z]/ { print $1 }' /etc/services 2>/dev/null) ;;
	--context) return ;;
	enable | disable | status) words=$(_nst_run_units) ;;
	*)
		words=$(_nst_run_options)
		[ "$COMP_CWORD" != 1 ] || words="$words enable disable status"
		case ${COMP_WORDS[1]} in
		enable) ;;
		disable | status) words='' ;;
		*) words="$words --" ;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _nst_run nst-run
