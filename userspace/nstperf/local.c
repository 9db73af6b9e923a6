// SPDX-License-Identifier: GPL-2.0
/* Both ends on this machine, in two network namespaces of their own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "client.h"
#include "keys.h"
#include "local.h"
#include "payload.h"
#include "server.h"
#include "trouble.h"

/* They exist in these namespaces only. */
#define CLIENT4	"10.111.0.1/24"
#define SERVER4	"10.111.0.2"
#define CLIENT6	"fd11::1/64"
#define SERVER6	"fd11::2"

static int put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? trouble("%s: %s", path, strerror(errno)) : 0;
}

/* Who is not root becomes it, in a user namespace. */
static int become_root(void)
{
	char map[64];
	unsigned int uid = geteuid(), gid = getegid();

	if (!uid)
		return 0;
	if (unshare(CLONE_NEWUSER))
		return trouble("no user namespace: %s: run it as root",
			       strerror(errno));
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (put_file("/proc/self/setgroups", "deny") ||
	    put_file("/proc/self/uid_map", map))
		return -1;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return put_file("/proc/self/gid_map", map);
}

static int new_network(void)
{
	return unshare(CLONE_NEWNET) ?
		trouble("no network namespace: %s", strerror(errno)) : 0;
}

/* ip(8) with these words. */
static int run_ip(const char *words)
{
	char copy[200], *argv[24] = { "ip" };
	int n = 1, status;
	pid_t child;

	snprintf(copy, sizeof(copy), "%s", words);
	for (argv[n] = strtok(copy, " "); argv[n] && n < 22;
	     argv[n] = strtok(NULL, " "))
		n++;
	child = fork();
	if (!child) {
		execvp("ip", argv);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return trouble("ip: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return trouble("local needs ip(8): apt-get install iproute2");
	return status ? trouble("'ip %s' failed", words) : 0;
}

/* A byte from the other process, which says that it has come so far. */
static int wait_for_peer(int fd)
{
	char c;

	return read(fd, &c, 1) == 1 ? 0 :
		trouble("the other end of local is gone");
}

static int tell_peer(int fd)
{
	return write(fd, "", 1) == 1 ? 0 :
		trouble("the other end of local is gone");
}

static int server_side(int fd, struct options *options)
{
	int listener;

	options->host = NULL;
	options->family = 0;
	options->once = true;
	if (new_network() || tell_peer(fd) || wait_for_peer(fd) ||
	    run_ip("link set lo up") || run_ip("addr add " SERVER4 "/24 dev nstperf") ||
	    run_ip("addr add " SERVER6 "/64 dev nstperf nodad") ||
	    run_ip("link set nstperf up"))
		return -1;
	listener = server_listen(options);
	if (listener < 0 || tell_peer(fd))
		return -1;
	close(fd);
	return server_run(listener, options);
}

static void server_main(int fd, struct options *options)
{
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* Ctrl-C is for the client, which then says good-bye. */
	signal(SIGINT, SIG_IGN);
	rc = server_side(fd, options);
	if (rc < 0)
		fprintf(stderr, "nstperf: %s\n", trouble_text());
	exit(rc ? 1 : 0);
}

/* A wire to the server's namespace, and the server at the end of it. */
static int join(int fd, pid_t server)
{
	char words[128];

	snprintf(words, sizeof(words),
		 "link add nstperf type veth peer name nstperf netns %d",
		 (int)server);
	return wait_for_peer(fd) || run_ip("link set lo up") || run_ip(words) ||
	       run_ip("addr add " CLIENT4 " dev nstperf") ||
	       run_ip("addr add " CLIENT6 " dev nstperf nodad") ||
	       run_ip("link set nstperf up") || tell_peer(fd) ||
	       wait_for_peer(fd) ? -1 : 0;
}

int local_run(struct options *options)
{
	struct options theirs = *options;
	pid_t server;
	int pair[2], rc = 1;

	if (become_root() || keys_private() || payload_init() ||
	    new_network() ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		fprintf(stderr, "nstperf: %s\n", trouble_text());
		return 1;
	}
	server = fork();
	if (!server) {
		close(pair[0]);
		server_main(pair[1], &theirs);
	}
	close(pair[1]);
	options->host = options->family == AF_INET6 ? SERVER6 : SERVER4;
	if (server < 0 || join(pair[0], server))
		fprintf(stderr, "nstperf: %s\n", trouble_text());
	else
		rc = client_run(options);
	if (server > 0) {
		kill(server, SIGTERM);
		waitpid(server, NULL, 0);
	}
	return rc;
}
