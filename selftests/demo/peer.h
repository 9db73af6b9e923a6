/* SPDX-License-Identifier: GPL-2.0 */
/* What both programs of the demo need and what has nothing to do with NST. */
#ifndef DEMO_PEER_H
#define DEMO_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		strerror(errno));
	exit(1);
}

static struct sockaddr_in address(const char *ip, const char *port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(atoi(port)),
	};

	if (inet_pton(AF_INET, ip, &addr.sin_addr) != 1) {
		errno = EINVAL;
		die(ip);
	}
	return addr;
}

/* For who starts it, and waits for this line. */
static void tell_port(const struct sockaddr_in *addr)
{
	printf("waiting on port %d\n", ntohs(addr->sin_port));
	fflush(stdout);
}

#endif /* DEMO_PEER_H */
