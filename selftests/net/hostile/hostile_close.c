// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that does not let a closed connection end as it should: it does not
 * answer, sends plaintext or nonsense, or cuts its own stream off.
 */
#include "closetest.h"
#include "hostile.h"

static const struct nsttest_conf responder = {
	.cipher_id = NST_CIPHER_AES_GCM,
	.nr_keys = NSTTEST_KEYS,
	.flags = NST_F_RESPONDER,
};

FIXTURE(raw)
{
	struct conn *c;
	unsigned int port;
};

FIXTURE_SETUP(raw)
{
	self->c = conn_open(_metadata, AF_INET, 0, &responder);
	self->port = close_port(self->c->k);
}

FIXTURE_TEARDOWN(raw)
{
	conn_close(self->c);
	close_wait_lingering(0);
}

/* Reads to the end. Returns the type of the last record, or -errno. */
static int last_type(int fd)
{
	static uint8_t buf[1000000];
	size_t got = 0, at;
	struct peer_hdr h;
	int type = -1;
	ssize_t n;

	while ((n = recv(fd, buf + got, sizeof(buf) - got, 0)) > 0)
		got += n;
	if (n)
		return -errno;
	for (at = 0; at + PEER_HDR_SIZE <= got; at += PEER_HDR_SIZE + h.len) {
		peer_hdr_get(&h, buf + at);
		type = h.flags & PEER_F_TYPE;
	}
	return type;
}

static void close_kernel(struct __test_metadata *_metadata, struct conn *c)
{
	ASSERT_EQ(0, close(c->k));
	c->k = -1;
}

/* The same, and its close record and FIN have come. */
static void close_orderly(struct __test_metadata *_metadata, struct conn *c)
{
	close_kernel(_metadata, c);
	ASSERT_EQ(PEER_CLOSE, last_type(c->raw));
	EXPECT_EQ(1, nsttest_stat("NstLingering"));
}

static void expect_killed(struct __test_metadata *_metadata,
			  FIXTURE_DATA(raw) *self)
{
	EXPECT_NE(0, tcptest_poll(self->c->raw, POLLERR, TCPTEST_SOON_MS) &
		     POLLERR);
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(0, close_state(self->port));
}

/* --- what the peer's FIN has cut off -------------------------------------- */

/* It takes nothing from what this end has to say. */
static void run_cut(struct __test_metadata *_metadata, struct conn *c,
		    size_t part, bool read)
{
	static char reply[200000], body[3000];
	char in[16];
	size_t whole;

	conn_add(c, PEER_DATA, "request", 7);
	whole = c->len;
	conn_add(c, PEER_DATA, body, sizeof(body));
	c->len = whole + part;
	conn_flush(_metadata, c, c->len);
	ASSERT_EQ(0, shutdown(c->raw, SHUT_WR));
	ASSERT_EQ(7, recv(c->k, in, 7, MSG_WAITALL));
	if (read)
		expect_error(_metadata, c->k, ECONNABORTED);
	ASSERT_EQ(sizeof(reply), send(c->k, reply, sizeof(reply),
				      MSG_NOSIGNAL));
	close_kernel(_metadata, c);
	EXPECT_EQ(PEER_CLOSE, last_type(c->raw));
	EXPECT_EQ(0, close_error(c->raw));
}

TEST_F(raw, reply_to_cut_body)
{
	run_cut(_metadata, self->c, 1000, true);
}

TEST_F(raw, reply_to_cut_body_not_seen)
{
	run_cut(_metadata, self->c, 1000, false);
}

TEST_F(raw, reply_to_cut_header)
{
	run_cut(_metadata, self->c, 20, true);
}

TEST_F(raw, reply_to_cut_stream)
{
	run_cut(_metadata, self->c, 0, true);
}

/* A whole record in front of what was cut off is unread all the same. */
TEST_F(raw, unread_before_cut)
{
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	conn_add(self->c, PEER_DATA, EVIL, EVIL_LEN);
	self->c->len -= 1;
	conn_flush(_metadata, self->c, self->c->len);
	ASSERT_EQ(0, shutdown(self->c->raw, SHUT_WR));
	ASSERT_EQ(POLLIN, tcptest_poll(self->c->k, POLLIN, TCPTEST_SOON_MS) &
			  POLLIN);
	close_kernel(_metadata, self->c);
	EXPECT_EQ(-ECONNRESET, last_type(self->c->raw));
}

/* --- plaintext ------------------------------------------------------------ */

/* Unread at close(): a reset in place of the close record. */
TEST_F(raw, header_before_close)
{
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	self->c->len = PEER_HDR_SIZE;
	conn_flush(_metadata, self->c, self->c->len);
	close_kernel(_metadata, self->c);
	EXPECT_EQ(-ECONNRESET, last_type(self->c->raw));
	EXPECT_EQ(0, nsttest_stat("NstLingering"));
}

/* However much that is no plaintext stands in front of it, and what behind. */
TEST_F(raw, unread_behind_empty_records)
{
	int i;

	for (i = 0; i < 200; i++)
		conn_add(self->c, 16, NULL, 0);
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	conn_add(self->c, PEER_CLOSE, NULL, 0);
	conn_flush(_metadata, self->c, self->c->len);
	ASSERT_EQ(0, shutdown(self->c->raw, SHUT_WR));
	close_kernel(_metadata, self->c);
	EXPECT_EQ(-ECONNRESET, last_type(self->c->raw));
	EXPECT_EQ(0, nsttest_stat("NstLingering"));
}

/* Of those alone nothing is unread. */
TEST_F(raw, empty_records_before_close)
{
	int i;

	for (i = 0; i < 200; i++)
		conn_add(self->c, 16, NULL, 0);
	conn_flush(_metadata, self->c, self->c->len);
	close_orderly(_metadata, self->c);
	ASSERT_EQ(0, shutdown(self->c->raw, SHUT_WR));
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(CLOSE_TIME_WAIT, close_state(self->port));
}

/* As soon as a header announces some, and not before. */
TEST_F(raw, header_behind_close)
{
	close_orderly(_metadata, self->c);
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	ASSERT_EQ(0, peer_write(self->c->raw, self->c->out, 47));
	usleep(TCPTEST_NEVER_MS * 1000);
	EXPECT_EQ(0, close_error(self->c->raw));
	EXPECT_EQ(1, nsttest_stat("NstLingering"));
	ASSERT_EQ(0, peer_write(self->c->raw, self->c->out + 47, 1));
	expect_killed(_metadata, self);
	expect_counted(_metadata, self->c, "NstRxUnread");
}

/* Behind records that are taken. */
TEST_F(raw, header_behind_empty_records)
{
	int i;

	close_orderly(_metadata, self->c);
	for (i = 0; i < 100; i++)
		conn_add(self->c, i % 2 ? PEER_DATA : 16, NULL, 0);
	conn_add(self->c, 16, GOOD, GOOD_LEN);
	conn_flush(_metadata, self->c, self->c->len);
	expect_killed(_metadata, self);
	expect_counted(_metadata, self->c, "NstRxUnread");
}

/* --- records that fail ---------------------------------------------------- */

TEST_F(raw, bad_record)
{
	close_orderly(_metadata, self->c);
	conn_add(self->c, PEER_CLOSE, NULL, 0);
	self->c->out[PEER_TOKEN_OFF] ^= 1;
	conn_flush(_metadata, self->c, self->c->len);
	expect_killed(_metadata, self);
	expect_counted(_metadata, self->c, "NstRxAuth");
}

TEST_F(raw, no_record)
{
	close_orderly(_metadata, self->c);
	ASSERT_EQ(0, peer_write(self->c->raw, "GET / HTTP/1.1\r\n", 16));
	expect_killed(_metadata, self);
	expect_counted(_metadata, self->c, "NstRxHdrMagic");
}

TEST_F(raw, byte_behind_close_record)
{
	close_orderly(_metadata, self->c);
	conn_add(self->c, PEER_CLOSE, NULL, 0);
	self->c->out[self->c->len++] = 'N';
	conn_flush(_metadata, self->c, self->c->len);
	expect_killed(_metadata, self);
	expect_counted(_metadata, self->c, "NstRxAfterClose");
}

/* A record that fails at close() has a reset in place of the close record. */
TEST_F(raw, bad_record_before_close)
{
	conn_bind(_metadata, self->c);
	conn_add(self->c, PEER_DATA, NULL, 0);
	self->c->out[PEER_TOKEN_OFF] ^= 1;
	conn_flush(_metadata, self->c, self->c->len);
	close_kernel(_metadata, self->c);
	EXPECT_EQ(-ECONNRESET, last_type(self->c->raw));
	expect_counted(_metadata, self->c, "NstRxAuth");
}

/* --- no answer ------------------------------------------------------------ */

TEST_F(raw, never_answers)
{
	ASSERT_EQ(0, tcptest_set_int(self->c->k, SOL_TCP, TCP_LINGER2, 1));
	close_orderly(_metadata, self->c);
	EXPECT_EQ(0, close_wait_state(self->port, CLOSE_FIN_WAIT2));
	EXPECT_LT(500, close_wait_lingering(0));
	/* As with TCP, it is not told; what it says then is answered. */
	EXPECT_EQ(0, close_error(self->c->raw));
	usleep(2000000);
	EXPECT_EQ(0, close_state(self->port));
	conn_add(self->c, PEER_CLOSE, NULL, 0);
	conn_flush(_metadata, self->c, self->c->len);
	EXPECT_NE(0, tcptest_poll(self->c->raw, POLLERR, TCPTEST_SOON_MS) &
		     POLLERR);
	EXPECT_STREQ("", nsttest_grown(&self->c->before));
}

/* A FIN without a close record ends it, too. */
TEST_F(raw, fin_alone)
{
	close_orderly(_metadata, self->c);
	ASSERT_EQ(0, shutdown(self->c->raw, SHUT_WR));
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(CLOSE_TIME_WAIT, close_state(self->port));
	EXPECT_EQ(0, close_error(self->c->raw));
	EXPECT_STREQ("", nsttest_grown(&self->c->before));
}

TEST_F(raw, reset)
{
	struct linger now = { .l_onoff = 1 };

	close_orderly(_metadata, self->c);
	ASSERT_EQ(0, setsockopt(self->c->raw, SOL_SOCKET, SO_LINGER, &now,
				sizeof(now)));
	close(self->c->raw);
	self->c->raw = -1;
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(0, close_state(self->port));
}

/* An end without a receiving key does as TCP does. */
TEST(no_receiving_key)
{
	struct nsttest_info ti;
	struct peer p;
	int k, raw;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &k, &raw));
	ASSERT_EQ(0, nsttest_attach(k));
	nsttest_fill(&ti, NST_CIPHER_AES_GCM);
	ASSERT_EQ(0, setsockopt(k, SOL_NST, NST_TX, &ti, sizeof(ti)));
	ASSERT_EQ(0, close(k));
	EXPECT_EQ(PEER_CLOSE, last_type(raw));
	EXPECT_EQ(0, nsttest_stat("NstLingering"));
	peer_init(&p, raw, NST_CIPHER_AES_GCM, nsttest_box, NSTTEST_KEYS);
	ASSERT_EQ(0, peer_send(&p, PEER_CLOSE, NULL, 0));
	EXPECT_NE(0, tcptest_poll(raw, POLLERR, TCPTEST_SOON_MS) & POLLERR);
	close(raw);
}

TEST_HARNESS_MAIN
