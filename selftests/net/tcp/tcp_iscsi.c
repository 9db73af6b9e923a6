// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's iSCSI initiator is given a socket by its descriptor, asks nobody
 * whether it is taken, and reads TCP's queue by itself. NST sees that bytes are gone
 * and ends the connection; what iSCSI has already cannot get NST.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>

#include "kselftest_harness.h"
#include "tcptest.h"

/* Of the kernel's scsi/iscsi_if.h, which no package of headers has. */
enum {
	CREATE_SESSION = 11, DESTROY_SESSION, CREATE_CONN, DESTROY_CONN, BIND_CONN,
	STOP_CONN = 18,
};

#define STOP_CONN_TERM	1

struct iscsi_message {
	struct nlmsghdr nlh;
	uint32_t type;		/* that of @nlh, if all went well */
	uint32_t error;
	uint64_t transport;
	union {
		struct {
			uint32_t initial_cmdsn;
			uint16_t cmds_max;
			uint16_t queue_depth;
		} session;
		struct {
			uint32_t sid;
			uint32_t cid;
			uint64_t fd;	/* or nothing */
			uint32_t what;	/* the first one; how to stop */
		} conn;
		uint64_t room[3];
	};
	uint32_t answer[4];	/* sid, or what bind has returned */
};

_Static_assert(sizeof(struct iscsi_message) == NLMSG_HDRLEN + 56, "iscsi_uevent");

FIXTURE(iscsi)
{
	int nl;			/* -1: there is no iSCSI */
	uint64_t transport;
	uint32_t sid;
	int a;
	int b;
	struct nsttest_counters before;
};

static const struct tcptest_conf conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

/* It is in the first namespace only, which init has left at a path. */
static int open_netlink(void)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int first = open("/run/first_netns", O_RDONLY | O_CLOEXEC);
	int fd = -1;

	if (own >= 0 && first >= 0 && !setns(first, CLONE_NEWNET)) {
		fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ISCSI);
		if (setns(own, CLONE_NEWNET))
			abort();
	}
	close(own);
	close(first);
	return fd;
}

static int ask(FIXTURE_DATA(iscsi) *self, struct iscsi_message *m, int type)
{
	m->nlh = (struct nlmsghdr) {
		.nlmsg_len = sizeof(*m), .nlmsg_type = type,
	};
	m->type = type;
	m->transport = self->transport;
	if (send(self->nl, m, sizeof(*m), 0) != sizeof(*m) ||
	    recv(self->nl, m, sizeof(*m), 0) < (ssize_t)sizeof(*m))
		return -errno;
	return m->type == (uint32_t)type ? 0 : -EREMOTEIO;
}

static int give(FIXTURE_DATA(iscsi) *self, int fd)
{
	struct iscsi_message m = {
		.conn = { .sid = self->sid, .fd = fd, .what = 1 },
	};

	return ask(self, &m, BIND_CONN) ?: (int)m.answer[0];
}

/* It lets go of what it was given. */
static int stop(FIXTURE_DATA(iscsi) *self)
{
	struct iscsi_message m = {
		.conn = { .sid = self->sid, .what = STOP_CONN_TERM },
	};

	return ask(self, &m, STOP_CONN);
}

FIXTURE_SETUP(iscsi)
{
	struct iscsi_message m = { .session = { .cmds_max = 16, .queue_depth = 1 } };
	FILE *f;

	self->nl = -1;
	if (system("modprobe -q iscsi_tcp"))
		NSTTEST_SKIP_FIXTURE("this kernel has no iscsi_tcp");
	f = fopen("/sys/class/iscsi_transport/tcp/handle", "r");
	ASSERT_NE(NULL, f);
	ASSERT_EQ(1, fscanf(f, "%lu", &self->transport));
	fclose(f);
	self->nl = open_netlink();
	ASSERT_LE(0, self->nl);
	ASSERT_EQ(0, ask(self, &m, CREATE_SESSION));
	self->sid = m.answer[0];
	m = (struct iscsi_message) { .conn = { .sid = self->sid } };
	ASSERT_EQ(0, ask(self, &m, CREATE_CONN));
	ASSERT_EQ(0, tcptest_pair(&conf, &self->a, &self->b));
	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	ASSERT_EQ(0, nsttest_counters(&self->before));
}

FIXTURE_TEARDOWN(iscsi)
{
	struct iscsi_message m = { .conn = { .sid = self->sid } };

	if (self->nl < 0)
		return;
	EXPECT_EQ(0, stop(self));
	EXPECT_EQ(0, ask(self, &m, DESTROY_CONN));
	m = (struct iscsi_message) { .conn = { .sid = self->sid } };
	EXPECT_EQ(0, ask(self, &m, DESTROY_SESSION));
	close(self->nl);
	close(self->a);
	close(self->b);
}

/* A PDU that nobody has authenticated goes in; no answer to it comes out. */
TEST_F(iscsi, takes_the_queue)
{
	uint8_t nop_in[48] = { 0x20, 0x80 };
	int kern, raw;
	char c;

	memset(nop_in + 16, 0xff, 8);	/* asks for no answer */
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &kern, &raw));
	ASSERT_EQ(0, tcptest_key(kern, &conf, 0));
	ASSERT_EQ(0, give(self, kern));
	ASSERT_EQ(48, send(raw, nop_in, sizeof(nop_in), 0));
	EXPECT_EQ(-1, send(kern, "login", 5, MSG_NOSIGNAL));
	EXPECT_EQ(EPROTO, errno);
	EXPECT_EQ(0, tcptest_state(kern, TCP_CLOSE));
	EXPECT_EQ(-1, recv(kern, &c, 1, 0));
	EXPECT_EQ(EPROTO, errno);
	EXPECT_EQ(-1, recv(raw, &c, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_STREQ("NstRxForeign+1", nsttest_grown(&self->before));
	close(kern);
	close(raw);
}

/* It holds the socket when the program has none any more, and gives it back. */
TEST_F(iscsi, outlives_the_program)
{
	char c;

	ASSERT_EQ(0, give(self, self->a));
	EXPECT_EQ(0, close(self->a));
	self->a = -1;
	EXPECT_EQ(-1, recv(self->b, &c, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, stop(self));
	tcptest_timeout(self->b, SO_RCVTIMEO, TCPTEST_SOON_MS);
	EXPECT_GE(0, recv(self->b, &c, 1, 0));
	EXPECT_NE(EAGAIN, errno);
}

TEST_F(iscsi, is_left_alone)
{
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &a, &b));
	ASSERT_EQ(0, give(self, a));
	EXPECT_EQ(-EBUSY, nsttest_attach(a));
	close(a);
	close(b);
}

TEST_HARNESS_MAIN
