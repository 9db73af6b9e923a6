// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's NFS server is given a listening socket by its descriptor, accepts
 * connections itself and puts its own callbacks into them. With NST they work in both
 * directions, and without NST they are left alone.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#define NFSD		"/proc/fs/nfsd/"
#define RPCBIND_PORT	111
#define NFS		100003
#define NFS_VERSION	4
#define FIELDS		10	/* of a call with nothing in it */

static const struct tcptest_conf conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

static int get(int fd, void *buf, size_t len)
{
	return recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len ? 0 : -1;
}

/* One message of RPC, in one fragment. Its bytes or -1. */
static ssize_t get_message(int fd, void *buf, size_t size)
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

	while (get_message(fd, call, sizeof(call)) >= 4) {
		reply[1] = call[0];
		reply[2] = htobe32(1);
		reply[7] = htobe32(1);
		if (send(fd, reply, sizeof(reply), MSG_NOSIGNAL) < 0)
			break;
	}
}

static int listen_on(int port, struct sockaddr_in *sin)
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
	int fd = listen_on(RPCBIND_PORT, &sin), conn;
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

FIXTURE(nfsd)
{
	pid_t rpcbind;
	int listener;
	struct sockaddr_in at;
};

FIXTURE_SETUP(nfsd)
{
	if (system("modprobe -q nfsd"))
		NSTTEST_SKIP_FIXTURE("this kernel has no nfsd");
	self->rpcbind = rpcbind();
	ASSERT_LT(0, self->rpcbind);
	mount("nfsd", NFSD, "nfsd", 0, NULL);
	/* Others need a lock manager besides. */
	ASSERT_EQ(0, nsttest_write_file(NFSD "versions", "-2 -3 +4\n"));
	self->listener = listen_on(0, &self->at);
	ASSERT_LE(0, self->listener);
}

FIXTURE_TEARDOWN(nfsd)
{
	nsttest_write_file(NFSD "threads", "0\n");
	close(self->listener);
	umount(NFSD);
	kill(self->rpcbind, SIGKILL);
	waitpid(self->rpcbind, NULL, 0);
}

/* 0 or -errno */
static int hand_over(int fd)
{
	char text[16];
	int ret;

	snprintf(text, sizeof(text), "%d\n", fd);
	ret = nsttest_write_file(NFSD "portlist", text);
	return ret ?: nsttest_write_file(NFSD "threads", "1\n");
}

/* Calls the procedure that does nothing; 0 if it has said so. */
static int call_nothing(int fd, uint32_t xid)
{
	uint32_t call[1 + FIELDS] = {
		htobe32(0x80000000 | 4 * FIELDS), xid, 0, htobe32(2),
		htobe32(NFS), htobe32(NFS_VERSION),
	}, reply[16];

	if (send(fd, call, sizeof(call), MSG_NOSIGNAL) != sizeof(call))
		return -errno;
	if (get_message(fd, reply, sizeof(reply)) != 24)
		return -ENOMSG;
	return reply[0] == xid && reply[1] == htobe32(1) && !reply[2] &&
	       !reply[5] ? 0 : -EBADMSG;
}

static int open_client(const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	tcptest_timeout(fd, SO_RCVTIMEO, NSTTEST_TIMEOUT * 1000);
	return connect(fd, (const struct sockaddr *)at, sizeof(*at)) ? -1 : fd;
}

TEST_F_TIMEOUT(nfsd, serves_with_nst, 120)
{
	struct nst_info info;
	int i, fd;

	ASSERT_EQ(0, tcptest_key(self->listener, &conf, NST_F_RESPONDER));
	ASSERT_EQ(0, hand_over(self->listener));
	for (i = 0; i < 2; i++) {
		fd = open_client(&self->at);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, tcptest_key(fd, &conf, NST_F_INITIATOR));
		EXPECT_EQ(0, call_nothing(fd, 17));
		EXPECT_EQ(0, call_nothing(fd, 18));
		ASSERT_EQ(0, tcptest_info(fd, &info));
		EXPECT_EQ(2, info.tx.records);
		EXPECT_LE(2, info.rx.records);
		/* It goes as any other stream does. */
		EXPECT_EQ(0, shutdown(fd, SHUT_WR));
		EXPECT_EQ(0, nsttest_drain(fd));
		close(fd);
	}
	/* In plaintext nobody is served. */
	fd = open_client(&self->at);
	ASSERT_LE(0, fd);
	EXPECT_NE(0, call_nothing(fd, 19));
	close(fd);
}

/* What it has taken already is no program's to attach. */
TEST_F_TIMEOUT(nfsd, is_left_alone, 120)
{
	int fd;

	ASSERT_EQ(0, hand_over(self->listener));
	EXPECT_EQ(-EBUSY, nsttest_attach(self->listener));
	fd = open_client(&self->at);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, call_nothing(fd, 20));
	close(fd);
}

TEST_HARNESS_MAIN
