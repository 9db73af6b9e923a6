// SPDX-License-Identifier: GPL-2.0
/*
 * A UDP socket's epoch ends after ten minutes. Takes eleven, so it is no part of
 * make check: make vm KERNEL=6.1 TEST=udp_age VMFLAGS='-t 900 -T 960'
 */
#define _GNU_SOURCE
#include <unistd.h>

#include "kselftest_harness.h"
#include "udptest.h"

#define EPOCH_SECONDS	600

static const struct udptest_conf private4 = {
	.family = UDPTEST_IPV4, .cipher_id = NST_CIPHER_AES_GCM,
};

static struct nst_info info_of(int fd)
{
	struct nst_info info;

	memset(&info, 0xff, sizeof(info));
	tcptest_info(fd, &info);
	return info;
}

FIXTURE(age)
{
};

FIXTURE_SETUP(age)
{
	ASSERT_EQ(0, nsttest_netns());
}

FIXTURE_TEARDOWN(age)
{
}

/* Wakes every half minute, to send what must not begin an epoch. */
TEST_F_TIMEOUT(age, ends_the_epoch, 880)
{
	unsigned int nr = 1, s;
	int a, b;

	ASSERT_EQ(0, udptest_met(&private4, &a, &b));
	for (s = 0; s < EPOCH_SECONDS - 30; s += 30) {
		sleep(30);
		ASSERT_EQ(0, udptest_send(a, ++nr, 100));
		ASSERT_EQ(0, udptest_recv(b, nr, 100));
		ASSERT_EQ(1, (int)info_of(a).tx.epochs);
	}
	sleep(60);
	ASSERT_EQ(0, udptest_send(a, ++nr, 100));
	EXPECT_EQ(0, udptest_recv(b, nr, 100));
	EXPECT_EQ(2, (int)info_of(a).tx.epochs);
	EXPECT_EQ(1, (int)info_of(a).tx.epoch_records);
	EXPECT_EQ(0, udptest_send(b, ++nr, 100));
	EXPECT_EQ(0, udptest_recv(a, nr, 100));
}

TEST_HARNESS_MAIN
