// SPDX-License-Identifier: GPL-2.0
/*
 * Whose turn it is. What stands behind a control record is not looked at before the
 * program has taken that, and receives again: it may set keys in between, as who has
 * read message 2 of an exchange of keys does (protocol.md 8). What came behind it, all
 * of it there already, is judged by the new keys alone.
 */
#define _GNU_SOURCE
#include <sys/ioctl.h>

#include "hostile.h"
#include "tcptest.h"

#define CTL	16
#define LONG	60000	/* bytes: more than is left with TCP until it is complete */

static const struct peer_secret new_box = {
	.kid = NSTTEST_KID, .key = { "of the exchange of ephemeral key" },
};

FIXTURE(turn)
{
	struct conn *c;
};

FIXTURE_VARIANT(turn)
{
	bool first;	/* the control record is the START */
	bool same;	/* the epoch behind it has the identity of the one before */
	bool bound;
	int empty;	/* records without plaintext in front of what comes */
	size_t len;	/* of that; 0: a close record */
};

#define VARIANT(name, ...) FIXTURE_VARIANT_ADD(turn, name) { __VA_ARGS__ }

VARIANT(one, .len = 20);
VARIANT(one_bound, .len = 20, .bound = true);
VARIANT(empty, .len = 20, .empty = 3);
VARIANT(empty_same_identity, .len = 20, .empty = 3, .same = true);
VARIANT(one_same_identity, .len = 20, .same = true);
VARIANT(long_one, .len = LONG);
VARIANT(end, .len = 0);
VARIANT(empty_end, .len = 0, .empty = 1);
VARIANT(first, .len = 20, .first = true);
VARIANT(first_empty, .len = 20, .first = true, .empty = 3);
VARIANT(first_same_identity, .len = 20, .first = true, .same = true, .empty = 1);

FIXTURE_SETUP(turn)
{
	static const struct nsttest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
		.flags = NST_F_RESPONDER,
	};

	self->c = conn_open(_metadata, AF_INET, 0, &conf);
	if (variant->bound)
		conn_bind(_metadata, self->c);
}

FIXTURE_TEARDOWN(turn)
{
	conn_close(self->c);
}

/* All that the peer sends, in one go. */
static void send_all(struct __test_metadata *_metadata, struct conn *c,
		     const FIXTURE_VARIANT(turn) *variant)
{
	static uint8_t buf[LONG];
	int i;

	if (!variant->first)
		conn_add(c, PEER_DATA, GOOD, GOOD_LEN);
	conn_add(c, CTL, "message 2", 9);
	c->p.box = &new_box;
	c->p.nr_box = 1;
	if (!variant->same)
		peer_epoch(&c->p, NSTTEST_KID);
	for (i = 0; i < variant->empty; i++)
		conn_add(c, PEER_DATA, NULL, 0);
	tcptest_fill(buf, variant->len, 0);
	if (variant->len)
		conn_add(c, PEER_DATA, buf, variant->len);
	else
		conn_add(c, PEER_CLOSE, NULL, 0);
	conn_flush(_metadata, c, c->len);
}

/* Whatever may have the kernel look at what is there. */
static void tempt(struct __test_metadata *_metadata, struct conn *c)
{
	struct nst_info info;
	int n;

	EXPECT_EQ(0, ioctl(c->k, FIONREAD, &n));
	tcptest_poll(c->k, POLLIN | POLLOUT, TCPTEST_NEVER_MS);
	EXPECT_EQ(1, send(c->k, "x", 1, 0));
	EXPECT_EQ(0, tcptest_set_int(c->k, SOL_SOCKET, SO_RCVLOWAT, 100));
	EXPECT_EQ(0, tcptest_set_int(c->k, SOL_SOCKET, SO_RCVLOWAT, 1));
	usleep(TCPTEST_NEVER_MS * 1000);
	ASSERT_EQ(0, tcptest_info(c->k, &info));
	EXPECT_EQ(0, info.error);
}

static void set_keys(struct __test_metadata *_metadata, struct conn *c)
{
	struct nsttest_info ti;

	nsttest_fill(&ti, NST_CIPHER_AES_GCM);
	ti.info.nr_keys = 1;
	ti.info.flags = NST_F_RESPONDER;
	memcpy(ti.keys[0].key, new_box.key, NST_KEY_SIZE);
	ASSERT_EQ(0, setsockopt(c->k, SOL_NST, NST_RX, &ti, sizeof(ti.info) +
				sizeof(ti.keys[0])));
}

TEST_F(turn, new_keys_behind_a_control_record)
{
	static uint8_t buf[LONG];
	struct conn *c = self->c;
	char text[16];
	int type;

	send_all(_metadata, c, variant);
	ASSERT_EQ(POLLIN, tcptest_poll(c->k, POLLIN, TCPTEST_SOON_MS));
	if (!variant->first)
		expect_data(_metadata, c, GOOD);
	tempt(_metadata, c);
	EXPECT_EQ(9, tcptest_recv_type(c->k, &type, text, sizeof(text),
				       MSG_PEEK));
	tempt(_metadata, c);
	ASSERT_EQ(9, tcptest_recv_type(c->k, &type, text, sizeof(text), 0));
	EXPECT_EQ(CTL, type);
	tempt(_metadata, c);
	set_keys(_metadata, c);
	ASSERT_EQ((ssize_t)variant->len,
		  recv(c->k, buf, variant->len ?: 1, MSG_WAITALL)) {
		TH_LOG("%s: %s", strerror(errno), nsttest_grown(&c->before));
	}
	EXPECT_TRUE(tcptest_same(buf, variant->len, 0));
	if (!variant->len)
		return;
	/* And it goes on. */
	ASSERT_EQ(0, peer_send(&c->p, PEER_DATA, GOOD, GOOD_LEN));
	expect_data(_metadata, c, GOOD);
}

/* Without new keys it is refused, but not before its turn. */
TEST_F(turn, old_keys_behind_a_control_record)
{
	struct conn *c = self->c;
	char text[16];
	int type;

	send_all(_metadata, c, variant);
	ASSERT_EQ(POLLIN, tcptest_poll(c->k, POLLIN, TCPTEST_SOON_MS));
	if (!variant->first)
		expect_data(_metadata, c, GOOD);
	ASSERT_EQ(9, tcptest_recv_type(c->k, &type, text, sizeof(text), 0));
	tempt(_metadata, c);
	expect_error(_metadata, c->k, EBADMSG);
	expect_counted(_metadata, c, "NstRxAuth");
}

TEST_HARNESS_MAIN
