// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams that an NST UDP socket is not to take though their keys are right:
 * by role, by policy, by the state of a key, and what it has itself sent.
 */
#include "udp_hostile.h"

FIXTURE(keys)
{
	struct udpend *e;
	struct udpend_conf conf;
	struct dgram d;
	struct dgram bad;
};

FIXTURE_VARIANT(keys)
{
	int family;
	bool private;
	uint8_t cipher_id;
};

#define VARIANT(name, id, af, own)					\
FIXTURE_VARIANT_ADD(keys, name)						\
{									\
	.family = af, .private = own, .cipher_id = id			\
}

VARIANT(ipv4, NST_CIPHER_AES_GCM, AF_INET, false);
VARIANT(ipv6_private, NST_CIPHER_AES_CBC, AF_INET6, true);
VARIANT(ipv6, NST_CIPHER_CHACHA20_POLY1305, AF_INET6, false);
VARIANT(ipv4_private, NST_CIPHER_SM4_GCM, AF_INET, true);

FIXTURE_SETUP(keys)
{
	self->e = NULL;
	memset(&self->conf, 0, sizeof(self->conf));
	self->conf.family = variant->family;
	self->conf.private = variant->private;
	self->conf.cipher_id = variant->cipher_id;
}

FIXTURE_TEARDOWN(keys)
{
	end_close(self->e);
}

/* --- no key --------------------------------------------------------------- */

static void expect_no_key(struct __test_metadata *_metadata, int fd)
{
	char buf[64];

	EXPECT_EQ(-1, recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(ENOKEY, errno);
}

TEST_F(keys, none_to_receive)
{
	struct sockaddr_storage to;
	int fd;

	self->e = end_live(_metadata, &self->conf);
	fd = udpend_plain(variant->family);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, udpend_attach(fd, variant->family));
	ASSERT_EQ(0, udpend_name(fd, &to));
	make(&self->e->p, &self->d);
	refuse_from(_metadata, self->e, self->e->raw, &to, self->d.b,
		    self->d.len, "NstRxNoKey");
	refuse_from(_metadata, self->e, self->e->raw, &to, "plain", 5,
		    "NstRxHdrMagic");
	expect_no_key(_metadata, fd);
	/* A key to send with changes nothing. */
	ASSERT_EQ(0, udpend_install(fd, NST_TX, &self->conf));
	refuse_from(_metadata, self->e, self->e->raw, &to, self->d.b,
		    self->d.len, "NstRxNoKey");
	expect_no_key(_metadata, fd);
	/* What was refused there has not been taken. */
	take(_metadata, self->e, &self->d);
	expect_unharmed(_metadata, self->e);
	close(fd);
}

/* What came before the attach is not read after it. */
TEST_F(keys, queued_in_plaintext)
{
	struct sockaddr_storage to;
	int fd;

	self->e = end_live(_metadata, &self->conf);
	fd = udpend_plain(variant->family);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, udpend_name(fd, &to));
	ASSERT_EQ(0, udpend_send(self->e->raw, &to, "plain", 5));
	ASSERT_EQ(5, recv(fd, self->bad.b, sizeof(self->bad.b), MSG_PEEK));
	ASSERT_EQ(0, udpend_attach(fd, variant->family));
	ASSERT_EQ(0, udpend_install(fd, NST_RX, &self->conf));
	expect_nothing(_metadata, fd);
	make(&self->e->p, &self->d);
	if (!variant->private)
		take_at(_metadata, self->e, self->e->raw, fd, &to, &self->d);
	close(fd);
}

/* --- roles ---------------------------------------------------------------- */

TEST_F(keys, own_role)
{
	struct udpend *e;

	self->conf.flags = NST_F_RESPONDER;
	e = end_live(_metadata, &self->conf);
	self->e = e;
	e->p.role = PEER_F_RESPONDER;
	make(&e->p, &self->bad);
	refuse(_metadata, e, &self->bad, "NstRxRole");
	e->p.role = PEER_F_INITIATOR;
	take_next(_metadata, e, &e->p);
	e->p.role = 0;
	take_next(_metadata, e, &e->p);
	expect_unharmed(_metadata, e);
}

TEST_F(keys, no_role_takes_any)
{
	struct udpend *e = end_live(_metadata, &self->conf);

	self->e = e;
	e->p.role = PEER_F_RESPONDER;
	take_next(_metadata, e, &e->p);
	e->p.role = PEER_F_INITIATOR;
	take_next(_metadata, e, &e->p);
	expect_unharmed(_metadata, e);
}

/* The role is judged before the policy, the policy before the kid. */
TEST_F(keys, order)
{
	struct udpend *e;
	struct peer_hdr h;

	self->conf.flags = NST_F_INITIATOR;
	self->conf.rx_cipher = variant->cipher_id;
	self->conf.rx_kid = UDPEND_KID;
	e = end_open(_metadata, &self->conf);
	self->e = e;
	udppeer_prepare(&e->p, &h, PEER_DATA, GOOD_LEN);
	h.cipher_id = NST_CIPHER_AES_256_GCM;
	h.kid = UDPEND_KID_UNKNOWN;
	h.timestamp = 0;
	h.flags |= PEER_F_INITIATOR;
	make_hdr(&e->p, &self->bad, &h);
	refuse(_metadata, e, &self->bad, "NstRxRole");
	h.flags ^= PEER_F_ROLES;
	make_hdr(&e->p, &self->bad, &h);
	refuse(_metadata, e, &self->bad, "NstRxPolicySuite");
	h.cipher_id = variant->cipher_id;
	make_hdr(&e->p, &self->bad, &h);
	refuse(_metadata, e, &self->bad, "NstRxPolicyKid");
	h.kid = UDPEND_KID;
	make_hdr(&e->p, &self->bad, &h);
	refuse(_metadata, e, &self->bad, "NstRxTimePast");
	take_next(_metadata, e, &e->p);
}

/* --- policy --------------------------------------------------------------- */

TEST_F(keys, suite_excluded)
{
	struct udpend *e;
	struct udppeer u;

	self->conf.rx_cipher = variant->cipher_id;
	e = end_live(_metadata, &self->conf);
	self->e = e;
	udppeer_init(&u, NST_CIPHER_AES_256_GCM, &udpend_box[0], NULL);
	make(&u, &self->bad);
	refuse(_metadata, e, &self->bad, "NstRxPolicySuite");
	expect_unharmed(_metadata, e);
}

TEST_F(keys, kid_excluded)
{
	struct udpend *e;

	self->conf.rx_kid = UDPEND_KID;
	e = end_open(_metadata, &self->conf);
	self->e = e;
	take_next(_metadata, e, &e->p);
	make(&e->other, &self->bad);
	refuse(_metadata, e, &self->bad, "NstRxPolicyKid");
	take_next(_metadata, e, &e->p);
}

/* Narrowed while the session lives: acts on the next datagram. */
TEST_F(keys, policy_set_later)
{
	struct udpend *e = end_live(_metadata, &self->conf);

	self->e = e;
	self->conf.rx_kid = UDPEND_KID_OTHER;
	ASSERT_EQ(0, udpend_install(e->k, NST_RX, &self->conf));
	make(&e->p, &self->bad);
	refuse(_metadata, e, &self->bad, "NstRxPolicyKid");
	take_next(_metadata, e, &e->other);
}

/* Another context: the sessions of the old one are none of this socket's. */
TEST_F(keys, context_set_later)
{
	struct udpend *e = end_live(_metadata, &self->conf);

	self->e = e;
	self->conf.context = "service";
	ASSERT_EQ(0, udpend_install(e->k, NST_TX_RX, &self->conf));
	make(&e->p, &self->bad);
	refuse(_metadata, e, &self->bad, "NstRxAuth");
	udppeer_context(&e->p.context, "service");
	take_next(_metadata, e, &e->p);
	take_next(_metadata, e, &e->p);
}

/* Also a private box has the same memory again. */
TEST_F(keys, same_keys_again)
{
	struct udpend *e = end_live(_metadata, &self->conf);

	self->e = e;
	make(&e->p, &self->d);
	take(_metadata, e, &self->d);
	ASSERT_EQ(0, udpend_install(e->k, NST_TX_RX, &self->conf));
	refuse(_metadata, e, &self->d, "NstRxReplayed");
	expect_unharmed(_metadata, e);
}

/* --- the state of a key --------------------------------------------------- */

TEST_F(keys, kid_unknown)
{
	struct udpend *e = end_live(_metadata, &self->conf);
	struct peer_secret secret = { .kid = UDPEND_KID_UNKNOWN };
	struct udppeer u;

	self->e = e;
	udppeer_init(&u, variant->cipher_id, &secret, NULL);
	make(&u, &self->bad);
	refuse(_metadata, e, &self->bad, "NstRxNoKid");
	expect_unharmed(_metadata, e);
}

FIXTURE(box)
{
	struct udpend *e;
	struct dgram d;
};

FIXTURE_VARIANT(box)
{
	struct udpend_conf conf;
};

FIXTURE_VARIANT_ADD(box, ipv4)
{
	.conf = { .family = AF_INET, .cipher_id = NST_CIPHER_AES_GCM },
};

FIXTURE_VARIANT_ADD(box, ipv6)
{
	.conf = { .family = AF_INET6, .cipher_id = NST_CIPHER_SM4_CBC },
};

FIXTURE_SETUP(box)
{
	self->e = end_live(_metadata, &variant->conf);
}

FIXTURE_TEARDOWN(box)
{
	end_close(self->e);
}

static int add(struct udpend *e, uint16_t kid, uint32_t state, uint8_t fill)
{
	nl_begin(&e->t, e->t.family, NST_CMD_KEY_ADD, NLM_F_ACK);
	nl_put_key(&e->t, kid, state, fill);
	return nl_talk(&e->t);
}

TEST_F(box, retired_from_the_start)
{
	struct peer_secret secret = { .kid = UDPEND_KID_RETIRED };
	struct udppeer u;

	memset(secret.key, UDPEND_KID_RETIRED, sizeof(secret.key));
	udppeer_init(&u, variant->conf.cipher_id, &secret, NULL);
	make(&u, &self->d);
	refuse(_metadata, self->e, &self->d, "NstRxKidRetired");
	expect_unharmed(_metadata, self->e);
}

/* Under a live session: the next datagram is refused, others go on. */
TEST_F(box, retired)
{
	struct udpend *e = self->e;

	ASSERT_EQ(0, nl_kid(&e->t, NST_CMD_KEY_RETIRE, UDPEND_KID_OTHER));
	make(&e->other, &self->d);
	refuse(_metadata, e, &self->d, "NstRxKidRetired");
	take_next(_metadata, e, &e->p);
}

TEST_F(box, deleted)
{
	struct udpend *e = self->e;

	ASSERT_EQ(0, nl_kid(&e->t, NST_CMD_KEY_DEL, UDPEND_KID_OTHER));
	make(&e->other, &self->d);
	refuse(_metadata, e, &self->d, "NstRxNoKid");
	take_next(_metadata, e, &e->p);
	/* The same key comes back: what was taken stays taken. */
	ASSERT_EQ(0, add(e, UDPEND_KID_OTHER, NST_STATE_ACCEPT,
			 UDPEND_KID_OTHER));
	take(_metadata, e, &self->d);
	refuse(_metadata, e, &self->d, "NstRxReplayed");
	expect_unharmed(_metadata, e);
}

/* Another secret under the same kid: the old one is worth nothing. */
TEST_F(box, replaced)
{
	struct udpend *e = self->e;

	ASSERT_EQ(0, nl_kid(&e->t, NST_CMD_KEY_DEL, UDPEND_KID_OTHER));
	ASSERT_EQ(0, add(e, UDPEND_KID_OTHER, NST_STATE_ACCEPT, 0x5a));
	make(&e->other, &self->d);
	refuse(_metadata, e, &self->d, "NstRxAuth");
	memset(e->other.secret.key, 0x5a, PEER_KEY_SIZE);
	take_next(_metadata, e, &e->other);
	take_next(_metadata, e, &e->other);
	expect_unharmed(_metadata, e);
}

TEST_F(box, flushed)
{
	struct udpend *e = self->e;

	ASSERT_EQ(0, nl_simple(&e->t, NST_CMD_BOX_FLUSH, NLM_F_ACK));
	make(&e->p, &self->d);
	refuse(_metadata, e, &self->d, "NstRxNoKid");
	ASSERT_EQ(0, add(e, UDPEND_KID, NST_STATE_ACTIVE, UDPEND_KID));
	ASSERT_EQ(0, add(e, UDPEND_KID_OTHER, NST_STATE_ACCEPT,
			 UDPEND_KID_OTHER));
	take(_metadata, e, &self->d);
	expect_unharmed(_metadata, e);
}

/* Which key senders use is nothing to a receiver. */
TEST_F(box, activated)
{
	struct udpend *e = self->e;

	ASSERT_EQ(0, nl_kid(&e->t, NST_CMD_KEY_ACTIVATE, UDPEND_KID_OTHER));
	expect_unharmed(_metadata, e);
}

TEST_HARNESS_MAIN
