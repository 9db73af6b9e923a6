#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# libnst_abi.sh: what programs rely on is what was promised: symbols, structures
# and numbers are those of userspace/libnst/abi, in the header and in what was
# built; the header suits every C and C++; what "make install" puts somewhere is
# found by pkg-config, works, and can be taken away. On the host. TAP.
# With "update", write abi/symbols and abi/macros anew: for who means it.
#
# shellcheck disable=SC2317 # functions are called by result()

set -u
cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR/../net/lib source=tap.sh
. selftests/net/lib/tap.sh

lib=userspace/libnst
cc=${CC:-gcc}
cxx=${CXX:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
usr=$root/usr/local
own=(-I"$lib/include" -isystem include/uapi)

install_there()
{
	make -s -C "$lib" O="$work/o" DESTDIR="$root" PREFIX=/usr/local \
		WERROR=-Werror install
}

# Name and version of each function that programs can call.
symbols()
{
	readelf -W --dyn-syms "$usr/lib/libnst.so.0" |
		awk '$5 == "GLOBAL" && $7 != "UND" && $7 != "ABS" {
			print $4, $8
		}' | LC_ALL=C sort
}

# Every number of the headers, whatever it is called.
macros()
{
	echo '#include <nst/nst.h>' |
		"$cc" "${own[@]}" -E -dM -x c - |
		grep -E '^#define ([A-Z]+_)?NST_?[A-Z0-9_]* .' | LC_ALL=C sort
}

dynamic()
{
	readelf -d "$usr/lib/libnst.so.0" |
		sed -n "s/.*($1).*\[\(.*\)\]/\1/p" | LC_ALL=C sort | paste -sd ' '
}

# Bytes that a function could write to: there are none.
no_state()
{
	size -A "$usr/lib/libnst.a" >"$work/size" || return
	grep -q '^\.text' "$work/size" &&
		! grep -E '^\.(t?data|t?bss)(\.[a-z]*)? +[1-9]' "$work/size" |
			grep -v '^\.data\.rel\.ro'
}

no_executable_stack()
{
	readelf -lW "$usr/lib/libnst.so.0" | grep -q 'GNU_STACK.* RW '
}

# header COMPILER OPTION...: as the first and only header, and twice
header()
{
	printf '#include <nst/nst.h>\n#include <nst/nst.h>\nint nothing;\n' |
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
	PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$usr/lib/pkgconfig \
		PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 \
		pkg-config "$@" libnst
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

nothing_left()
{
	DESTDIR=$root PREFIX=/usr/local scripts/uninstall.sh || return
	[ -z "$(find "$root" -type f -o -type l | tee /dev/stderr)" ] &&
		[ ! -e "$usr/include/nst" ]
}

install_there >"$work/log" 2>&1
tap $? "libnst_abi: installs" "$work/log"
if [ "${1:-}" = update ]; then
	symbols >"$lib/abi/symbols"
	macros >"$lib/abi/macros"
	exit
fi
result "libnst_abi: symbols" diff "$lib/abi/symbols" <(symbols)
result "libnst_abi: macros" diff "$lib/abi/macros" <(macros)
result "libnst_abi: layout" "$cc" "${own[@]}" -Wall -Wextra -Werror -c \
	-o "$work/layout.o" "$lib/abi/layout.c"
result "libnst_abi: soname" [ "$(dynamic SONAME)" = libnst.so.0 ]
result "libnst_abi: needs libc alone" [ "$(dynamic NEEDED)" = libc.so.6 ]
result "libnst_abi: no state" no_state
result "libnst_abi: no executable stack" no_executable_stack
for std in c99 c11 c17; do
	result "libnst_abi: header in $std" header "$cc" -x c -std=$std -pedantic
done
for std in c++11 c++17; do
	result "libnst_abi: header in $std" header "$cxx" -x c++ -std=$std -pedantic
done
write_user
result "libnst_abi: pkg-config" needs_version
result "libnst_abi: pkg-config, static" static_links
result "libnst_abi: pkg-config, C++" cxx_links
result "libnst_abi: version" version
result "libnst_abi: uninstall" nothing_left
echo "1..$number"
exit "$failed"
