// SPDX-License-Identifier: GPL-2.0
/* Connections to which nobody has a descriptor. See closetest.h. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <time.h>

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
	long from = close_now();

	while (close_state(port) != want) {
		if (close_now() - from > TCPTEST_SOON_MS)
			return -ETIMEDOUT;
		usleep(2000);
	}
	return 0;
}

long close_counter(const char *name)
{
	return nsttest_stat(name);
}

/* The line with the values follows one with their names. */
long close_resets(void)
{
	FILE *f = fopen("/proc/thread-self/net/snmp", "r");
	char names[1024] = "", values[1024] = "", *n, *v, *np, *vp;
	long found = -1;

	while (f && strncmp(names, "Tcp:", 4) && fgets(names, sizeof(names), f))
		;
	if (f && fgets(values, sizeof(values), f)) {
		n = strtok_r(names, "\n ", &np);
		v = strtok_r(values, "\n ", &vp);
		while (n && v && strcmp(n, "OutRsts")) {
			n = strtok_r(NULL, "\n ", &np);
			v = strtok_r(NULL, "\n ", &vp);
		}
		found = v ? atol(v) : -1;
	}
	if (f)
		fclose(f);
	return found;
}

long close_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

long close_wait_lingering(long want)
{
	long from = close_now();

	while (close_counter("NstLingering") != want) {
		if (close_now() - from > TCPTEST_SOON_MS)
			return -1;
		usleep(2000);
	}
	return close_now() - from;
}
