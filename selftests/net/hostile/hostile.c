// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that sends bad records to a kernel NST socket. Each record has one
 * fault and a tag that fits, unless the tag is the fault; behind it comes a
 * record without fault, which must not be delivered.
 */
#include "hostile.h"

static const struct nsttest_conf responder = {
	.cipher_id = NST_CIPHER_AES_GCM,
	.nr_keys = NSTTEST_KEYS,
	.flags = NST_F_RESPONDER,
};

/* --- faults that a record can have anywhere in the stream ----------------- */

FIXTURE(bad)
{
	struct conn *c;
};

FIXTURE_VARIANT(bad)
{
	void (*spoil)(struct peer_hdr *h);	/* before sealing */
	int poke;				/* after it: this byte ... */
	uint8_t flip;				/* ... is XORed with this */
	uint8_t pad;
	struct nsttest_conf conf;
	int err;
	const char *counter;
};

#define BAD(name, statement, error, count)				\
static void spoil_##name(struct peer_hdr *h)				\
{									\
	statement;							\
}									\
FIXTURE_VARIANT_ADD(bad, name)						\
{									\
	.spoil = spoil_##name,						\
	.conf = { .cipher_id = NST_CIPHER_AES_GCM,			\
		  .nr_keys = NSTTEST_KEYS, .flags = NST_F_RESPONDER },	\
	.err = error,							\
	.counter = count,						\
}

static void set_type(struct peer_hdr *h, uint8_t type)
{
	h->flags = (h->flags & ~PEER_F_TYPE) | type;
}

BAD(magic, h->magic ^= 1, EPROTO, "NstRxHdrMagic");
BAD(magic_first_byte, h->magic ^= 0x80000000, EPROTO, "NstRxHdrMagic");
BAD(version_0, h->version = 0, EPROTO, "NstRxHdrVersion");
BAD(version_2, h->version = 2, EPROTO, "NstRxHdrVersion");
BAD(suite_0, h->cipher_id = 0, EPROTO, "NstRxHdrSuite");
BAD(suite_8, h->cipher_id = 8, EPROTO, "NstRxHdrSuite");
BAD(suite_255, h->cipher_id = 255, EPROTO, "NstRxHdrSuite");
BAD(reserved_12, h->flags |= 0x1000, EPROTO, "NstRxHdrReserved");
BAD(reserved_13, h->flags |= 0x2000, EPROTO, "NstRxHdrReserved");
BAD(reserved_14, h->flags |= 0x4000, EPROTO, "NstRxHdrReserved");
BAD(reserved_15, h->flags |= 0x8000, EPROTO, "NstRxHdrReserved");
BAD(both_roles, h->flags |= PEER_F_ROLES, EPROTO, "NstRxHdrRoles");
BAD(kpos_33, h->kpos = 33, EPROTO, "NstRxHdrKpos");
BAD(kpos_255, h->kpos = 255, EPROTO, "NstRxHdrKpos");
BAD(kval_without_kpos, h->kpos = 0; h->kval = 1, EPROTO, "NstRxHdrKval");
BAD(kid_0, h->kid = 0, EPROTO, "NstRxHdrKid");
BAD(type_3, set_type(h, 3), EPROTO, "NstRxHdrType");
BAD(type_15, set_type(h, 15), EPROTO, "NstRxHdrType");
BAD(close_with_body, set_type(h, PEER_CLOSE), EPROTO, "NstRxHdrBody");
BAD(start_with_body, set_type(h, PEER_STARTREC); h->flags |= PEER_F_START,
    EPROTO, "NstRxHdrBody");
BAD(role_of_receiver, h->flags ^= PEER_F_ROLES, EKEYREJECTED, "NstRxRole");
BAD(kid_unknown, h->kid = NSTTEST_KID_UNKNOWN, ENOKEY, "NstRxNoKid");
BAD(kid_65535, h->kid = 65535, ENOKEY, "NstRxNoKid");

static void spoil_start_flag(struct peer_hdr *h)
{
	set_type(h, PEER_STARTREC);
	h->flags &= ~PEER_F_START;
	h->len = 0;
}

FIXTURE_VARIANT_ADD(bad, start_without_flag)
{
	.spoil = spoil_start_flag,
	.conf = { .cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
		  .flags = NST_F_RESPONDER },
	.err = EPROTO,
	.counter = "NstRxHdrStartFlag",
};

static void spoil_other_suite(struct peer_hdr *h)
{
	h->cipher_id = NST_CIPHER_AES_256_GCM;
}

FIXTURE_VARIANT_ADD(bad, suite_excluded)
{
	.spoil = spoil_other_suite,
	.conf = { .cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
		  .rx_cipher = NST_CIPHER_AES_GCM, .flags = NST_F_RESPONDER },
	.err = EACCES,
	.counter = "NstRxPolicySuite",
};

static void spoil_other_kid(struct peer_hdr *h)
{
	h->kid = NSTTEST_KID_OTHER;
}

FIXTURE_VARIANT_ADD(bad, kid_excluded)
{
	.spoil = spoil_other_kid,
	.conf = { .cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
		  .rx_kid = NSTTEST_KID, .flags = NST_F_RESPONDER },
	.err = EACCES,
	.counter = "NstRxPolicyKid",
};

/* A bit of what is authenticated, for each suite. */
#define TAMPERED(name, cipher, offset, bit)				\
FIXTURE_VARIANT_ADD(bad, name)						\
{									\
	.poke = offset,							\
	.flip = bit,							\
	.conf = { .cipher_id = cipher, .nr_keys = NSTTEST_KEYS,		\
		  .flags = NST_F_RESPONDER },				\
	.err = EBADMSG,							\
	.counter = "NstRxAuth",						\
}

TAMPERED(token_aes_gcm, NST_CIPHER_AES_GCM, 24, 0x01);
TAMPERED(token_aes_cbc, NST_CIPHER_AES_CBC, 39, 0x80);
TAMPERED(token_sm4_gcm, NST_CIPHER_SM4_GCM, 32, 0x10);
TAMPERED(token_sm4_cbc, NST_CIPHER_SM4_CBC, 24, 0x80);
TAMPERED(token_aes_256_gcm, NST_CIPHER_AES_256_GCM, 39, 0x01);
TAMPERED(token_aes_256_cbc, NST_CIPHER_AES_256_CBC, 31, 0x01);
TAMPERED(token_chacha20, NST_CIPHER_CHACHA20_POLY1305, 25, 0x40);
TAMPERED(body_aes_gcm, NST_CIPHER_AES_GCM, 48, 0x01);
TAMPERED(body_aes_cbc, NST_CIPHER_AES_CBC, 63, 0x01);
TAMPERED(body_sm4_gcm, NST_CIPHER_SM4_GCM, 62, 0x80);
TAMPERED(body_sm4_cbc, NST_CIPHER_SM4_CBC, 48, 0x80);
TAMPERED(body_aes_256_gcm, NST_CIPHER_AES_256_GCM, 50, 0x02);
TAMPERED(body_aes_256_cbc, NST_CIPHER_AES_256_CBC, 49, 0x04);
TAMPERED(body_chacha20, NST_CIPHER_CHACHA20_POLY1305, 62, 0x08);
TAMPERED(timestamp, NST_CIPHER_AES_GCM, 15, 0x01);
TAMPERED(kval, NST_CIPHER_AES_GCM, 41, 0x80);
TAMPERED(epoch, NST_CIPHER_AES_GCM, 44, 0x01);
TAMPERED(kid_in_box, NST_CIPHER_AES_GCM, 43, NSTTEST_KID ^ NSTTEST_KID_OTHER);
TAMPERED(suite_known, NST_CIPHER_AES_GCM, 5,
	 NST_CIPHER_AES_GCM ^ NST_CIPHER_CHACHA20_POLY1305);
TAMPERED(role_of_nobody, NST_CIPHER_AES_GCM, 46, 0x04);
TAMPERED(type_of_application, NST_CIPHER_AES_GCM, 47, 0x10);
TAMPERED(length_less, NST_CIPHER_AES_GCM, 7, 0x01);

/* Both positions are allowed ones, so the tag alone tells. */
static void spoil_kpos(struct peer_hdr *h)
{
	h->kpos = 4;
}

FIXTURE_VARIANT_ADD(bad, kpos)
{
	.spoil = spoil_kpos,
	.poke = 40,
	.flip = 0x01,
	.conf = { .cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
		  .flags = NST_F_RESPONDER },
	.err = EBADMSG,
	.counter = "NstRxAuth",
};

#define PADDED(name, cipher)						\
FIXTURE_VARIANT_ADD(bad, name)						\
{									\
	.pad = 1,							\
	.conf = { .cipher_id = cipher, .nr_keys = NSTTEST_KEYS,		\
		  .flags = NST_F_RESPONDER },				\
	.err = EBADMSG,							\
	.counter = "NstRxPadding",					\
}

PADDED(padding_aes_cbc, NST_CIPHER_AES_CBC);
PADDED(padding_sm4_cbc, NST_CIPHER_SM4_CBC);
PADDED(padding_aes_256_cbc, NST_CIPHER_AES_256_CBC);

FIXTURE_SETUP(bad)
{
	self->c = NULL;
}

FIXTURE_TEARDOWN(bad)
{
	conn_close(self->c);
}

static void add_bad(FIXTURE_DATA(bad) *self,
		    const FIXTURE_VARIANT(bad) *variant)
{
	struct peer_hdr h;
	uint8_t *rec;

	peer_prepare(&self->c->p, &h, PEER_DATA, EVIL_LEN);
	if (variant->spoil)
		variant->spoil(&h);
	rec = conn_add_hdr(self->c, &h, EVIL, h.len, variant->pad);
	rec[variant->poke] ^= variant->flip;
	conn_add(self->c, PEER_DATA, LATE, LATE_LEN);
}

/* The bad record is the stream's first. */
TEST_F(bad, first)
{
	self->c = conn_open(_metadata, AF_INET, 0, &variant->conf);
	add_bad(self, variant);
	conn_flush(_metadata, self->c, self->c->len);
	expect_fatal(_metadata, self->c, variant->err, variant->counter);
}

/* Three good ones come before it, in the same segment. */
TEST_F(bad, later)
{
	self->c = conn_open(_metadata, AF_INET6, 0, &variant->conf);
	conn_add(self->c, PEER_DATA, "one ", 4);
	conn_add(self->c, PEER_DATA, "two ", 4);
	conn_add(self->c, PEER_DATA, "three", 5);
	add_bad(self, variant);
	conn_flush(_metadata, self->c, self->c->len);
	expect_data(_metadata, self->c, "one two three");
	expect_fatal(_metadata, self->c, variant->err, variant->counter);
}

/* Both directions run and are bound; the reader waits between the records. */
TEST_F(bad, bound)
{
	self->c = conn_open(_metadata, AF_INET, 0, &variant->conf);
	conn_bind(_metadata, self->c);
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	conn_flush(_metadata, self->c, self->c->len);
	expect_data(_metadata, self->c, GOOD);
	add_bad(self, variant);
	conn_flush(_metadata, self->c, self->c->len);
	expect_fatal(_metadata, self->c, variant->err, variant->counter);
}

/* Every byte is a segment. */
TEST_F(bad, bytewise)
{
	self->c = conn_open(_metadata, AF_INET6, 0, &variant->conf);
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	add_bad(self, variant);
	conn_flush(_metadata, self->c, 1);
	expect_data(_metadata, self->c, GOOD);
	expect_fatal(_metadata, self->c, variant->err, variant->counter);
}

/* --- faults of a record's place in the stream ----------------------------- */

enum place { FIRST, LATER, BOUND };

FIXTURE(place)
{
	struct conn *c;
};

FIXTURE_VARIANT(place)
{
	enum place place;
	void (*spoil)(struct peer_hdr *h);
	int err;
	const char *counter;
};

#define PLACE(name, where, statement, error, count)			\
static void spoil_##name(struct peer_hdr *h)				\
{									\
	statement;							\
}									\
FIXTURE_VARIANT_ADD(place, name)					\
{									\
	.place = where,							\
	.spoil = spoil_##name,						\
	.err = error,							\
	.counter = count,						\
}

PLACE(start_missing, FIRST, h->flags &= ~PEER_F_START, EPROTO,
      "NstRxStartMissing");
PLACE(start_repeated, LATER, h->flags |= PEER_F_START, EPROTO,
      "NstRxStartRepeated");
PLACE(start_repeated_bound, BOUND, h->flags |= PEER_F_START, EPROTO,
      "NstRxStartRepeated");
PLACE(start_record_later, LATER, set_type(h, PEER_STARTREC); h->len = 0;
      h->flags |= PEER_F_START, EPROTO, "NstRxStartRepeated");
PLACE(nonce_gap, LATER, h->nonce++, EPROTO, "NstRxNonce");
PLACE(nonce_gap_bound, BOUND, h->nonce++, EPROTO, "NstRxNonce");
PLACE(nonce_again, LATER, h->nonce--, EPROTO, "NstRxNonce");
PLACE(nonce_far, LATER, h->nonce ^= 1ull << 63, EPROTO, "NstRxNonce");
PLACE(nonce_high_half, BOUND, h->nonce += 1ull << 32, EPROTO, "NstRxNonce");
PLACE(bound_start_early, FIRST, h->flags |= PEER_F_BOUND, EPROTO,
      "NstRxEarlyBound");
PLACE(bound_early, LATER, h->flags |= PEER_F_BOUND, EPROTO,
      "NstRxEarlyBound");
PLACE(unbound_after_bound, BOUND, h->flags &= ~PEER_F_BOUND, EPROTO,
      "NstRxUnbound");

FIXTURE_SETUP(place)
{
	self->c = NULL;
}

FIXTURE_TEARDOWN(place)
{
	conn_close(self->c);
}

static void run_place(struct __test_metadata *_metadata,
		      FIXTURE_DATA(place) *self,
		      const FIXTURE_VARIANT(place) *variant, size_t chunk)
{
	struct peer_hdr h;

	if (variant->place == BOUND)
		conn_bind(_metadata, self->c);
	if (variant->place != FIRST)
		conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	peer_prepare(&self->c->p, &h, PEER_DATA, EVIL_LEN);
	variant->spoil(&h);
	conn_add_hdr(self->c, &h, EVIL, h.len, 0);
	conn_add(self->c, PEER_DATA, LATE, LATE_LEN);
	conn_flush(_metadata, self->c, chunk ? chunk : self->c->len);
	if (variant->place != FIRST)
		expect_data(_metadata, self->c, GOOD);
	expect_fatal(_metadata, self->c, variant->err, variant->counter);
}

TEST_F(place, whole)
{
	self->c = conn_open(_metadata, AF_INET, 0, &responder);
	run_place(_metadata, self, variant, 0);
}

TEST_F(place, bytewise)
{
	self->c = conn_open(_metadata, AF_INET6, 0, &responder);
	run_place(_metadata, self, variant, 1);
}

/* A record that was sent already, byte by byte the same. */
TEST(repeat__same_bytes)
{
	struct conn *c = conn_open(_metadata, AF_INET, 0, &responder);
	size_t second;

	conn_add(c, PEER_DATA, "one ", 4);
	second = c->len;
	conn_add(c, PEER_DATA, "two", 3);
	memcpy(c->out + c->len, c->out + second, c->len - second);
	c->len += c->len - second;
	conn_flush(_metadata, c, c->len);
	expect_data(_metadata, c, "one two");
	expect_fatal(_metadata, c, EPROTO, "NstRxNonce");
	conn_close(c);
}

/* Magic and version are judged before the rest of the header is there. */
TEST(early__magic_without_rest)
{
	struct conn *c = conn_open(_metadata, AF_INET, 0, &responder);

	ASSERT_EQ(0, peer_write(c->raw, "GET ", 4));
	expect_fatal(_metadata, c, EPROTO, "NstRxHdrMagic");
	conn_close(c);
}

TEST(early__version_without_rest)
{
	struct conn *c = conn_open(_metadata, AF_INET6, 0, &responder);

	ASSERT_EQ(0, peer_write(c->raw, "NSTP\2", 5));
	expect_fatal(_metadata, c, EPROTO, "NstRxHdrVersion");
	conn_close(c);
}

/* Keys set again begin no stream anew. */
TEST(sticky__also_with_new_keys)
{
	struct conn *c = conn_open(_metadata, AF_INET, 0, &responder);

	conn_add(c, PEER_DATA, EVIL, EVIL_LEN);
	c->out[PEER_TOKEN_OFF] ^= 1;
	conn_flush(_metadata, c, c->len);
	expect_fatal(_metadata, c, EBADMSG, "NstRxAuth");
	nsttest_install(c->k, &responder);
	expect_sticky(_metadata, c, EBADMSG);
	expect_counted(_metadata, c, "NstRxAuth");
	conn_close(c);
}

/*
 * One bit of each byte of a record, each on a connection of its own: never
 * delivered, always fatal, whatever the cause. The length's high byte is left
 * out: the receiver rightly waits for the rest of a longer record.
 */
TEST(tamper__every_byte)
{
	size_t at, size = PEER_HDR_SIZE + EVIL_LEN;
	struct conn *c;
	char buf[64];

	for (at = 0; at < size; at++) {
		if (at == 6)
			continue;
		c = conn_open(_metadata, AF_INET, 0, &responder);
		conn_add(c, PEER_DATA, EVIL, EVIL_LEN);
		c->out[at] ^= at == 7 ? 1 : 1 << at % 8;
		conn_flush(_metadata, c, c->len);
		EXPECT_EQ(-1, recv(c->k, buf, sizeof(buf), 0)) {
			TH_LOG("byte %zu was not noticed", at);
		}
		EXPECT_NE(EAGAIN, errno);
		expect_reset(_metadata, c);
		conn_close(c);
	}
}

/* --- what a reader must not find in its memory ---------------------------- */

#define LARGE		16001

FIXTURE(residue)
{
	struct conn *c;
	uint8_t plain[LARGE];
	uint8_t got[LARGE];
};

FIXTURE_VARIANT(residue)
{
	uint8_t cipher_id;
};

#define RESIDUE(name, id)						\
FIXTURE_VARIANT_ADD(residue, name) { .cipher_id = id }

RESIDUE(aes_gcm, NST_CIPHER_AES_GCM);
RESIDUE(aes_cbc, NST_CIPHER_AES_CBC);
RESIDUE(sm4_gcm, NST_CIPHER_SM4_GCM);
RESIDUE(sm4_cbc, NST_CIPHER_SM4_CBC);
RESIDUE(aes_256_gcm, NST_CIPHER_AES_256_GCM);
RESIDUE(aes_256_cbc, NST_CIPHER_AES_256_CBC);
RESIDUE(chacha20, NST_CIPHER_CHACHA20_POLY1305);

FIXTURE_SETUP(residue)
{
	struct nsttest_conf conf = responder;
	int i;

	conf.cipher_id = variant->cipher_id;
	self->c = conn_open(_metadata, AF_INET, 0, &conf);
	for (i = 0; i < LARGE; i++)
		self->plain[i] = 1 + i % 251;
	memset(self->got, 0xff, LARGE);
}

FIXTURE_TEARDOWN(residue)
{
	conn_close(self->c);
}

/* Sends the large record, sealed with @pad, its last byte XORed with @flip. */
static void send_large(struct __test_metadata *_metadata,
		       FIXTURE_DATA(residue) *self, uint8_t pad, uint8_t flip)
{
	struct conn *c = self->c;
	struct peer_hdr h;

	conn_add(c, PEER_DATA, GOOD, GOOD_LEN);
	conn_flush(_metadata, c, c->len);
	expect_data(_metadata, c, GOOD);
	peer_prepare(&c->p, &h, PEER_DATA, LARGE);
	conn_add_hdr(c, &h, self->plain, LARGE, pad);
	c->out[c->len - 1] ^= flip;
	conn_flush(_metadata, c, c->len);
}

/* A large read, which may be decrypted into in place, brings nothing. */
static void expect_no_residue(struct __test_metadata *_metadata,
			      FIXTURE_DATA(residue) *self)
{
	size_t i, same = 0;

	EXPECT_EQ(-1, recv(self->c->k, self->got, LARGE, 0));
	EXPECT_EQ(EBADMSG, errno);
	for (i = 0; i < LARGE; i++)
		same += self->got[i] == self->plain[i];
	EXPECT_GT(16, same);
}

TEST_F(residue, tampered)
{
	send_large(_metadata, self, 0, 0x01);
	expect_no_residue(_metadata, self);
	expect_fatal(_metadata, self->c, EBADMSG, "NstRxAuth");
}

/* Without padding, in the other suites, this is a good record. */
TEST_F(residue, padding)
{
	send_large(_metadata, self, 0x80, 0);
	if (peer_suite_find(variant->cipher_id)->cbc) {
		expect_no_residue(_metadata, self);
		expect_fatal(_metadata, self->c, EBADMSG, "NstRxPadding");
		return;
	}
	EXPECT_EQ(LARGE, recv(self->c->k, self->got, LARGE, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(self->got, self->plain, LARGE));
}

TEST_HARNESS_MAIN
