// SPDX-License-Identifier: GPL-2.0
/*
 * Hostile peers of a listener: what they send comes to a child that nobody
 * has accepted yet, and is judged there.
 */
#include <netinet/in.h>

#include "hostile.h"

#define CHILDREN	20

FIXTURE(listen)
{
	int lis;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	struct conn *c;
	struct conn *d;
};

FIXTURE_VARIANT(listen)
{
	int family;
};

FIXTURE_VARIANT_ADD(listen, ipv4) { .family = AF_INET };
FIXTURE_VARIANT_ADD(listen, ipv6) { .family = AF_INET6 };

/* The role of its children is the responder's without a word about it. */
FIXTURE_SETUP(listen)
{
	const struct nsttest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
	};

	self->c = NULL;
	self->d = NULL;
	self->addr_len = sizeof(self->addr);
	self->lis = socket(variant->family, SOCK_STREAM, 0);
	ASSERT_LE(0, self->lis);
	ASSERT_EQ(0, nsttest_attach(self->lis));
	ASSERT_EQ(0, nsttest_install(self->lis, &conf));
	/* Without an address it is bound to any, which loopback is too. */
	ASSERT_EQ(0, listen(self->lis, CHILDREN));
	ASSERT_EQ(0, getsockname(self->lis, (void *)&self->addr,
				 &self->addr_len));
}

FIXTURE_TEARDOWN(listen)
{
	conn_close(self->c);
	conn_close(self->d);
	if (self->lis >= 0)
		close(self->lis);
}

/* The peer's end of a connection whose other end waits to be accepted. */
static struct conn *raw_connect(struct __test_metadata *_metadata,
				FIXTURE_DATA(listen) *self)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct timeval tv = { .tv_sec = NSTTEST_TIMEOUT };

	ASSERT_NE(NULL, c);
	c->k = -1;
	c->raw = socket(self->addr.ss_family, SOCK_STREAM, 0);
	ASSERT_EQ(0, connect(c->raw, (void *)&self->addr, self->addr_len));
	ASSERT_EQ(0, setsockopt(c->raw, SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
	peer_init(&c->p, c->raw, NST_CIPHER_AES_GCM, nsttest_box,
		  NSTTEST_KEYS);
	c->p.role = PEER_F_INITIATOR;
	ASSERT_EQ(0, nsttest_counters(&c->before));
	return c;
}

static void accept_child(struct __test_metadata *_metadata,
			 FIXTURE_DATA(listen) *self, struct conn *c)
{
	struct timeval tv = { .tv_sec = NSTTEST_TIMEOUT };

	c->k = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, c->k);
	ASSERT_EQ(0, setsockopt(c->k, SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
}

/* Time for the kernel to look at what has come; it need not take it. */
static void let_it_judge(void)
{
	usleep(50000);
}

TEST_F(listen, good_start_waits_for_accept)
{
	uint8_t plain[PEER_HDR_SIZE];
	struct peer_hdr h;

	self->c = raw_connect(_metadata, self);
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	conn_flush(_metadata, self->c, self->c->len);
	let_it_judge();
	accept_child(_metadata, self, self->c);
	expect_data(_metadata, self->c, GOOD);
	ASSERT_EQ(2, send(self->c->k, "k!", 2, 0));
	ASSERT_EQ(2, peer_recv(&self->c->p, &h, plain));
	EXPECT_EQ(PEER_F_RESPONDER, h.flags & PEER_F_ROLES);
	EXPECT_NE(0, h.flags & PEER_F_BOUND);
	EXPECT_STREQ("", nsttest_grown(&self->c->before));
}

static void run_bad(struct __test_metadata *_metadata,
		    FIXTURE_DATA(listen) *self, int err, const char *counter)
{
	conn_flush(_metadata, self->c, self->c->len);
	let_it_judge();
	accept_child(_metadata, self, self->c);
	expect_fatal(_metadata, self->c, err, counter);
}

TEST_F(listen, no_record_at_all)
{
	self->c = raw_connect(_metadata, self);
	self->c->len = 16;
	memcpy(self->c->out, "GET / HTTP/1.0\r\n", 16);
	run_bad(_metadata, self, EPROTO, "NstRxHdrMagic");
}

TEST_F(listen, another_responder)
{
	self->c = raw_connect(_metadata, self);
	self->c->p.role = PEER_F_RESPONDER;
	conn_add(self->c, PEER_DATA, EVIL, EVIL_LEN);
	run_bad(_metadata, self, EKEYREJECTED, "NstRxRole");
}

TEST_F(listen, tampered)
{
	self->c = raw_connect(_metadata, self);
	conn_add(self->c, PEER_DATA, EVIL, EVIL_LEN);
	self->c->out[self->c->len - 1] ^= 1;
	run_bad(_metadata, self, EBADMSG, "NstRxAuth");
}

TEST_F(listen, stale)
{
	struct peer_hdr h;

	self->c = raw_connect(_metadata, self);
	peer_prepare(&self->c->p, &h, PEER_DATA, EVIL_LEN);
	h.timestamp = 0;
	conn_add_hdr(self->c, &h, EVIL, EVIL_LEN, 0);
	run_bad(_metadata, self, ESTALE, "NstRxTimePast");
}

TEST_F(listen, fin_before_accept)
{
	self->c = raw_connect(_metadata, self);
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	conn_flush(_metadata, self->c, self->c->len);
	ASSERT_EQ(0, shutdown(self->c->raw, SHUT_WR));
	let_it_judge();
	accept_child(_metadata, self, self->c);
	expect_data(_metadata, self->c, GOOD);
	expect_sticky(_metadata, self->c, ECONNABORTED);
	expect_counted(_metadata, self->c, "NstRxTruncated");
}

/* The one that came first is the real one, whichever is accepted first. */
TEST_F(listen, replayed_before_accept)
{
	self->c = raw_connect(_metadata, self);
	self->d = raw_connect(_metadata, self);
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	memcpy(self->d->out, self->c->out, self->c->len);
	self->d->len = self->c->len;
	conn_flush(_metadata, self->c, self->c->len);
	let_it_judge();
	conn_flush(_metadata, self->d, self->d->len);
	let_it_judge();
	accept_child(_metadata, self, self->c);
	accept_child(_metadata, self, self->d);
	expect_fatal(_metadata, self->d, EKEYREJECTED, "NstRxReplayed");
	expect_data(_metadata, self->c, GOOD);
}

/* Good, bad and half ones; the listener goes without having seen any. */
TEST_F(listen, never_accepted)
{
	struct conn *c[CHILDREN];
	int i;

	for (i = 0; i < CHILDREN; i++) {
		c[i] = raw_connect(_metadata, self);
		conn_add(c[i], i % 2 ? PEER_DATA : PEER_STARTREC, GOOD,
			 i % 2 ? GOOD_LEN : 0);
		if (i % 3 == 1)
			c[i]->out[20] ^= 1;
		if (i % 3 == 2)
			c[i]->len -= 5;
		conn_flush(_metadata, c[i], c[i]->len);
	}
	let_it_judge();
	close(self->lis);
	self->lis = -1;
	for (i = 0; i < CHILDREN; i++) {
		EXPECT_EQ(-ECONNRESET, nsttest_drain(c[i]->raw));
		conn_close(c[i]);
	}
}

/* A peer that is gone again before anybody looks. */
TEST_F(listen, reset_before_accept)
{
	struct linger now = { .l_onoff = 1 };
	char byte;

	self->c = raw_connect(_metadata, self);
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	conn_add(self->c, PEER_CLOSE, NULL, 0);
	conn_flush(_metadata, self->c, self->c->len);
	ASSERT_EQ(0, setsockopt(self->c->raw, SOL_SOCKET, SO_LINGER, &now,
				sizeof(now)));
	close(self->c->raw);
	self->c->raw = -1;
	let_it_judge();
	accept_child(_metadata, self, self->c);
	expect_data(_metadata, self->c, GOOD);
	EXPECT_EQ(0, recv(self->c->k, &byte, 1, 0));
}

TEST_HARNESS_MAIN
