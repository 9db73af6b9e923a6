// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's NFS server takes a UDP socket by its descriptor and writes its own
 * sk_user_data there, without looking whose it is. A socket with NST is of no use
 * to it, nor to the program from then on, and nobody comes to harm.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "nfsdtest.h"
#include "udptest.h"

FIXTURE(nfsd)
{
	struct nfsdtest nfsd;
	struct nsttest_counters before;
	struct udptest_name name;
	int a;
	int b;
};

FIXTURE_VARIANT(nfsd)
{
	struct udptest_conf conf;
};

FIXTURE_VARIANT_ADD(nfsd, ipv4)
{
	.conf = {
		.family = UDPTEST_IPV4, .cipher_id = NST_CIPHER_AES_GCM,
	},
};

/* These have an sk_write_space of NST's besides. */
FIXTURE_VARIANT_ADD(nfsd, ipv6)
{
	.conf = {
		.family = UDPTEST_IPV6, .cipher_id = NST_CIPHER_AES_GCM,
	},
};

FIXTURE_SETUP(nfsd)
{
	if (system("modprobe -q nfsd"))
		NSTTEST_SKIP_FIXTURE("this kernel has no nfsd");
	ASSERT_EQ(0, nfsdtest_open(&self->nfsd));
	self->a = udptest_bound(&variant->conf);
	self->b = udptest_bound(&variant->conf);
	ASSERT_LE(0, self->a);
	ASSERT_LE(0, self->b);
	ASSERT_EQ(0, udptest_name(self->b, &self->name));
	/* The session is known, and nothing waits. */
	ASSERT_EQ(0, udptest_sendto(self->a, &self->name, 0, 100));
	ASSERT_EQ(0, udptest_recv(self->b, 0, 100));
	ASSERT_EQ(0, nsttest_counters(&self->before));
}

FIXTURE_TEARDOWN(nfsd)
{
	nfsdtest_close(&self->nfsd);
	close(self->a);
	close(self->b);
}

/* Two come to B, one of them of a stranger's making. Loopback is at once. */
static void send_and_lose(struct __test_metadata *_metadata,
			  FIXTURE_DATA(nfsd) *self,
			  const struct udptest_conf *conf)
{
	struct udptest_conf plain = *conf;
	char b[100] = "NSTP";
	int fd;

	plain.cipher_id = 0;
	fd = udptest_open(&plain);
	EXPECT_EQ(0, udptest_sendto(self->a, &self->name, 1, 100));
	EXPECT_EQ(100, sendto(fd, b, 100, 0, udptest_sa(&self->name),
			      self->name.len));
	close(fd);
}

TEST_F_TIMEOUT(nfsd, takes_it, 120)
{
	char b[100];

	ASSERT_EQ(0, nfsdtest_give(self->b));
	send_and_lose(_metadata, self, &variant->conf);
	EXPECT_STREQ("NstRxForeign+2", nsttest_grown(&self->before));
	/* A reader who does not wait is told nothing, or the server would ask on. */
	EXPECT_EQ(-1, recv(self->b, b, sizeof(b), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, recv(self->b, b, sizeof(b), 0));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-EIO, udptest_sendto(self->b, &self->name, 2, 100));
}

/* It leaves NULL behind. */
TEST_F_TIMEOUT(nfsd, gives_it_back, 120)
{
	char b[100];

	ASSERT_EQ(0, nfsdtest_give(self->b));
	nfsdtest_stop();
	send_and_lose(_metadata, self, &variant->conf);
	EXPECT_STREQ("NstRxForeign+2", nsttest_grown(&self->before));
	EXPECT_EQ(-1, recv(self->b, b, sizeof(b), MSG_DONTWAIT));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-EIO, udptest_sendto(self->b, &self->name, 2, 100));
}

/* The program goes first, and the server closes it. */
TEST_F_TIMEOUT(nfsd, has_the_last_of_it, 120)
{
	ASSERT_EQ(0, nfsdtest_give(self->b));
	close(self->b);
	send_and_lose(_metadata, self, &variant->conf);
	EXPECT_STREQ("NstRxForeign+2", nsttest_grown(&self->before));
	nfsdtest_stop();
	self->b = -1;
}

TEST_F_TIMEOUT(nfsd, had_it_before, 120)
{
	struct udptest_conf plain = variant->conf;
	int fd;

	plain.cipher_id = 0;
	fd = udptest_bound(&plain);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, nfsdtest_give(fd));
	EXPECT_EQ(-EBUSY, udptest_attach(fd));
	close(fd);
}

TEST_HARNESS_MAIN
