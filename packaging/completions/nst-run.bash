# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion of nst-run(8) for bash. Names of units have backslashes in them, which
# "compgen -W" would take away.

# _nst_run_match CUR: offers those lines of standard input that begin so, quoted
_nst_run_match()
{
	local word quoted

	while IFS= read -r word; do
		[ -n "$word" ] || continue
		printf -v quoted %q "$word"
		if [[ $word = "$1"* || $quoted = "$1"* ]]; then
			COMPREPLY+=("$quoted")
		fi
	done
}

_nst_run_ciphers()
{
	printf '%s\n' aes-gcm aes-cbc sm4-gcm sm4-cbc aes-256-gcm aes-256-cbc \
		chacha20-poly1305
}

# _nst_run_options VERB
_nst_run_options()
{
	printf '%s\n' --tcp --udp --strict --forward-secret --cipher --context \
		--engine --let-go --explain --help --version
	[ "$1" = enable ] || echo --
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
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -c -f -- "$1")
		fi
		return 0
	done
	return 1
}

_nst_run()
{
	local cur=${COMP_WORDS[COMP_CWORD]}

	COMPREPLY=()
	_nst_run_program "$cur" && return
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	=) [ "${COMP_WORDS[COMP_CWORD - 2]}" != --forward-secret ] ||
		_nst_run_match "$cur" < <(printf '%s\n' x25519 x25519mlkem768) ;;
	--engine) _nst_run_match "$cur" < <(printf '%s\n' preload notify) ;;
	--cipher) _nst_run_match "$cur" < <(_nst_run_ciphers) ;;
	--tcp | --udp) _nst_run_match "$cur" < <(
		awk '/^[a-z]/ { print $1 }' /etc/services 2>/dev/null) ;;
	--context) ;;
	enable | disable | status) _nst_run_match "$cur" < <(_nst_run_units) ;;
	*)
		[ "$COMP_CWORD" != 1 ] ||
			_nst_run_match "$cur" < <(printf '%s\n' enable disable status)
		case ${COMP_WORDS[1]} in
		disable | status) ;;
		*) _nst_run_match "$cur" < <(_nst_run_options "${COMP_WORDS[1]}") ;;
		esac
		;;
	esac
}

complete -F _nst_run nst-run
