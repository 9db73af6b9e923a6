# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # theirs is what it uses
#
# The loads that icount.sh and uml.sh are told, NAME[:SIZE[:COUNT]] each. To be
# sourced, by who has $modes, $udp_modes and count_of().

# modes_of NAME: which a load is for
modes_of()
{
	case $1 in
	dgram | gso | gro) echo "$udp_modes" ;;
	refuse) echo "plain nst" ;;
	*) echo "$modes" ;;
	esac
}

# list_loads LOAD...: a line of mode, name, size and count for each mode
list_loads()
{
	local spec name size count mode

	for spec; do
		IFS=: read -r name size count <<<"$spec"
		for mode in $(modes_of "$name"); do
			echo "$mode $name ${size:-0} ${count:-$(count_of "$name" "${size:-0}")}"
		done
	done
}
