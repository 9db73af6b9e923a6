#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# modes.sh [MODE]: NST on a kernel that is hardened. The modes are boot
# parameters, so each is a run of its own, without the module loaded before:
#
#   run.sh -n -a fips=1 6.1 'modes.sh fips'
#   run.sh -n -a lockdown=integrity 6.1 'modes.sh lockdown'
#   run.sh -n -a module.sig_enforce=1 6.1 'modes.sh signed'
#   run.sh -n 6.1 'modes.sh nomodules'     (kernel.modules_disabled, until the end)
#
# Without one: no user namespaces, and a module that cannot be found. TAP.

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"
umask 077

load_box()
{
	nstkeyctl genbox --force "$dir/box" && nstkeyctl load "$dir/box"
}

# Each command says that there is no module, in words, and nothing else.
without_module()
{
	nstkeyctl genbox "$dir/box"
	for command in "load $dir/box" "add $dir/box" "activate 1" "retire 1" \
		"del 1" flush show "show 1" "show --json" \
		"guard add tcp 1" "guard del tcp 1" "guard flush" owners \
		"guard show" "guard show --json" sockets "owners --json" \
		"sockets --json" caps "caps --json" stats \
		"stats --json" "stats --prometheus" monitor; do
		# shellcheck disable=SC2086 # words
		nstkeyctl $command >"$out" 2>"$err"
		is "$? $(wc -c <"$out") $(grep -c 'kernel has no NST' "$err")" \
			"1 0 1" "no_module '$command'"
	done
	nstkeyctl doctor >"$out" 2>"$err"
	is $? 1 no_module_doctor_status
	says no_module_doctor '^fail  module +nst_ulp is not loaded'
	is "$(grep -c ' 0 s' "$out")" 0 no_module_window_is_not_0
	json no_module_doctor_json nstkeyctl doctor --json
	! loaded
	verdict $? no_module_is_still_not_there
}

# fips=1 on a kernel that is built without that mode.
without_fips()
{
	does nst_sm_loads modprobe nst_sm
	is "$(grep -c 'nst$' /proc/crypto)" 2 nst_sm_registers
	does nst_ulp_loads modprobe nst_ulp
	load_box
	for suite in 1 2 3 4 5 6 7; do
		is "$(nstpoke pair tcp $suite)" ok "tcp suite $suite"
	done
	nstkeyctl caps >"$out"
	fails grep FIPS "$out"
	verdict $? caps_forbids_none
	nstkeyctl doctor >"$out" 2>"$err"
	verdict $? doctor
	says doctor_kernel '^warn  kernel +started with fips=1, but .* without FIPS mode'
	says doctor_suites '^ok +suites +all 7 usable$'
}

# fips=1: the kernel panics when a module whose signature it does not know
# registers an algorithm.
fips()
{
	if [ ! -e /proc/sys/crypto/fips_enabled ]; then
		without_fips
		return
	fi
	is "$(cat /proc/sys/crypto/fips_enabled)" 1 fips_mode
	does nst_sm_loads modprobe nst_sm
	is "$(grep -c 'nst$' /proc/crypto)" 0 nst_sm_registers_nothing
	does nst_sm_goes rmmod nst_sm
	does nst_ulp_loads modprobe nst_ulp
	load_box
	for suite in 1 2 5 6; do
		is "$(nstpoke pair tcp $suite)" ok "tcp suite $suite"
		is "$(nstpoke pair udp $suite)" ok "udp suite $suite"
	done
	for suite in 3 4 7; do
		is "$(nstpoke pair tcp $suite)" ENOPKG "tcp suite $suite"
		is "$(nstpoke pair udp $suite)" ENOPKG "udp suite $suite"
	done
	does caps nstkeyctl caps
	is "$(awk '/not allowed in FIPS mode/ { print $1 }' "$out" |
		tr '\n' ' ')" "3 4 7 " caps_says_so
	nstkeyctl caps --json >"$out"
	says caps_json_says_so '"name":"sm4-gcm","available":false,"error":"not allowed in FIPS mode"'
	nstkeyctl doctor >"$out" 2>"$err"
	verdict $? doctor
	says doctor_kernel '^ok +kernel +FIPS mode'
	says doctor_suites '^ok +suites +4 usable, not allowed in FIPS mode: sm4-gcm sm4-cbc chacha20-poly1305$'
}

# Nothing that was built by hand can be loaded; that is for doctor to say.
unsigned()
{
	mount -t securityfs none /sys/kernel/security 2>"$err"
	! modprobe nst_ulp 2>"$err"
	verdict $? refused
	! nstpoke pair tcp 1 >"$out"
	verdict $? no_attach
	says no_attach_errno '^ENOENT$'
	without_module
	nstkeyctl doctor >"$out" 2>"$err"
	says doctor_module "^fail  module .*signed modules \\($1\\).*mokutil"
	says doctor_kernel "^ok +kernel +loads only signed modules: $1"
}

# What is loaded works, what is not stays away.
nomodules()
{
	modprobe nst_ulp
	load_box
	is "$(nstpoke pair tcp 1)" ok before
	is "$(nstpoke pair tcp 2)" ok before_cbc
	echo 1 >/proc/sys/kernel/modules_disabled
	is "$(nstpoke pair tcp 1)" ok tcp
	# Datagrams are opened in softirqs, which may take a driver of their own.
	is "$(nstpoke pair udp 1)" ok udp
	is "$(nstpoke pair tcp 7)" ENOPKG suite_not_loaded
	does caps nstkeyctl caps
	says caps_has_it '^ 1  aes-gcm .*gcm[^:]*$'
	# What it says of datagrams is so: those of a suite that TCP alone can do go
	# nowhere.
	if [ "$(nstpoke pair udp 2)" = ok ]; then
		says caps_datagrams '^ 2  aes-cbc [^:]*$'
	else
		says caps_datagrams '^ 2  aes-cbc .*TCP only'
	fi
	says caps_lacks_it '^ 7  chacha20-poly1305 +not in this kernel'
	nstkeyctl doctor >"$out" 2>"$err"
	verdict $? doctor
	says doctor_kernel '^ok +kernel +kernel.modules_disabled'
	says doctor_suites "^warn  suites .*chacha20.*have 'nstkeyctl caps' run before"
}

no_user_namespaces()
{
	local old

	old=$(cat /proc/sys/user/max_user_namespaces)
	echo 0 >/proc/sys/user/max_user_namespaces
	! unshare -U true 2>"$err"
	verdict $? userns_are_off
	load_box
	is "$(su -s /bin/sh nobody -c '/t/nstpoke pair tcp 1')" ok userns_tcp
	is "$(su -s /bin/sh nobody -c '/t/nstpoke pair udp 1')" ok userns_udp
	nstkeyctl doctor >"$out" 2>"$err"
	verdict $? userns_doctor
	echo "$old" >/proc/sys/user/max_user_namespaces
	nstkeyctl flush
}

# The module is not loaded, and then is not to be found either.
missing()
{
	local file

	rmmod nst_ulp
	nstkeyctl doctor >"$out" 2>"$err"
	is $? 1 not_loaded_status
	says not_loaded "^fail  module +nst_ulp is not loaded: 'modprobe nst_ulp'.*modules-load.d"
	! loaded
	verdict $? doctor_loads_nothing
	file=$(modinfo -n nst_ulp)
	mv "$file" "$file.away"
	without_module
	mv "$file.away" "$file"
	does there_again modprobe nst_ulp
}

case $1 in
fips) fips ;;
lockdown) unsigned lockdown ;;
signed) unsigned module.sig_enforce ;;
nomodules) nomodules ;;
*) no_user_namespaces; missing ;;
esac
finish
