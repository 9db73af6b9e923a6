// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <endian.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "nfsdtest.h"

#define NFSD		"/proc/fs/nfsd/"
#define RPCBIND_PORT	111

static int get(int fd, void *buf, size_t len)
{
	return recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len ? 0 : -1;
}

ssize_t nfsdtest_message(int fd, void *buf, size_t size)
{
	uint32_t mark;
	size_t len;

	if (get(fd, &mark, sizeof(mark)))
		return -1;
	len = be32toh(mark) & 0x7fffffff;
	return len <= size && !get(fd, buf, len) ? (ssize_t)len : -1;
}

/* What asks for a port to be known is told that it is. */
static void serve_rpcbind(int fd)
{
	/* mark, xid, reply, accepted, verifier, success, yes */
	uint32_t call[512], reply[8] = { htobe32(0x80000000 | 28) };

	while (nfsdtest_message(fd, call, sizeof(call)) >= 4) {
		reply[1] = call[0];
		reply[2] = htobe32(1);
		reply[7] = htobe32(1);
		if (send(fd, reply, sizeof(reply), MSG_NOSIGNAL) < 0)
			break;
	}
}

int nfsdtest_listen(int port, struct sockaddr_in *sin)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	socklen_t len = sizeof(*sin);

	*sin = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)sin, len) || listen(fd, 10) ||
	    getsockname(fd, (struct sockaddr *)sin, &len))
		return -1;
	return fd;
}

/* NFS asks one on this host to tell of its port. */
static pid_t rpcbind(void)
{
	struct sockaddr_in sin;
	int fd = nfsdtest_listen(RPCBIND_PORT, &sin), conn;
	pid_t pid = fd < 0 ? -1 : fork();

	if (pid) {
		close(fd);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((conn = accept(fd, NULL, NULL)) >= 0)
		if (!fork()) {
			close(fd);
			serve_rpcbind(conn);
			_exit(0);
		}
	_exit(0);
}

int nfsdtest_open(struct nfsdtest *nfsd)
{
	nfsd->rpcbind = rpcbind();
	if (nfsd->rpcbind < 0)
		return -errno;
	mount("nfsd", NFSD, "nfsd", 0, NULL);
	/* Others need a lock manager besides. */
	return nsttest_write_file(NFSD "versions", "-2 -3 +4\n");
}

void nfsdtest_stop(void)
{
	nsttest_write_file(NFSD "threads", "0\n");
}

void nfsdtest_close(struct nfsdtest *nfsd)
{
	nfsdtest_stop();
	umount(NFSD);
	kill(nfsd->rpcbind, SIGKILL);
	waitpid(nfsd->rpcbind, NULL, 0);
}

int nfsdtest_give(int fd)
{
	char text[16];
	int ret;

	snprintf(text, sizeof(text), "%d\n", fd);
	ret = nsttest_write_file(NFSD "portlist", text);
	return ret ?: nsttest_write_file(NFSD "threads", "1\n");
}
