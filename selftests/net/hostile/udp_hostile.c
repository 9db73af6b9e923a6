// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams that are wrong in themselves, sent to an NST UDP socket in the
 * middle of a live session: cut, extended, with flipped bits, with headers that
 * no sender makes, sealed with other keys. Each is refused for the cause that
 * protocol.md has; what is flipped is then sent as it was, and taken, so
 * neither the window nor the session has moved.
 */
#include "udp_hostile.h"

FIXTURE(dgram)
{
	struct udpend *e;
	struct dgram d;
	struct dgram bad;
};

FIXTURE_VARIANT(dgram)
{
	struct udpend_conf conf;
};

#define VARIANTS(name, id)						\
	UDPEND_V(dgram, name##_ipv4, id, AF_INET, false);			\
	UDPEND_V(dgram, name##_ipv6_private, id, AF_INET6, true)

VARIANTS(aes_gcm, NST_CIPHER_AES_GCM);
VARIANTS(aes_cbc, NST_CIPHER_AES_CBC);
VARIANTS(sm4_gcm, NST_CIPHER_SM4_GCM);
VARIANTS(sm4_cbc, NST_CIPHER_SM4_CBC);
VARIANTS(chacha20, NST_CIPHER_CHACHA20_POLY1305);
UDPEND_V(dgram, aes_256_gcm_ipv6, NST_CIPHER_AES_256_GCM, AF_INET6, false);
UDPEND_V(dgram, aes_256_cbc_ipv4_private, NST_CIPHER_AES_256_CBC, AF_INET, true);

FIXTURE_SETUP(dgram)
{
	self->e = end_live(_metadata, &variant->conf);
}

FIXTURE_TEARDOWN(dgram)
{
	end_close(self->e);
}

/* --- length --------------------------------------------------------------- */

TEST_F(dgram, cut_at_every_length)
{
	size_t len;

	make(&self->e->p, &self->d);
	self->bad = self->d;
	for (len = 0; len < self->d.len; len++) {
		self->bad.len = len;
		if (!refuse(_metadata, self->e, &self->bad,
			    "NstRxDgramLength"))
			TH_LOG("%zu bytes", len);
	}
	take(_metadata, self->e, &self->d);
	expect_unharmed(_metadata, self->e);
}

TEST_F(dgram, extended)
{
	static const size_t more[] = { 1, 15, 16, 17, 48, 1400 };
	size_t i;

	make(&self->e->p, &self->d);
	self->bad = self->d;
	for (i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		self->bad.len = self->d.len + more[i];
		refuse(_metadata, self->e, &self->bad, "NstRxDgramLength");
	}
	take(_metadata, self->e, &self->d);
	expect_unharmed(_metadata, self->e);
}

/* Without a body: only the length in the header can tell them apart. */
TEST_F(dgram, empty)
{
	make_from(&self->e->p, &self->d, "", 0);
	self->bad = self->d;
	self->bad.b[7] = 1;
	refuse(_metadata, self->e, &self->bad, "NstRxDgramLength");
	self->bad = self->d;
	self->bad.b[PEER_TOKEN_OFF] ^= 1;
	refuse(_metadata, self->e, &self->bad, "NstRxAuth");
	take(_metadata, self->e, &self->d);
	expect_unharmed(_metadata, self->e);
}

/* --- bits ----------------------------------------------------------------- */

/* Each of the bits from..to flipped in a datagram, which is then sent right. */
static void flip_bits(struct __test_metadata *_metadata,
		      FIXTURE_DATA(dgram) *self, size_t from, size_t to)
{
	size_t bit;

	for (bit = from; bit < to; bit++) {
		make(&self->e->p, &self->d);
		self->bad = self->d;
		self->bad.b[bit / 8] ^= 1 << bit % 8;
		if (!refuse(_metadata, self->e, &self->bad, NULL))
			TH_LOG("bit %zu of byte %zu", bit % 8, bit / 8);
		take(_metadata, self->e, &self->d);
	}
	expect_unharmed(_metadata, self->e);
}

TEST_F(dgram, bits_of_header)
{
	flip_bits(_metadata, self, 0, PEER_HDR_SIZE * 8);
}

TEST_F(dgram, bits_of_body)
{
	make(&self->e->p, &self->d);
	take(_metadata, self->e, &self->d);
	flip_bits(_metadata, self, PEER_HDR_SIZE * 8, self->d.len * 8);
}

/* Any number of bytes changed anywhere. */
TEST_F(dgram, random_bytes)
{
	uint8_t dice[3];
	int round, n;

	for (round = 0; round < 200; round++) {
		make(&self->e->p, &self->d);
		self->bad = self->d;
		peer_random(dice, sizeof(dice));
		for (n = 1 + dice[0] % 4; n > 0; n--) {
			peer_random(dice + 1, 2);
			self->bad.b[dice[1] % self->d.len] ^= 1 + dice[2] % 255;
		}
		if (!memcmp(self->bad.b, self->d.b, self->d.len))
			continue;
		if (!refuse(_metadata, self->e, &self->bad, NULL))
			TH_LOG("round %d", round);
		take(_metadata, self->e, &self->d);
	}
	expect_unharmed(_metadata, self->e);
}

/* Nothing of it is NST. */
TEST_F(dgram, noise)
{
	int round;

	for (round = 0; round < 50; round++) {
		self->bad.len = 1 + round * 37;
		peer_random(self->bad.b, self->bad.len);
		self->bad.b[0] = 0xff;
		refuse(_metadata, self->e, &self->bad, NULL);
	}
	expect_unharmed(_metadata, self->e);
}

/* --- headers that no sender makes, under a tag that fits ------------------- */

struct spoiler {
	const char *what;
	void (*spoil)(struct peer_hdr *h);
	const char *cause;
};

#define SPOILER(name, statement)					\
static void spoil_##name(struct peer_hdr *h)				\
{									\
	statement;							\
}

static void set_type(struct peer_hdr *h, uint8_t type)
{
	h->flags = (h->flags & ~PEER_F_TYPE) | type;
}

SPOILER(magic, h->magic = 0x4e535451)
SPOILER(version_0, h->version = 0)
SPOILER(version_2, h->version = 2)
SPOILER(suite_0, h->cipher_id = 0)
SPOILER(suite_8, h->cipher_id = 8)
SPOILER(suite_255, h->cipher_id = 255)
SPOILER(reserved_12, h->flags |= 0x1000)
SPOILER(reserved_15, h->flags |= 0x8000)
SPOILER(both_roles, h->flags |= PEER_F_ROLES)
SPOILER(kpos_33, h->kpos = 33)
SPOILER(kpos_255, h->kpos = 255)
SPOILER(kval_alone, h->kpos = 0; h->kval = 1)
SPOILER(kid_0, h->kid = 0)
SPOILER(type_3, set_type(h, 3))
SPOILER(type_15, set_type(h, 15))
SPOILER(close_full, set_type(h, PEER_CLOSE))
SPOILER(close_empty, set_type(h, PEER_CLOSE); h->len = 0)
SPOILER(start_full, set_type(h, PEER_STARTREC))
SPOILER(start_empty, set_type(h, PEER_STARTREC); h->len = 0)
SPOILER(start_flagged, h->len = 0;
	h->flags |= PEER_F_START | PEER_STARTREC)
SPOILER(start, h->flags |= PEER_F_START)
SPOILER(bound, h->flags |= PEER_F_BOUND)
SPOILER(start_bound, h->flags |= PEER_F_START | PEER_F_BOUND)
SPOILER(kid_unknown, h->kid = UDPEND_KID_UNKNOWN)

#define LINE(name, count)	{ #name, spoil_##name, count }

static const struct spoiler spoilers[] = {
	LINE(magic, "NstRxHdrMagic"),
	LINE(version_0, "NstRxHdrVersion"),
	LINE(version_2, "NstRxHdrVersion"),
	LINE(suite_0, "NstRxHdrSuite"),
	LINE(suite_8, "NstRxHdrSuite"),
	LINE(suite_255, "NstRxHdrSuite"),
	LINE(reserved_12, "NstRxHdrReserved"),
	LINE(reserved_15, "NstRxHdrReserved"),
	LINE(both_roles, "NstRxHdrRoles"),
	LINE(kpos_33, "NstRxHdrKpos"),
	LINE(kpos_255, "NstRxHdrKpos"),
	LINE(kval_alone, "NstRxHdrKval"),
	LINE(kid_0, "NstRxHdrKid"),
	LINE(type_3, "NstRxHdrType"),
	LINE(type_15, "NstRxHdrType"),
	LINE(close_full, "NstRxHdrBody"),
	LINE(close_empty, "NstRxHdrDgram"),
	LINE(start_full, "NstRxHdrBody"),
	LINE(start_empty, "NstRxHdrDgram"),
	LINE(start_flagged, "NstRxHdrDgram"),
	LINE(start, "NstRxHdrDgram"),
	LINE(bound, "NstRxHdrDgram"),
	LINE(start_bound, "NstRxHdrDgram"),
	LINE(kid_unknown, "NstRxNoKid"),
};

TEST_F(dgram, impossible_headers)
{
	struct udpend *e = self->e;
	struct peer_hdr h;
	size_t i;

	for (i = 0; i < sizeof(spoilers) / sizeof(spoilers[0]); i++) {
		udppeer_prepare(&e->p, &h, PEER_DATA, GOOD_LEN);
		spoilers[i].spoil(&h);
		self->bad.len = udppeer_build(&e->p, &h, GOOD, h.len, 0,
					      self->bad.b);
		if (!refuse(_metadata, e, &self->bad, spoilers[i].cause))
			TH_LOG("%s", spoilers[i].what);
		take_next(_metadata, e, &e->p);
	}
	expect_unharmed(_metadata, e);
}

/* Application types are the application's; they are taken. */
TEST_F(dgram, type_of_application)
{
	static const uint8_t types[] = { 16, 17, 128, 255 };
	struct udpend *e = self->e;
	struct peer_hdr h;
	size_t i;

	for (i = 0; i < sizeof(types); i++) {
		udppeer_prepare(&e->p, &h, types[i], GOOD_LEN);
		e->p.nonce++;
		make_hdr(&e->p, &self->d, &h);
		take(_metadata, e, &self->d);
	}
}

/* --- keys of somebody else ------------------------------------------------ */

/* A session that authenticates nowhere, of whatever identity, is none. */
static void refuse_stranger(struct __test_metadata *_metadata,
			    FIXTURE_DATA(dgram) *self, struct udppeer *u)
{
	int i;

	for (i = 0; i < 3; i++) {
		make(u, &self->bad);
		refuse(_metadata, self->e, &self->bad, "NstRxAuth");
	}
	EXPECT_EQ(2, nsttest_stat("NstUdpSessions"));
	expect_unharmed(_metadata, self->e);
}

TEST_F(dgram, other_context)
{
	struct udppeer u;

	udppeer_init(&u, variant->conf.cipher_id, &udpend_box[0], "service");
	refuse_stranger(_metadata, self, &u);
}

TEST_F(dgram, other_secret)
{
	struct peer_secret secret = udpend_box[0];
	struct udppeer u;

	secret.key[31] ^= 1;
	udppeer_init(&u, variant->conf.cipher_id, &secret, NULL);
	refuse_stranger(_metadata, self, &u);
}

/* In the identity of the live session, too. */
TEST_F(dgram, other_secret_same_epoch)
{
	struct udppeer u = self->e->p;

	u.secret.key[31] ^= 1;
	refuse_stranger(_metadata, self, &u);
}

TEST_F(dgram, keys_of_a_stream)
{
	struct udppeer u;

	udppeer_init(&u, variant->conf.cipher_id, &udpend_box[0], NULL);
	u.proto = PEER_PROTO_TCP;
	refuse_stranger(_metadata, self, &u);
}

/* One suite's datagram under another one's name, of the same length. */
TEST_F(dgram, suite_renamed)
{
	struct udpend *e = self->e;
	uint8_t id;

	for (id = 1; id <= PEER_SUITES; id++) {
		if (id == variant->conf.cipher_id)
			continue;
		make_from(&e->p, &self->d, "sixteen bytes...", 16);
		self->bad = self->d;
		self->bad.b[5] = id;
		refuse(_metadata, e, &self->bad, "NstRxAuth");
		take(_metadata, e, &self->d);
	}
	EXPECT_EQ(2, nsttest_stat("NstUdpSessions"));
	expect_unharmed(_metadata, e);
}

/* Tag of one, body of another. */
TEST_F(dgram, body_of_another)
{
	struct udpend *e = self->e;
	struct dgram second;

	make_from(&e->p, &self->d, "transfer 100 to me", 18);
	make_from(&e->p, &second, "transfer 999 to me", 18);
	self->bad = self->d;
	memcpy(self->bad.b + PEER_HDR_SIZE, second.b + PEER_HDR_SIZE,
	       second.len - PEER_HDR_SIZE);
	refuse(_metadata, e, &self->bad, "NstRxAuth");
	take(_metadata, e, &second);
	take(_metadata, e, &self->d);
	expect_unharmed(_metadata, e);
}

/* --- padding -------------------------------------------------------------- */

FIXTURE(cbc)
{
	struct udpend *e;
	struct dgram bad;
};

FIXTURE_VARIANT(cbc)
{
	struct udpend_conf conf;
};

UDPEND_V(cbc, aes, NST_CIPHER_AES_CBC, AF_INET, false);
UDPEND_V(cbc, sm4_private, NST_CIPHER_SM4_CBC, AF_INET6, true);
UDPEND_V(cbc, aes_256_ipv6, NST_CIPHER_AES_256_CBC, AF_INET6, false);

FIXTURE_SETUP(cbc)
{
	self->e = end_live(_metadata, &variant->conf);
}

FIXTURE_TEARDOWN(cbc)
{
	end_close(self->e);
}

/* One byte of padding, at @at, is not 0; all that is authentic. */
static void make_padded(struct udppeer *u, struct dgram *d, size_t at)
{
	uint8_t block[16] = GOOD;
	struct peer_hdr h;

	block[at] = 0x80;
	udppeer_prepare(u, &h, PEER_DATA, GOOD_LEN);
	d->len = udppeer_build(u, &h, block, sizeof(block), 0, d->b);
}

TEST_F(cbc, padding_not_zero)
{
	struct udpend *e = self->e;
	size_t at;

	for (at = GOOD_LEN; at < 16; at++) {
		make_padded(&e->p, &self->bad, at);
		refuse(_metadata, e, &self->bad, "NstRxPadding");
		/* Its nonce may be used up: whoever made it has the key. */
		e->p.nonce++;
		take_next(_metadata, e, &e->p);
	}
	expect_unharmed(_metadata, e);
}

/* As the first datagram of a session. */
TEST_F(cbc, padding_of_a_stranger)
{
	struct udpend *e = self->e;
	struct udppeer u;

	udppeer_init(&u, variant->conf.cipher_id, &udpend_box[0], NULL);
	make_padded(&u, &self->bad, 15);
	refuse(_metadata, e, &self->bad, "NstRxPadding");
	expect_unharmed(_metadata, e);
}

/* A block more than the plaintext needs: the length gives it away. */
TEST_F(cbc, block_more)
{
	struct udpend *e = self->e;
	uint8_t blocks[32] = GOOD;
	struct peer_hdr h;

	udppeer_prepare(&e->p, &h, PEER_DATA, GOOD_LEN);
	self->bad.len = udppeer_build(&e->p, &h, blocks, sizeof(blocks), 0,
				      self->bad.b);
	refuse(_metadata, e, &self->bad, "NstRxDgramLength");
	expect_unharmed(_metadata, e);
}

TEST_HARNESS_MAIN
