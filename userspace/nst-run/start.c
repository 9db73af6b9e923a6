// SPDX-License-Identifier: GPL-2.0
/*
 * Before the program starts: is it there, would an attach succeed, and what of
 * the descriptors that it will inherit is a socket of a port that was named?
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nst/nst.h>
#include "attach.h"
#include "notify/door.h"
#include "secret.h"
#include "start.h"

/**
 * start_fill_standard_files() - hold the numbers of those the caller has closed
 *
 * A socket of nst-run's own would have one, and be lost where these are used. Used,
 * what holds the number fails as if it were closed; in the program it is.
 */
void start_fill_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_PATH | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

#define PATH_DEFAULT	"/usr/local/bin:/usr/bin:/bin"

/* 0, or why this file cannot be run. */
static int runnable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	return access(path, X_OK) ? errno : 0;
}

/* In the directories of $PATH, as execvp() looks. */
static char *search(const char *name, int *why)
{
	const char *dirs = getenv("PATH");
	char *path;
	size_t len;
	int err;

	*why = ENOENT;
	for (dirs = dirs ? dirs : PATH_DEFAULT;; dirs += len + 1) {
		len = strcspn(dirs, ":");
		if (asprintf(&path, "%.*s%s%s", (int)len, dirs, len ? "/" : "",
			     name) < 0)
			abort();
		err = runnable(path);
		if (!err) {
			*why = 0;
			return path;
		}
		free(path);
		if (err == EACCES)
			*why = err;
		if (!dirs[len])
			return NULL;
	}
}

/**
 * start_find_program() - the file of the program; none ends the process
 * @run: has its name, and receives it
 */
void start_find_program(struct run *run)
{
	const char *name = run->argv[0];
	int err;

	if (strchr(name, '/')) {
		run->path = name;
		err = runnable(name);
	} else {
		run->path = search(name, &err);
	}
	if (run->path && !err)
		return;
	if (!run->path && err == ENOENT)
		run_refuse(RUN_EXIT_MISSING, "%s: not found in $PATH", name);
	run_refuse(err == ENOENT || err == ENOTDIR ? RUN_EXIT_MISSING :
		   RUN_EXIT_CANNOT, "%s: %s", name, strerror(err));
}

/*
 * What will be done to the program's sockets, done to one of our own. An address
 * that nobody has makes no difference: it is not connected.
 */
static int try(const struct policy *policy, int type)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	const struct ports *ports = type == SOCK_STREAM ? &policy->tcp :
		&policy->udp;
	struct attach_result result;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	addr.sin_port = htons(ports->range[0].first);
	err = attach_call(policy, type == SOCK_STREAM ? ATTACH_CONNECT :
			  ATTACH_SEND, fd, &addr, sizeof(addr), &result);
	/* In the namespace's box is a key to send under. */
	if (!err)
		err = nst_rekey(fd, 0);
	if (!err && policy->secret)
		err = secret_try(fd);
	close(fd);
	return err;
}

static void try_or_refuse(const struct policy *policy, int type)
{
	int err = try(policy, type);

	if (err == -EPROTONOSUPPORT && policy->secret)
		run_refuse(RUN_EXIT_REFUSED,
			   "--forward-secret=%s: the libcrypto of this host has not the group; that of OpenSSL 3.5 has all",
			   policy_group_name(policy->group) ?: "x25519");
	if (err)
		run_refuse(RUN_EXIT_REFUSED,
			   "%s cannot have NST here: %s (%s); 'nstkeyctl doctor' finds out why",
			   type == SOCK_STREAM ? "TCP" : "UDP",
			   strerrorname_np(-err), attach_hint(-err));
}

/* Whoever asks for such a socket has the module loaded, without any right. */
static void load_module(void)
{
	int fd = socket(AF_NST, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
}

/**
 * start_check_nst() - would an attach succeed? Else the process ends
 * @run: has the policy
 */
void start_check_nst(const struct run *run)
{
	load_module();
	if (run->policy.tcp.nr)
		try_or_refuse(&run->policy, SOCK_STREAM);
	if (run->policy.udp.nr)
		try_or_refuse(&run->policy, SOCK_DGRAM);
}

/* inetd gives the same connection by two numbers or three. */
static int is_seen(int fd)
{
	static uint64_t *seen;
	static unsigned int nr;
	socklen_t len = sizeof(*seen);
	unsigned int i;

	seen = reallocarray(seen, nr + 1, sizeof(*seen));
	if (!seen || getsockopt(fd, SOL_SOCKET, SO_COOKIE, &seen[nr], &len))
		run_refuse(RUN_EXIT_REFUSED, "descriptor %d: %s", fd,
			   strerror(errno));
	for (i = 0; i < nr; i++)
		if (seen[i] == seen[nr])
			return 1;
	nr++;
	return 0;
}

/* A connection (of inetd) has its keys before the program has it. */
static void exchange_handed(int fd, const struct attach_result *result)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	int err;

	if (result->protocol != IPPROTO_TCP ||
	    (result->outcome != ATTACH_DONE && result->outcome != ATTACH_HAD))
		return;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		info.tcpi_state = 0;
	if (info.tcpi_state == TCP_LISTEN)
		door_know(fd, fd);
	if (info.tcpi_state == TCP_CLOSE || info.tcpi_state == TCP_LISTEN)
		return;
	if (is_seen(fd))
		return;
	err = secret_whole(fd);
	if (err)
		run_refuse(RUN_EXIT_REFUSED,
			   "descriptor %d is a connection %s port %u/tcp, and keys were not exchanged: %s (%s)",
			   fd, result->remote ? "to" : "on", result->port,
			   strerrorname_np(-err), secret_hint(-err));
}

static void attach_handed(const struct policy *policy, int fd)
{
	struct attach_result result;

	if (!attach_call(policy, ATTACH_HANDED, fd, NULL, 0, &result)) {
		if (policy->secret)
			exchange_handed(fd, &result);
		return;
	}
	run_refuse(RUN_EXIT_REFUSED,
		   "descriptor %d is a socket %s port %u/%s and cannot have NST: %s (%s)",
		   fd, result.remote ? "to" : "on", result.port,
		   result.protocol == IPPROTO_TCP ? "tcp" : "udp",
		   strerrorname_np(result.error), attach_hint(result.error));
}

/**
 * start_attach_handed() - attach what the program inherits (LISTEN_FDS, inetd)
 * @run: has the policy
 *
 * Any descriptor counts, whatever the environment says of it.
 */
void start_attach_handed(const struct run *run)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int fd;

	if (!dir)
		run_refuse(RUN_EXIT_REFUSED,
			   "/proc/self/fd: %s; it tells which sockets the program inherits",
			   strerror(errno));
	while ((entry = readdir(dir))) {
		fd = atoi(entry->d_name);
		if (entry->d_name[0] != '.' && fd != dirfd(dir))
			attach_handed(&run->policy, fd);
	}
	closedir(dir);
}
