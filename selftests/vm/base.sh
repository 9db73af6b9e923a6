#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# base.sh RELEASE IMAGE DIR: fills DIR with what every guest of one kernel has:
# busybox, the programs of guest.programs, the modules of guest.modules.

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

add_program()
{
	local lib

	rm -f "$root/usr/bin/${1##*/}"
	cp -L "$1" "$root/usr/bin/"
	for lib in $(ldd "$1" | grep -o '/[^ ]*'); do
		mkdir -p "$root/${lib%/*}"
		cp -L "$lib" "$root/$lib"
	done
}
while read -r program; do
	case $program in '#'*) ;; *) add_program "$program" ;; esac
done <"$here/guest.programs"
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
