#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# installed.sh: what a person should know who has just installed the modules.

sb=/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c

# Secure Boot locks a kernel down, a boot option does so too.
signed_only()
{
	[ "$(od -An -t u1 $sb 2>/dev/null | awk '{ print $NF }')" = 1 ] ||
		grep -qs '\[\(integrity\|confidentiality\)\]' \
			/sys/kernel/security/lockdown ||
		grep -qs Y /sys/module/module/parameters/sig_enforce
}

if signed_only; then
	echo "NOTE: this kernel loads signed modules only: see 'Secure Boot' in Documentation/nst.rst"
fi
if [ -d /sys/module/nst_ulp ]; then
	echo "NOTE: nst_ulp is loaded as it was; the new one comes with 'rmmod nst_ulp && modprobe nst_ulp', or at the next boot"
else
	echo "modprobe nst_ulp loads it now; from the next boot on it is there by itself (/etc/modules-load.d/nst.conf)"
fi
