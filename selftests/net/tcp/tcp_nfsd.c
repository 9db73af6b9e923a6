// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's NFS server is given a listening socket by its descriptor, accepts
 * connections itself and puts its own callbacks into them. With NST they work in both
 * directions, and without NST they are left alone.
 */
#define _GNU_SOURCE
#include <endian.h>

#include "kselftest_harness.h"
#include "nfsdtest.h"

#define NFS		100003
#define NFS_VERSION	4
#define FIELDS		10	/* of a call with nothing in it */

static const struct tcptest_conf conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

FIXTURE(nfsd)
{
	struct nfsdtest nfsd;
	int listener;
	struct sockaddr_in at;
};

FIXTURE_SETUP(nfsd)
{
	if (system("modprobe -q nfsd"))
		NSTTEST_SKIP_FIXTURE("this kernel has no nfsd");
	ASSERT_EQ(0, nfsdtest_open(&self->nfsd));
	self->listener = nfsdtest_listen(0, &self->at);
	ASSERT_LE(0, self->listener);
}

FIXTURE_TEARDOWN(nfsd)
{
	close(self->listener);
	nfsdtest_close(&self->nfsd);
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
	if (nfsdtest_message(fd, reply, sizeof(reply)) != 24)
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
	ASSERT_EQ(0, nfsdtest_give(self->listener));
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

	ASSERT_EQ(0, nfsdtest_give(self->listener));
	EXPECT_EQ(-EBUSY, nsttest_attach(self->listener));
	fd = open_client(&self->at);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, call_nothing(fd, 20));
	close(fd);
}

TEST_HARNESS_MAIN
