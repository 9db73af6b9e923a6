#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# libnst_abi.sh: what programs rely on is what was promised: symbols, structures
# and numbers of libnst, libnst-exchange and libnst-tls are those of their abi/, in the header
# and in what was built; the header suits every C and C++; what "make install" puts somewhere is
# found by pkg-config, works, and can be taken away. On the host. TAP.
# With "update", write symbols and macros there anew: for who means it.
#
# shellcheck disable=SC2317 # functions are called by result()

set -u
cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR/../net/lib source=tap.sh
. selftests/net/lib/tap.sh

libs="libnst libnst-exchange libnst-tls"
cc=${CC:-gcc}
cxx=${CXX:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
usr=$root/usr/local
own=(-Iuserspace/libnst/include -Iuserspace/libnst-exchange/include
	-Iuserspace/libnst-tls/include -isystem include/uapi)

# Which library a function here is about, and the header of it.
use()
{
	lib=$1
	abi=userspace/$lib/abi
	case $lib in
	libnst) include=nst/nst.h ;;
	*) include=nst/${lib#libnst-}.h ;;
	esac
}

install_all()
{
	local l

	for l in $libs; do
		make -s -C "userspace/$l" O="$work/o" DESTDIR="$root" \
			PREFIX=/usr/local WERROR=-Werror install || return
	done
}

# Name and version of each function that programs can call.
symbols()
{
	readelf -W --dyn-syms "$usr/lib/$lib.so.0" |
		awk '$5 == "GLOBAL" && $7 != "UND" && $7 != "ABS" {
			print $4, $8
		}' | LC_ALL=C sort
}

# Every number of the headers, whatever it is called.
macros()
{
	echo "#include <$include>" |
		"$cc" "${own[@]}" -E -dM -x c - |
		grep -E '^#define ([A-Z]+_)?NST_?[A-Z0-9_]* .' | LC_ALL=C sort
}

dynamic()
{
	readelf -d "$usr/lib/$lib.so.0" |
		sed -n "s/.*($1).*\[\(.*\)\]/\1/p" | LC_ALL=C sort | paste -sd ' '
}

# Bytes that a function could write to: there are none.
no_state()
{
	size -A "$usr/lib/$lib.a" >"$work/size" || return
	grep -q '^\.text' "$work/size" &&
		! grep -E '^\.(t?data|t?bss)(\.[a-z]*)? +[1-9]' "$work/size" |
			grep -v '^\.data\.rel\.ro'
}

no_executable_stack()
{
	readelf -lW "$usr/lib/$lib.so.0" | grep -q 'GNU_STACK.* RW '
}

# header COMPILER OPTION...: as the first and only header, and twice
header()
{
	printf '#include <%s>\n#include <%s>\nint nothing;\n' "$include" "$include" |
		"$1" "${own[@]}" -Wall -Wextra -Werror "${@:2}" -c \
			-o "$work/header.o" -
}

# What a C++ program calls has the name that the library gives it.
cxx_links()
{
	cat >"$work/user.cc" <<-END
		#include <nst/nst.h>
		int main()
		{
			struct nst_opts opts = {};
			struct nst_info info;

			opts.size = sizeof(opts);
			opts.context_len = 33;
			return nst_tcp(-1, &opts) != -EINVAL ||
				nst_info(-1, &info) != -EBADF;
		}
	END
	sed -i '1i #include <cerrno>' "$work/user.cc"
	user "$cxx" "$work/user.cc"
}

config()
{
	PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_PATH=$usr/lib/pkgconfig \
		PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 \
		pkg-config "$@" "$lib"
}

# user COMPILER FILE [OPTION...]: a program made from what is installed alone
user()
{
	local flags

	flags=$(config --cflags --libs) || return
	# shellcheck disable=SC2086 # several
	"$1" -Wall -Wextra -Werror "${@:3}" -o "$work/user" "$2" $flags &&
		LD_LIBRARY_PATH=$usr/lib "$work/user"
}

write_user()
{
	cat >"$work/user.c" <<-END
		#include <errno.h>
		#include <nst/nst.h>
		#include <string.h>
		#include <sys/socket.h>
		int main(void)
		{
			int fd = socket(AF_INET, SOCK_STREAM, 0);

			return nst_is_attached(fd) != 0 ||
				nst_is_attached(-1) != -EBADF ||
				nst_rekey(fd, 0) != -ENOPROTOOPT ||
				!strstr(nst_strerror(-ENOENT), "modprobe");
		}
	END
}

# It finds libnst by itself.
exchange_links()
{
	cat >"$work/user.c" <<-END
		#include <errno.h>
		#include <nst/exchange.h>
		int main(void)
		{
			return nst_exchange(-1, NULL, 0) != -EBADF;
		}
	END
	user "$cc" "$work/user.c"
}

tls_links()
{
	cat >"$work/user.c" <<-END
		#include <errno.h>
		#include <nst/tls.h>
		int main(void)
		{
			return nst_from_tls(NULL, NULL) != -EINVAL;
		}
	END
	user "$cc" "$work/user.c"
}

needs_version()
{
	user "$cc" "$work/user.c" &&
		readelf -V "$work/user" | grep -q 'Name: NST_0 ' &&
		readelf -d "$work/user" | grep -qF '[libnst.so.0]'
}

static_links()
{
	user "$cc" "$work/user.c" -static && ! readelf -d "$work/user" |
		grep -q NEEDED
}

version()
{
	[ "$(config --modversion)" = \
		"$(sed -n 's/^MODULE_VERSION("\(.*\)");/\1/p' nst_ulp/main.c)" ]
}

# A part of libnst is in what nst-run preloads into programs, which may have another
# libnst: they do not see it, and get no library with it.
preload_hides()
{
	local file=$work/run/libnst-preload.so

	make -s -C userspace/nst-run O="$work/run" WERROR=-Werror \
		"$work/run/libnst-preload.so" || return
	readelf -W --syms "$file" | grep -q ' LOCAL .* nst_set_keys$' || return
	readelf -W --dyn-syms "$file" | grep ' nst_' && return 1
	[ "$(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')" = libc.so.6 ]
}

nothing_left()
{
	DESTDIR=$root PREFIX=/usr/local scripts/uninstall.sh || return
	[ -z "$(find "$root" -type f -o -type l | tee /dev/stderr)" ] &&
		[ ! -e "$usr/include/nst" ]
}

# check_library NAME NEEDED: what is asked of each
check_library()
{
	local std

	use "$1"
	if [ -n "$update" ]; then
		symbols >"$abi/symbols"
		macros >"$abi/macros"
		return
	fi
	result "$lib: symbols" diff "$abi/symbols" <(symbols)
	result "$lib: macros" diff "$abi/macros" <(macros)
	result "$lib: layout" "$cc" "${own[@]}" -Wall -Wextra -Werror -c \
		-o "$work/layout.o" "$abi/layout.c"
	result "$lib: soname" [ "$(dynamic SONAME)" = "$lib.so.0" ]
	result "$lib: needs $2 alone" [ "$(dynamic NEEDED)" = "$2" ]
	result "$lib: no state" no_state
	result "$lib: no executable stack" no_executable_stack
	for std in c99 c11 c17; do
		result "$lib: header in $std" header "$cc" -x c -std=$std -pedantic
	done
	for std in c++11 c++17; do
		result "$lib: header in $std" header "$cxx" -x c++ -std=$std -pedantic
	done
	result "$lib: version" version
}

update=${1:-}
install_all >"$work/log" 2>&1
tap $? "libnst_abi: installs" "$work/log"
check_library libnst libc.so.6
check_library libnst-exchange "libc.so.6 libcrypto.so.3 libnst.so.0"
check_library libnst-tls "libc.so.6 libcrypto.so.3 libnst.so.0 libssl.so.3"
[ -z "$update" ] || exit
result "libnst-tls: pkg-config" tls_links
use libnst-exchange
result "libnst-exchange: pkg-config" exchange_links
use libnst
write_user
result "libnst: pkg-config" needs_version
result "libnst: pkg-config, static" static_links
result "libnst: pkg-config, C++" cxx_links
result "libnst in nst-run's library: hidden" preload_hides
result "libnst_abi: uninstall" nothing_left
echo "1..$number"
exit "$failed"
