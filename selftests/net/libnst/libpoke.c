// SPDX-License-Identifier: GPL-2.0
/*
 * libpoke tcp|udp: what libnst says of an attach, for scripts: the errno's name,
 * a space, and nst_strerror()'s line.
 */
#define _GNU_SOURCE
#include <nst/nst.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	int udp = argc > 1 && !strcmp(argv[1], "udp");
	int fd = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	int err = udp ? nst_udp(fd, NULL) : nst_tcp(fd, NULL);

	printf("%s %s\n", strerrorname_np(-err), nst_strerror(err));
	return err != 0;
}
