// SPDX-License-Identifier: GPL-2.0
/*
 * nstudp: datagrams under NST, for the demo.
 *
 *   nstudp recv PORT COUNT                waits for so many, all different
 *   nstudp send ADDRESS PORT COUNT TEXT   numbers them
 *
 * What makes a program use NST is in secure(), and nothing else is different.
 */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/nst.h>

#include "peer.h"

#define SIZE		1000
#define PATIENCE	60	/* seconds without a datagram */

/* The keys are those of the namespace's box. */
static void secure(int fd)
{
	struct nst_crypto_info info = {
		.version = NST_VERSION,
		.cipher_id = NST_CIPHER_AES_GCM,
	};
	int one = 1;

	if (setsockopt(fd, IPPROTO_IP, NST_ATTACH, &one, sizeof(one)))
		die("NST_ATTACH");
	if (setsockopt(fd, SOL_NST, NST_TX_RX, &info, sizeof(info)))
		die("NST_TX_RX");
}

static int new_socket(void)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
				 sizeof(patience)))
		die("socket");
	secure(fd);
	return fd;
}

static int receive(const struct sockaddr_in *addr, int count)
{
	struct timeval soon = { .tv_sec = 3 };
	int fd = new_socket(), i, nr;
	char *seen = calloc(1, count);
	char buf[SIZE];

	if (!seen || bind(fd, (const void *)addr, sizeof(*addr)))
		die("bind");
	tell_port(addr);
	for (i = 0; i < count; i++) {
		if (recv(fd, buf, sizeof(buf), 0) != SIZE)
			die("recv");
		nr = atoi(buf);
		if (nr < 0 || nr >= count || seen[nr]++) {
			printf("number %d came twice\n", nr);
			return 1;
		}
	}
	printf("received %d datagrams, each once\n", count);
	free(seen);
	/* What is left of the repetitions may come while there is a socket. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)) ||
	    recv(fd, buf, sizeof(buf), 0) >= 0) {
		printf("and one too many\n");
		return 1;
	}
	return 0;
}

static int send_all(const struct sockaddr_in *addr, int count, const char *text)
{
	int fd = new_socket(), i, at;
	char buf[SIZE];

	for (i = 0; i < count; i++) {
		memset(buf, ' ', sizeof(buf));
		at = snprintf(buf, sizeof(buf), "%d ", i);
		while (at + strlen(text) < sizeof(buf))
			at += snprintf(buf + at, sizeof(buf) - at, "%s", text);
		if (sendto(fd, buf, sizeof(buf), 0, (const void *)addr,
			   sizeof(*addr)) != SIZE)
			die("sendto");
		/* Nobody says when the receiver's buffer is full. */
		usleep(2000);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr;

	if (argc == 4 && !strcmp(argv[1], "recv") && atoi(argv[3]) > 0) {
		addr = address("0.0.0.0", argv[2]);
		return receive(&addr, atoi(argv[3]));
	}
	if (argc == 6 && !strcmp(argv[1], "send")) {
		addr = address(argv[2], argv[3]);
		return send_all(&addr, atoi(argv[4]), argv[5]);
	}
	fprintf(stderr, "usage: nstudp recv PORT COUNT\n"
		"       nstudp send ADDRESS PORT COUNT TEXT\n");
	return 2;
}
