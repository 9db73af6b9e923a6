// SPDX-License-Identifier: GPL-2.0
/*
 * An exchange by X25519MLKEM768 on streams of the kernel. Debian 12's libcrypto has it
 * not, so this is made, static, in the chroot of Debian 13 (selftests/unit/hybrid.sh).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <nst/exchange.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exchpath.h"
#include "kselftest_harness.h"
#include "nsttest.h"

#define HYBRID		NST_GROUP_X25519MLKEM768
#define FIRST		(3 + 1184 + 32)
#define SECOND		(3 + 1088 + 32)
#define SOON_MS		(nsttest_patience(5) * 1000)

static const uint16_t hybrid = HYBRID, classic = NST_GROUP_X25519;

static struct nst_exchange_opts only(const uint16_t *group)
{
	return (struct nst_exchange_opts){
		.size = sizeof(struct nst_exchange_opts), .groups = group,
		.nr_groups = 1,
	};
}

/* An exchange on a new pair, of which each end takes one group, or all there are. */
struct both {
	int fd[2];
	struct nst_exchange *ex[2];
	int err[2];
};

static void both_open(struct __test_metadata *_metadata, struct both *both,
		      const uint16_t *first, const uint16_t *second)
{
	struct nst_exchange_opts opts[2] = { only(first), only(second) };
	int i;

	ASSERT_EQ(0, exchpath_pair(both->fd));
	for (i = 0; i < 2; i++) {
		opts[i].nr_groups = !!opts[i].groups;
		ASSERT_EQ(0, nst_exchange_new(&both->ex[i], both->fd[i],
					      &opts[i]));
	}
}

static void both_close(struct both *both)
{
	int i;

	for (i = 0; i < 2; i++) {
		nst_exchange_free(both->ex[i]);
		close(both->fd[i]);
	}
}

static void step_both(struct both *both)
{
	int i;

	both->err[0] = 1;
	both->err[1] = 1;
	while (both->err[0] > 0 || both->err[1] > 0)
		for (i = 0; i < 2; i++)
			if (both->err[i] > 0)
				both->err[i] = nst_exchange_step(both->ex[i]);
}

static void expect_data(struct __test_metadata *_metadata, int a, int b)
{
	static char out[30000], in[30000];
	size_t i;

	for (i = 0; i < sizeof(out); i++)
		out[i] = i * 7;
	ASSERT_EQ(sizeof(out), send(a, out, sizeof(out), MSG_NOSIGNAL));
	ASSERT_EQ(sizeof(in), recv(b, in, sizeof(in), MSG_WAITALL));
	EXPECT_EQ(0, memcmp(in, out, sizeof(out)));
}

/* --- it works ------------------------------------------------------------- */

/* A responder that names no group takes it, too. */
TEST(agreed)
{
	const uint16_t *takes[] = { &hybrid, NULL };
	struct nst_info info;
	struct both both;
	int i, k;

	for (i = 0; i < 2; i++) {
		both_open(_metadata, &both, &hybrid, takes[i]);
		step_both(&both);
		for (k = 0; k < 2; k++) {
			EXPECT_EQ(0, both.err[k]);
			EXPECT_EQ(HYBRID, nst_exchange_group(both.ex[k]));
		}
		expect_data(_metadata, both.fd[0], both.fd[1]);
		expect_data(_metadata, both.fd[1], both.fd[0]);
		for (k = 0; k < 2; k++) {
			ASSERT_EQ(0, nst_info(both.fd[k], &info));
			EXPECT_EQ(1, info.tx.kid);
			EXPECT_EQ(1, info.rx.kid);
		}
		both_close(&both);
	}
}

/* One that takes X25519 alone says so, and a new connection goes on with that. */
TEST(refused)
{
	uint16_t groups[4] = { 0 };
	struct both both;

	both_open(_metadata, &both, &hybrid, &classic);
	step_both(&both);
	EXPECT_EQ(-EPROTONOSUPPORT, both.err[0]);
	EXPECT_EQ(-EPROTONOSUPPORT, both.err[1]);
	EXPECT_EQ(1, nst_exchange_peer_groups(both.ex[0], groups, 4));
	EXPECT_EQ(NST_GROUP_X25519, groups[0]);
	EXPECT_EQ(-1, send(both.fd[0], "plain", 5, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	both_close(&both);
	both_open(_metadata, &both, &groups[0], NULL);
	step_both(&both);
	EXPECT_EQ(0, both.err[0]);
	EXPECT_EQ(0, both.err[1]);
	EXPECT_EQ(NST_GROUP_X25519, nst_exchange_group(both.ex[1]));
	both_close(&both);
}

/* --- who has the box changes what passes ---------------------------------- */

static int wait_in(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, SOON_MS) == 1;
}

struct change {
	size_t at;
	size_t nr;
	uint8_t byte;
	size_t len;	/* of the message, if not 0 */
	int err;
};

static size_t apply(const struct change *change, uint8_t *body, size_t len)
{
	memset(body + change->at, change->byte, change->nr);
	return change->len ?: len;
}

/* What an end says to a message of a real one, after @change: 1 is the second. */
static int judged(struct __test_metadata *_metadata, int which,
		  const struct change *change)
{
	static uint8_t body[2000];
	struct both real, other;
	uint8_t type;
	size_t len;
	int err;

	both_open(_metadata, &real, &hybrid, &hybrid);
	both_open(_metadata, &other, &hybrid, &hybrid);
	ASSERT_EQ(POLLIN, nst_exchange_step(real.ex[0]));
	if (which) {
		/* This end's message 1 goes to a responder, whose answer is used. */
		ASSERT_TRUE(wait_in(real.fd[1]));
		ASSERT_EQ(FIRST, nst_recv_record(real.fd[1], &type, body,
						 sizeof(body), 0));
		ASSERT_EQ(FIRST, nst_send_record(other.fd[0], 254, body, FIRST, 0));
		ASSERT_TRUE(wait_in(other.fd[1]));
		ASSERT_EQ(0, nst_exchange_step(other.ex[1]));
		ASSERT_TRUE(wait_in(other.fd[0]));
		ASSERT_EQ(SECOND, nst_recv_record(other.fd[0], &type, body,
						  sizeof(body), 0));
		len = apply(change, body, SECOND);
		ASSERT_EQ(len, nst_send_record(real.fd[1], 255, body, len, 0));
		ASSERT_TRUE(wait_in(real.fd[0]));
		err = nst_exchange_step(real.ex[0]);
	} else {
		ASSERT_TRUE(wait_in(real.fd[1]));
		ASSERT_EQ(FIRST, nst_recv_record(real.fd[1], &type, body,
						 sizeof(body), 0));
		len = apply(change, body, FIRST);
		ASSERT_EQ(len, nst_send_record(other.fd[0], 254, body, len, 0));
		ASSERT_TRUE(wait_in(other.fd[1]));
		err = nst_exchange_step(other.ex[1]);
	}
	both_close(&real);
	both_close(&other);
	return err;
}

/* ML-KEM answers a ciphertext that is not its own by a secret that nobody has. */
TEST(changed)
{
	static const struct change first[] = {
		{ 0, 0, 0, 0, 0 },
		{ 3, 1184, 0xff, 0, -EKEYREJECTED },	/* no key: FIPS 203, 7.2 */
		{ 3 + 1184, 32, 0, 0, -EKEYREJECTED },	/* gives zero */
		{ 0, 0, 0, FIRST - 1, -EPROTO },
		{ 0, 0, 0, FIRST + 1, -EPROTO },
		{ 0, 0, 0, 35, -EPROTO },
	}, second[] = {
		{ 0, 0, 0, 0, 0 },
		{ 3, 1088, 0xff, 0, 0 },
		{ 3 + 1088, 32, 0, 0, -EKEYREJECTED },
		{ 2, 1, 0x1d, 35, -EPROTO },
		{ 0, 0, 0, SECOND - 1, -EPROTO },
		{ 0, 0, 0, SECOND + 1, -EPROTO },
	};
	unsigned int i;

	for (i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		EXPECT_EQ(first[i].err, judged(_metadata, 0, &first[i]));
	for (i = 0; i < sizeof(second) / sizeof(second[0]); i++)
		EXPECT_EQ(second[i].err, judged(_metadata, 1, &second[i]));
}

/* --- who has not ---------------------------------------------------------- */

static int at_some(enum exchpath_act what, int dir, int every, int may)
{
	struct exchpath conf = {
		.group = HYBRID, .dir = dir, .every = every, .may = may,
	};

	return exchpath_all(what, &conf);
}

TEST(path)
{
	int dir;

	EXPECT_EQ(1, at_some(DRIBBLE, 0, 1, 0));
	for (dir = 0; dir < 2; dir++) {
		EXPECT_EQ(1, at_some(FLIP, dir, 97, 0));
		EXPECT_EQ(1, at_some(CUT, dir, 211, 0));
		EXPECT_EQ(1, at_some(REPEAT, dir, 601, 1));
	}
}

TEST_HARNESS_MAIN
