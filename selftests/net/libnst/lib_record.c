// SPDX-License-Identifier: GPL-2.0
/* nst_send_record() and nst_recv_record(): whole, or an error that says so. */
#define _GNU_SOURCE
#include <netinet/ip.h>
#include <nst/nst.h>
#include <pthread.h>

#include "kselftest_harness.h"
#include "udptest.h"

#define RECORDS	400	/* of each type */
#define READERS	3
#define REC_MAX	3000

TCPTEST_PAIRS(stream, TCPTEST_VARIANTS_FEW);

static void sends(struct __test_metadata *_metadata, int fd, int type,
		  const char *text)
{
	ASSERT_EQ(strlen(text), nst_send_record(fd, type, text, strlen(text),
						0));
}

/* The next one is of @type and says @text. */
static void comes(struct __test_metadata *_metadata, int fd, int type,
		  const char *text, int flags)
{
	uint8_t seen = 99;
	char buf[64] = "";

	ASSERT_EQ(strlen(text), nst_recv_record(fd, &seen, buf, sizeof(buf),
						flags));
	EXPECT_EQ(type, seen);
	EXPECT_STREQ(text, buf);
}

static void nothing_comes(struct __test_metadata *_metadata, int fd)
{
	uint8_t type;
	char c;

	EXPECT_EQ(-EAGAIN, nst_recv_record(fd, &type, &c, 1, MSG_DONTWAIT));
}

TEST_F(stream, types)
{
	int type;

	sends(_metadata, self->a, NST_TYPE_APP_MIN, "the first type");
	sends(_metadata, self->a, 255, "the last type");
	sends(_metadata, self->a, NST_TYPE_DATA, "data");
	comes(_metadata, self->b, NST_TYPE_APP_MIN, "the first type", 0);
	comes(_metadata, self->b, 255, "the last type", 0);
	comes(_metadata, self->b, NST_TYPE_DATA, "data", 0);
	for (type = 1; type < NST_TYPE_APP_MIN; type++)
		EXPECT_EQ(-EINVAL, nst_send_record(self->a, type, "x", 1, 0));
	EXPECT_EQ(-EINVAL, nst_send_record(self->a, 16, "", 0, 0));
	EXPECT_EQ(-EINVAL, nst_send_record(self->a, 16, "x", 1, MSG_MORE));
	EXPECT_EQ(-EOPNOTSUPP, nst_send_record(self->a, 16, "x", 1, MSG_OOB));
	nothing_comes(_metadata, self->b);
}

/* What data had been held back goes before a record, and they never mix. */
TEST_F(stream, data_between)
{
	ASSERT_EQ(3, nst_send_record(self->a, 0, "abc", 3, MSG_MORE));
	sends(_metadata, self->a, 100, "control");
	sends(_metadata, self->a, 0, "def");
	sends(_metadata, self->a, 0, "ghi");
	comes(_metadata, self->b, 0, "abc", MSG_WAITALL);
	EXPECT_EQ(-EIO, tcptest_recv_flags(self->b, NULL, 0, 0, NULL));
	comes(_metadata, self->b, 100, "control", MSG_PEEK);
	comes(_metadata, self->b, 100, "control", 0);
	ASSERT_EQ(0, tcptest_arrived(self->b, 6));
	comes(_metadata, self->b, 0, "defghi", 0);
	nothing_comes(_metadata, self->b);
}

TEST_F(stream, too_short_a_buffer_loses_nothing)
{
	char buf[64];
	uint8_t type;

	sends(_metadata, self->a, 100, "twelve bytes");
	sends(_metadata, self->a, 101, "and one more");
	ASSERT_EQ(POLLIN, tcptest_poll(self->b, POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(-EMSGSIZE, nst_recv_record(self->b, &type, buf, 11, 0));
	EXPECT_EQ(-EMSGSIZE, nst_recv_record(self->b, &type, buf, 0, 0));
	EXPECT_EQ(-EMSGSIZE, nst_recv_record(self->b, &type, buf, 1, MSG_PEEK));
	EXPECT_EQ(12, nst_recv_record(self->b, &type, buf, 12, 0));
	EXPECT_EQ(100, type);
	comes(_metadata, self->b, 101, "and one more", 0);
}

TEST_F(stream, too_long_a_record_sends_nothing)
{
	static char big[65536];
	uint8_t type;

	ASSERT_EQ(0, tcptest_record_max(self->a, 65535));
	EXPECT_EQ(-EMSGSIZE, nst_send_record(self->a, 16, big, 65536, 0));
	EXPECT_EQ(65535, nst_send_record(self->a, 16, big, 65535, 0));
	EXPECT_EQ(65535, nst_recv_record(self->b, &type, big,
					 NST_RECORD_MAX_MAX, 0));
	EXPECT_EQ(16, type);
	ASSERT_EQ(0, tcptest_record_max(self->a, 64));
	EXPECT_EQ(-EMSGSIZE, nst_send_record(self->a, 16, big, 65, 0));
	nothing_comes(_metadata, self->b);
}

/* Nobody reads: each record that was taken is there, and no part of another. */
TEST_F(stream, all_or_nothing)
{
	static char big[30000];
	unsigned int sent = 0, got = 0;
	uint8_t type;
	ssize_t n;

	do {
		n = nst_send_record(self->a, 16, big, sizeof(big),
				    MSG_DONTWAIT);
		sent += n > 0;
		if (n > 0)
			ASSERT_EQ(sizeof(big), n);
	} while (n > 0);
	EXPECT_EQ(-EAGAIN, n);
	EXPECT_LT(2, sent);
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	while ((n = nst_recv_record(self->b, &type, big, sizeof(big), 0)) > 0) {
		ASSERT_EQ(sizeof(big), n);
		ASSERT_EQ(16, type);
		got++;
	}
	EXPECT_EQ(0, n);
	EXPECT_EQ(NST_TYPE_DATA, type);
	EXPECT_EQ(sent, got);
}

TEST_F(stream, ends)
{
	uint8_t type;
	char c;

	sends(_metadata, self->a, 16, "last words");
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(-EPIPE, nst_send_record(self->a, 16, "x", 1, 0));
	comes(_metadata, self->b, 16, "last words", 0);
	EXPECT_EQ(0, nst_recv_record(self->b, &type, &c, 1, 0));
	EXPECT_EQ(0, nst_recv_record(self->b, &type, &c, 1, 0));
	sends(_metadata, self->b, 16, "the other way");
	comes(_metadata, self->a, 16, "the other way", 0);
}

TEST_F(stream, waits_no_longer_than_it_may)
{
	uint8_t type;
	char c;

	ASSERT_EQ(0, tcptest_timeout(self->b, SO_RCVTIMEO, 30));
	EXPECT_EQ(-EAGAIN, nst_recv_record(self->b, &type, &c, 1, 0));
	nothing_comes(_metadata, self->b);
	EXPECT_EQ(-EOPNOTSUPP, nst_recv_record(self->b, &type, &c, 1, MSG_OOB));
	EXPECT_EQ(-EOPNOTSUPP, nst_recv_record(self->b, &type, &c, 1,
					       MSG_ERRQUEUE));
}

TEST(without_keys)
{
	uint8_t type;
	char c;
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	ASSERT_EQ(0, nsttest_attach(a));
	EXPECT_EQ(-ENOKEY, nst_send_record(a, 16, "x", 1, 0));
	EXPECT_EQ(-ENOKEY, nst_send_record(a, 0, "x", 1, 0));
	EXPECT_EQ(-ENOKEY, nst_recv_record(a, &type, &c, 1, 0));
	close(a);
	close(b);
}

/* --- several readers ------------------------------------------------------ */

/* What they have seen: how often each record, and what was wrong. */
static struct {
	int fd;
	unsigned int seen[2 * RECORDS];
	unsigned int bad;
	unsigned int data;
} shared;

static size_t length_of(unsigned int nr)
{
	return 8 + nr * 37 % (REC_MAX - 8);
}

static void judge(uint8_t type, const uint8_t *buf, ssize_t n)
{
	unsigned int nr;

	if (type == NST_TYPE_DATA) {
		__atomic_fetch_add(&shared.data, n, __ATOMIC_RELAXED);
		return;
	}
	memcpy(&nr, buf, sizeof(nr));
	if (n < 8 || nr >= 2 * RECORDS || (size_t)n != length_of(nr) ||
	    type != 16 + nr % 2 || !tcptest_same(buf + 4, n - 4, nr))
		__atomic_fetch_add(&shared.bad, 1, __ATOMIC_RELAXED);
	else
		__atomic_fetch_add(&shared.seen[nr], 1, __ATOMIC_RELAXED);
}

static void *reader(void *arg)
{
	uint8_t buf[REC_MAX], type;
	ssize_t n;

	(void)arg;
	while ((n = nst_recv_record(shared.fd, &type, buf, sizeof(buf), 0)) > 0)
		judge(type, buf, n);
	if (n)
		__atomic_fetch_add(&shared.bad, 1, __ATOMIC_RELAXED);
	return NULL;
}

/* Between a look and a take another reader may come: nobody loses anything. */
TEST_F(stream, readers_share)
{
	pthread_t threads[READERS];
	uint8_t buf[REC_MAX];
	unsigned int nr;
	int i;

	memset(&shared, 0, sizeof(shared));
	shared.fd = self->b;
	for (i = 0; i < READERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, reader, NULL));
	for (nr = 0; nr < 2 * RECORDS; nr++) {
		memcpy(buf, &nr, sizeof(nr));
		tcptest_fill(buf + 4, length_of(nr) - 4, nr);
		ASSERT_EQ(length_of(nr),
			  nst_send_record(self->a, 16 + nr % 2, buf,
					  length_of(nr), 0));
		if (nr % 5 == 0)
			ASSERT_EQ(100, nst_send_record(self->a, 0, buf, 100, 0));
	}
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	for (i = 0; i < READERS; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	EXPECT_EQ(0, shared.bad);
	EXPECT_EQ(2 * RECORDS / 5 * 100, shared.data);
	for (nr = 0; nr < 2 * RECORDS; nr++)
		ASSERT_EQ(1, shared.seen[nr]);
}

/* --- datagrams ------------------------------------------------------------ */

UDPTEST_PAIRS(dgram, UDPTEST_VARIANTS_NST, udptest_met);

FIXTURE_TEARDOWN(dgram)
{
	close(self->a);
	close(self->b);
}

TEST_F(dgram, types)
{
	uint8_t type;
	char c;

	sends(_metadata, self->a, 16, "a datagram");
	sends(_metadata, self->a, 255, "and one more");
	sends(_metadata, self->a, 0, "data");
	EXPECT_EQ(0, nst_send_record(self->a, 77, "", 0, 0));
	comes(_metadata, self->b, 16, "a datagram", MSG_PEEK);
	comes(_metadata, self->b, 16, "a datagram", 0);
	comes(_metadata, self->b, 255, "and one more", 0);
	comes(_metadata, self->b, 0, "data", 0);
	EXPECT_EQ(0, nst_recv_record(self->b, &type, &c, 1, 0));
	EXPECT_EQ(77, type);
	EXPECT_EQ(-EINVAL, nst_send_record(self->a, 3, "x", 1, 0));
	nothing_comes(_metadata, self->b);
}

TEST_F(dgram, too_short_a_buffer_loses_one)
{
	char buf[64];
	uint8_t type;

	sends(_metadata, self->a, 16, "twelve bytes");
	sends(_metadata, self->a, 17, "the next");
	EXPECT_EQ(-EMSGSIZE, nst_recv_record(self->b, &type, buf, 11, MSG_PEEK));
	EXPECT_EQ(-EMSGSIZE, nst_recv_record(self->b, &type, buf, 11, 0));
	comes(_metadata, self->b, 17, "the next", 0);
}

TEST_F(dgram, too_long_sends_nothing)
{
	static char big[65536];

	EXPECT_EQ(-EMSGSIZE, nst_send_record(self->a, 16, big, sizeof(big), 0));
	nothing_comes(_metadata, self->b);
}

/* Whatever else a program wants to be told, the type has room behind it. */
TEST_F(dgram, type_among_others)
{
	static const int options[] = {
		IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_RECVORIGDSTADDR,
	};
	unsigned int i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (!udptest_is_v6(&variant->conf))
			ASSERT_EQ(0, tcptest_set_int(self->b, IPPROTO_IP,
						     options[i], 1));
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	sends(_metadata, self->a, 200, "with its type");
	comes(_metadata, self->b, 200, "with its type", 0);
}

TEST(dgram_to_nobody)
{
	struct udptest_conf conf = {
		.family = UDPTEST_IPV4, .cipher_id = NST_CIPHER_AES_GCM,
	};
	int fd = udptest_new(&conf);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EDESTADDRREQ, nst_send_record(fd, 16, "x", 1, 0));
	close(fd);
}

TEST_HARNESS_MAIN
