// SPDX-License-Identifier: GPL-2.0
/*
 * What a connection costs besides its bytes: to be made and closed, and to be woken
 * after it was idle. Client and server are two processes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../nst_ulp/limits.h"
#include "load.h"

/* For what is done after a close(), by RCU and by works; no timer of TCP's ends. */
#define SETTLE		1

/* By then NST has parked both directions, see load_idle.c. */
#define IDLE		(2 * NST_IDLE_SECONDS + 2)

#define WARMUP_CONNECTIONS	16

static enum mode mode;
static size_t size;
static int listener;
static struct sockaddr_in addr;

static void answer(int fd)
{
	char buffer[SETUP_MAX];

	recv_all(fd, buffer, size);
	send_all(fd, buffer, size);
}

static void ask(int fd)
{
	char buffer[SETUP_MAX] = "";

	send_all(fd, buffer, size);
	recv_all(fd, buffer, size);
}

/* @count connections, one after the other. The client ends them. */
static void serve_all(size_t count)
{
	char c;

	while (count--) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			die("accept");
		key_socket(fd, mode);
		answer(fd);
		if (recv(fd, &c, 1, 0))
			die("end of a connection");
		close(fd);
	}
}

static void connect_all(size_t count)
{
	while (count--) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 ||
		    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
			die("connect");
		key_socket(fd, mode);
		ask(fd);
		close(fd);
	}
}

/* Returns 0 in the server. */
static pid_t fork_server(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	return pid;
}

static void wait_for_server(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		die("server");
}

void setup_measure(enum mode how, size_t bytes, size_t count)
{
	struct meter m;
	pid_t pid;

	mode = how;
	size = bytes;
	listener = listen_socket(&addr);
	pid = fork_server();
	if (!pid) {
		serve_all(WARMUP_CONNECTIONS + count);
		_exit(0);
	}
	connect_all(WARMUP_CONNECTIONS);
	sleep(SETTLE);
	meter_start(&m);
	connect_all(count);
	sleep(SETTLE);
	meter_stop(&m);
	wait_for_server(pid);
	close(listener);
	meter_print(&m, mode, SETUP, size, count, size * count * 2);
}

void wake_measure(enum mode how, size_t bytes, size_t count)
{
	int (*fd)[2] = calloc(count, sizeof(*fd));
	struct meter m;
	pid_t pid;
	size_t i;

	mode = how;
	size = bytes;
	listener = listen_socket(&addr);
	for (i = 0; fd && i < count; i++) {
		connect_pair(listener, &addr, &fd[i][0], &fd[i][1]);
		key_socket(fd[i][0], mode);
		key_socket(fd[i][1], mode);
		/* What the client sends first is not bound to the connection yet. */
		round_trip(fd[i][0], fd[i][1]);
		round_trip(fd[i][0], fd[i][1]);
	}
	if (!fd)
		die("descriptors");
	pid = fork_server();
	if (!pid) {
		for (i = 0; i < count; i++)
			answer(fd[i][1]);
		_exit(0);
	}
	sleep(IDLE);
	meter_start(&m);
	for (i = 0; i < count; i++)
		ask(fd[i][0]);
	meter_stop(&m);
	wait_for_server(pid);
	free(fd);
	meter_print(&m, mode, WAKE, size, count, size * count * 2);
}
