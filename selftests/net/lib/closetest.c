// SPDX-License-Identifier: GPL-2.0
/* Connections to which nobody has a descriptor. See closetest.h. */
#define _GNU_SOURCE
#include <netinet/in.h>

#include "closetest.h"

int close_one_recv(int fd)
{
	char buf[64];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	return n < 0 ? -errno : n;
}

int close_error(int fd)
{
	socklen_t len = sizeof(int);
	int err = 0;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

unsigned int close_port(int fd)
{
	struct sockaddr_storage ss = {};
	socklen_t len = sizeof(ss);

	getsockname(fd, (void *)&ss, &len);
	/* Both families have it in the same place. */
	return ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

static unsigned int find_state(const char *path, unsigned int port)
{
	unsigned int local, remote, state, found = 0;
	FILE *f = fopen(path, "r");
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*d: %*x:%x %*x:%x %x", &local, &remote,
			   &state) == 3 && local == port && remote)
			found = state;
	if (f)
		fclose(f);
	return found;
}

unsigned int close_state(unsigned int port)
{
	unsigned int state = find_state("/proc/thread-self/net/tcp", port);

	return state ?: find_state("/proc/thread-self/net/tcp6", port);
}

int close_wait_state(unsigned int port, unsigned int want)
{
	long from = nsttest_now_ms();

	while (close_state(port) != want) {
		if (nsttest_now_ms() - from > TCPTEST_SOON_MS)
			return -ETIMEDOUT;
		usleep(2000);
	}
	return 0;
}

void close_rounds(const struct tcptest_conf *conf, int nr)
{
	int a, b, i;

	for (i = 0; i < nr; i++) {
		a = -1;
		b = -1;
		if (!tcptest_pair(conf, &a, &b))
			send(a, "plaintext", 9, MSG_NOSIGNAL | MSG_DONTWAIT);
		close(a);
		shutdown(b, SHUT_WR);
		close(b);
	}
}

long close_wait_lingering(long want)
{
	long from = nsttest_now_ms();

	while (nsttest_stat("NstLingering") != want) {
		if (nsttest_now_ms() - from > TCPTEST_SOON_MS)
			return -1;
		usleep(2000);
	}
	return nsttest_now_ms() - from;
}
