#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# base.sh RELEASE IMAGE DIR: fills DIR with what every guest of one kernel has:
# busybox, the programs of guest.programs, the libraries of guest.libraries, the
# modules of guest.modules.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
release=$1 image=$2 root=$3

mkdir -p "$root"/{usr/bin,usr/sbin,usr/lib,usr/lib64,etc,root,proc,sys,dev,tmp,run,var}
for d in bin sbin lib lib64; do
	ln -s "usr/$d" "$root/$d"
done
ln -s /run "$root/var/run"
ln -s /proc/mounts "$root/etc/mtab"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>"$root/etc/passwd"
echo '127.0.0.1 localhost' >"$root/etc/hosts"

for applet in $(/bin/busybox --list); do
	ln -s busybox "$root/usr/bin/$applet"
done
rm "$root/usr/bin/busybox"
cp /bin/busybox "$root/usr/bin/"

# add_file FILE: at the same place
add_file()
{
	mkdir -p "$root/${1%/*}"
	cp -L "$1" "$root/$1"
}

add_needed()
{
	local lib

	for lib in $(ldd "$1" | grep -o '/[^ ]*'); do
		add_file "$lib"
	done
}

add_program()
{
	rm -f "$root/usr/bin/${1##*/}"
	cp -L "$1" "$root/usr/bin/"
	add_needed "$1"
}

# A library that is not where the compiler looks is given back as it was.
add_library()
{
	local file

	file=$(cc -print-file-name="$1")
	[ "$file" != "$1" ] || { echo "no $1" >&2; return 1; }
	file=$(realpath -s "$file")
	add_file "$file"
	add_needed "$file"
}

# Of Python's own modules those that a program loads which uses sockets.
add_python()
{
	local file

	add_program "$(realpath /usr/bin/python3)"
	ln -sf "$(basename "$(realpath /usr/bin/python3)")" "$root/usr/bin/python3"
	/usr/bin/python3 -I -c '
import asyncio, errno, os, select, socket, struct, sys, threading
"a".encode("idna")
for module in list(sys.modules.values()):
    for name in ("__file__", "__cached__"):
        file = getattr(module, name, None)
        if file and file.startswith("/") and os.path.exists(file):
            print(file)' | sort -u |
	while read -r file; do
		add_file "$file"
		case $file in *.so) add_needed "$file" ;; esac
	done
}

while read -r program; do
	case $program in
	'#'*) ;;
	*/python3) add_python ;;
	*) add_program "$program" ;;
	esac
done <"$here/guest.programs"
while read -r library; do
	case $library in '#'*) ;; *) add_library "$library" ;; esac
done <"$here/guest.libraries"
# What libtirpc, glibc's resolver and iproute2 look up; missing is no error.
cp -r /etc/protocols /etc/services /etc/iproute2 "$root/etc/" 2>/dev/null ||
	true
# Not busybox as the shell: Debian's takes its own applets before $PATH.
ln -sf dash "$root/usr/bin/sh"
for link in modprobe rmmod insmod lsmod modinfo depmod; do
	ln -sf kmod "$root/usr/bin/$link"
	ln -sf ../bin/kmod "$root/usr/sbin/$link"
done

names=$(sed 's/#.*//' "$here/guest.modules")
for name in $names; do
	modprobe -d "$image" -S "$release" --show-depends "$name" 2>/dev/null ||
		true
done | awk '$1 == "insmod" { print $2 }' | sort -u |
while read -r path; do
	rel=lib/modules/${path##*/lib/modules/}
	mkdir -p "$root/${rel%/*}"
	case $path in
	*.xz) xz -dc "$path" >"$root/${rel%.xz}" ;;
	*) cp "$path" "$root/$rel" ;;
	esac
done
# The debug kernel has none.
mkdir -p "$root/lib/modules/$release"
cp "$image/lib/modules/$release"/modules.builtin* \
	"$image/lib/modules/$release"/modules.order \
	"$root/lib/modules/$release/"
