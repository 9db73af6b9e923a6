// SPDX-License-Identifier: GPL-2.0
/*
 * runpoke SCENARIO [ARGUMENT...]: does it, and says what was seen on lo meanwhile:
 * "plain" if MARK was there to read, "sealed" if there was traffic of PORT without
 * it, else "nothing". With -q it captures nothing and says nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "runpoke.h"

void runpoke_die(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s: %s\n", file, line, what, strerror(errno));
	exit(1);
}

static int capture(void)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex("lo"),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int size = 32 << 20;

	NEED(fd >= 0);
	NEED(!setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)));
	NEED(!bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
	return fd;
}

/* Ports stand first behind the header of IP. */
static int of_port(const unsigned char *frame, ssize_t n)
{
	size_t at = ETH_HLEN + (frame[12] == 0x86 ? 40 : 20);

	if (n < (ssize_t)at + 4)
		return 0;
	return frame[at] * 256 + frame[at + 1] == PORT ||
	       frame[at + 2] * 256 + frame[at + 3] == PORT;
}

static const char *what_was_seen(int fd)
{
	static unsigned char frame[1 << 17];
	int traffic = 0, plain = 0;
	ssize_t n;

	while ((n = recv(fd, frame, sizeof(frame), 0)) > 0) {
		traffic |= of_port(frame, n);
		plain |= !!memmem(frame, n, MARK, strlen(MARK));
	}
	if (plain)
		return "plain";
	return traffic ? "sealed" : "nothing";
}

static const struct scenario *find(const char *name)
{
	static const struct scenario *const lists[] = {
		stream_scenarios, datagram_scenarios, child_scenarios,
		handed_scenarios, ring_scenarios, inside_scenarios
	};
	const struct scenario *s;
	unsigned int i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (s = lists[i]; s->name; s++)
			if (!strcmp(s->name, name))
				return s;
	return NULL;
}

int main(int argc, char **argv)
{
	int quiet = argc > 1 && !strcmp(argv[1], "-q"), fd = -1, rc;
	const struct scenario *s;

	argv += 1 + quiet;
	s = argv[0] ? find(argv[0]) : NULL;
	if (!s) {
		fprintf(stderr, "runpoke: no such scenario\n");
		return 2;
	}
	if (!quiet)
		fd = capture();
	rc = s->run(argv + 1);
	if (!quiet)
		puts(what_was_seen(fd));
	return rc;
}
