// SPDX-License-Identifier: GPL-2.0
/*
 * Corners of a socket's life that a review found open once: attaching in the
 * middle of something, floods without content, calls of many messages.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

static const struct tcptest_conf plain_conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

FIXTURE(corner) {
	int lis;
	int client;
	struct sockaddr_in addr;
};

FIXTURE_SETUP(corner)
{
	socklen_t len = sizeof(self->addr);

	memset(&self->addr, 0, sizeof(self->addr));
	self->addr.sin_family = AF_INET;
	self->addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	self->lis = socket(AF_INET, SOCK_STREAM, 0);
	self->client = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, bind(self->lis, (void *)&self->addr, len));
	ASSERT_EQ(0, listen(self->lis, 4));
	ASSERT_EQ(0, getsockname(self->lis, (void *)&self->addr, &len));
}

FIXTURE_TEARDOWN(corner)
{
	close(self->lis);
	close(self->client);
}

TEST_F(corner, refused_connect_again)
{
	struct sockaddr_in addr = self->addr;

	ASSERT_EQ(0, nsttest_attach(self->client));
	addr.sin_port = htons(1);
	EXPECT_EQ(-1, connect(self->client, (void *)&addr, sizeof(addr)));
	EXPECT_EQ(ECONNREFUSED, errno);
	EXPECT_EQ(0, connect(self->client, (void *)&self->addr,
			     sizeof(self->addr)));
}

TEST(sendmmsg_takes_all)
{
	char out[3][100], in[300];
	struct mmsghdr msgs[3] = {};
	struct iovec iov[3];
	int a, b, i;

	ASSERT_EQ(0, tcptest_pair(&plain_conf, &a, &b));
	for (i = 0; i < 3; i++) {
		tcptest_fill(out[i], 100, 100 * i);
		iov[i] = (struct iovec){ .iov_base = out[i], .iov_len = 100 };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	ASSERT_EQ(3, sendmmsg(a, msgs, 3, 0));
	ASSERT_EQ(sizeof(in), recv(b, in, sizeof(in), MSG_WAITALL));
	EXPECT_TRUE(tcptest_same(in, sizeof(in), 0));
	close(a);
	close(b);
}

/* A poller waits for SO_RCVLOWAT bytes, in however many records they come. */
TEST(lowat_over_records)
{
	pid_t pid;
	int a, b;

	ASSERT_EQ(0, tcptest_pair(&plain_conf, &a, &b));
	ASSERT_EQ(0, tcptest_bind(a, b));
	ASSERT_EQ(0, tcptest_set_int(b, SOL_SOCKET, SO_RCVLOWAT, 3000));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		for (int i = 0; i < 4; i++) {
			usleep(100000);
			if (tcptest_send(a, 1000 * i, 1000, 1000))
				_exit(1);
		}
		_exit(0);
	}
	EXPECT_EQ(POLLIN, tcptest_poll(b, POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(0, tcptest_recv(b, 0, 4000, 4000));
	EXPECT_EQ(0, tcptest_reap(pid));
	close(a);
	close(b);
}

/*
 * A peer that holds a key and sends nothing but records without plaintext, as
 * fast as it can, keeps nobody in a call that is not to wait, nor in close().
 */
TEST(flood_of_empty_records)
{
	struct nsttest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
	};
	int kern, raw, status, i;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &kern, &raw));
	ASSERT_EQ(0, nsttest_attach(kern));
	ASSERT_EQ(0, nsttest_install(kern, &conf));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		static uint8_t buf[1 << 16];
		struct peer p;

		close(kern);
		peer_init(&p, raw, NST_CIPHER_AES_GCM, nsttest_box,
			  NSTTEST_KEYS);
		for (;;) {
			size_t n = 0;

			while (n + 100 < sizeof(buf))
				n += peer_append(&p, NST_TYPE_DATA, NULL, 0,
						 buf + n);
			if (peer_write(raw, buf, n))
				_exit(0);
		}
	}
	close(raw);
	usleep(200000);
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(-1, recv(kern, &byte, 1, MSG_DONTWAIT));
		EXPECT_EQ(EAGAIN, errno);
	}
	EXPECT_EQ(0, close(kern));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
}

TEST_HARNESS_MAIN
