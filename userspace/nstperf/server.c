// SPDX-License-Identifier: GPL-2.0
/* The server: a process for each client, one at a time. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "clock.h"
#include "conn.h"
#include "frame.h"
#include "meter.h"
#include "serve.h"
#include "server.h"
#include "trouble.h"

#define ENDING_TRIES	100
#define ENDING_US	20000
#define AWAY_MS		500

static int listen_at(const struct addrinfo *ai, const struct options *options)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1, zero = 0;

	if (fd < 0)
		return trouble("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
			   options->family == AF_INET6 ? &one : &zero,
			   sizeof(one));
	if (!bind(fd, ai->ai_addr, ai->ai_addrlen) && !listen(fd, 16))
		return fd;
	if (errno == EADDRINUSE)
		trouble("port %u is taken: give another, --port N, here and to the client",
			options->port);
	else
		trouble("cannot listen at %s port %u: %s",
			options->host ? options->host : "any address",
			options->port, strerror(errno));
	close(fd);
	return -1;
}

int server_listen(const struct options *options)
{
	struct addrinfo hints = {
		.ai_family = options->family, .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	}, *all, *ai;
	char port[8];
	int e, fd = -1;

	snprintf(port, sizeof(port), "%u", options->port);
	/* Without an address one socket for both families, if there are both. */
	if (!options->host && !options->family) {
		hints.ai_family = AF_INET6;
		e = getaddrinfo(NULL, port, &hints, &all);
		if (!e) {
			fd = listen_at(all, options);
			freeaddrinfo(all);
			if (fd >= 0 || errno == EADDRINUSE)
				return fd;
		}
		hints.ai_family = AF_INET;
	}
	e = getaddrinfo(options->host, port, &hints, &all);
	if (e)
		return trouble("%s: %s", options->host ? options->host : "*",
			       gai_strerror(e));
	for (ai = all; ai && fd < 0; ai = ai->ai_next)
		fd = listen_at(ai, options);
	freeaddrinfo(all);
	return fd;
}

/*
 * A client that has come while there is another one. Nobody else is served
 * meanwhile, so it has a moment, whatever it sends.
 */
static void send_away(int fd)
{
	uint64_t until = clock_ns() + AWAY_MS * 1000000ULL, now;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char rest[512];

	trouble("busy with another client");
	frame_refuse(fd);
	/* What it has sent is read, or it would see a reset and no reason. */
	shutdown(fd, SHUT_WR);
	while ((now = clock_ns()) < until) {
		if (poll(&p, 1, (until - now) / 1000000 + 1) > 0 &&
		    recv(fd, rest, sizeof(rest), MSG_DONTWAIT) <= 0)
			break;
	}
	close(fd);
}

/* What went wrong, and with whom. */
static void complain(const union address *peer)
{
	char name[INET6_ADDRSTRLEN] = "?";

	if (peer->any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &peer->in6.sin6_addr, name, sizeof(name));
	else if (peer->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &peer->in.sin_addr, name, sizeof(name));
	fprintf(stderr, "nstperf: %s: %s\n", name, trouble_text());
}

static void child_main(int fd, const union address *peer,
		       const struct options *options)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGINT, SIG_DFL);
	meter_init();
	if (serve_client(fd, options->data_port)) {
		complain(peer);
		exit(1);
	}
	exit(0);
}

/* One whose client has just gone gets time to end. */
static bool has_ended(pid_t child)
{
	int i;

	for (i = 0; i < ENDING_TRIES; i++) {
		if (child <= 0 || waitpid(child, NULL, WNOHANG) == child)
			return true;
		usleep(ENDING_US);
	}
	return false;
}

/* The next one, and who it is; -1 after trouble(). */
/* What accept(2) tells of the connection that was to come: the next one may. */
static bool is_of_one(int err)
{
	switch (err) {
	case EINTR:
	case ECONNABORTED:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENONET:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case EPROTO:
	case EPERM:
		return true;
	default:
		return false;
	}
}

static int next_client(int listener, union address *peer)
{
	socklen_t len;
	int fd;

	do {
		len = sizeof(*peer);
		peer->any.sa_family = AF_UNSPEC;
		fd = accept4(listener, &peer->any, &len, SOCK_CLOEXEC);
	} while (fd < 0 && is_of_one(errno));
	if (fd < 0)
		return trouble("accept: %s", strerror(errno));
	frame_watch(fd);
	return fd;
}

int server_run(int listener, const struct options *options)
{
	union address peer;
	pid_t child = -1;
	int fd, status;

	for (;;) {
		fd = next_client(listener, &peer);
		if (fd < 0) {
			fprintf(stderr, "nstperf: %s\n", trouble_text());
			return 1;
		}
		if (has_ended(child))
			child = -1;
		if (child > 0) {
			send_away(fd);
			continue;
		}
		child = fork();
		if (!child) {
			close(listener);
			child_main(fd, &peer, options);
		}
		if (child < 0)
			fprintf(stderr, "nstperf: fork: %s\n",
				strerror(errno));
		close(fd);
		if (options->once && child > 0) {
			waitpid(child, &status, 0);
			return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
		}
	}
}
