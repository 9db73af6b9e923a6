// SPDX-License-Identifier: GPL-2.0
/* cipher.c: every suite, with buffers cut anywhere and damage everywhere. */
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/nst.h>
#include <linux/slab.h>
#include <shim/test.h>
#include <crypto/aead.h>
#include "core/aead.h"
#include "core/cipher.h"
#include "core/suite.h"
#include "limits.h"
#include "record.h"

#define LEN_MAX	2000

static u8 okm[NST_OKM_MAX];
static u8 plaintext[REC_MAX], out[REC_MAX], record[REC_MAX], copy[REC_MAX];

static struct nst_hdr some_hdr(u8 suite, unsigned int len)
{
	struct nst_hdr hdr = {
		.timestamp = 0x1122334455667788ULL,
		.nonce = 0x99aabbccddeeff00ULL,
		.len = len, .kid = 7, .epoch = 8, .suite = suite, .type = 0,
		.kpos = 3, .kval = 4,
	};

	return hdr;
}

static void keyed(struct nst_cipher *cipher, u8 suite)
{
	memset(cipher, 0, sizeof(*cipher));
	test_random_bytes(okm, sizeof(okm));
	test_random_bytes(plaintext, sizeof(plaintext));
	shim_secret_add(okm, 16);
	NEED_EQ(nst_cipher_init(cipher, suite), 0);
	NEED_EQ(nst_cipher_setkey(cipher, okm), 0);
}

static void done(struct nst_cipher *cipher)
{
	nst_cipher_free(cipher);
	nst_op_exit();
}

static int seal(struct nst_cipher *cipher, const struct nst_hdr *hdr,
		u8 *to, const struct rec_cut *cut)
{
	static u8 in[REC_MAX];

	memcpy(in, plaintext, hdr->len);
	return rec_seal(cipher, hdr, in, 0, to, cut);
}

static int open_copy(struct nst_cipher *cipher, const struct nst_hdr *hdr,
		     const struct rec_cut *cut)
{
	memcpy(copy, record, rec_len(hdr));
	memset(out, 0xee, sizeof(out));
	return rec_open(cipher, hdr, copy, out, cut);
}

TEST(nst_cipher_init__same_suite_again_does_nothing)
{
	struct nst_cipher cipher;
	struct crypto_aead *aead;

	keyed(&cipher, NST_CIPHER_AES_CBC);
	aead = cipher.aead;
	shim_fail_at(1);
	CHECK_EQ(nst_cipher_init(&cipher, NST_CIPHER_AES_CBC), 0);
	CHECK(!shim_fail_hit());
	CHECK(cipher.aead == aead);
	done(&cipher);
}

TEST(nst_cipher_init__from_each_suite_to_each)
{
	struct nst_cipher cipher = {};
	unsigned int from, to;

	for (from = 1; from <= 7; from++)
		for (to = 1; to <= 7; to++) {
			CHECK_EQ(nst_cipher_init(&cipher, from), 0);
			CHECK_EQ(nst_cipher_init(&cipher, to), 0);
			CHECK_EQ(cipher.suite, to);
			CHECK_EQ(!!cipher.ivgen, nst_wire_padded(to));
			CHECK_EQ(shim_live_tfms, 1 + nst_wire_padded(to));
		}
	done(&cipher);
	CHECK(!cipher.aead && !cipher.ivgen && !cipher.suite);
}

TEST(nst_cipher_init__unknown_suite)
{
	struct nst_cipher cipher = {};

	CHECK_EQ(nst_cipher_init(&cipher, 0), -ENOPKG);
	CHECK_EQ(nst_cipher_init(&cipher, 8), -ENOPKG);
	CHECK_EQ(nst_cipher_init(&cipher, 255), -ENOPKG);
}

/* A suite that fails leaves the cipher with the one that it had. */
TEST(nst_cipher_init__missing_leaves_it_as_it_was)
{
	struct nst_hdr hdr = some_hdr(NST_CIPHER_AES_GCM, 100);
	struct nst_cipher cipher;

	keyed(&cipher, NST_CIPHER_AES_GCM);
	shim_crypto_missing = "sm4";
	CHECK_EQ(nst_cipher_init(&cipher, NST_CIPHER_SM4_GCM), -ENOPKG);
	CHECK_EQ(nst_cipher_init(&cipher, NST_CIPHER_SM4_CBC), -ENOPKG);
	CHECK_EQ(cipher.suite, NST_CIPHER_AES_GCM);
	CHECK_EQ(seal(&cipher, &hdr, record, NULL), 0);
	CHECK_EQ(open_copy(&cipher, &hdr, NULL), 0);
	done(&cipher);
}

TEST(nst_cipher_init__each_allocation_fails)
{
	struct nst_hdr hdr = some_hdr(NST_CIPHER_AES_GCM, 100);
	struct nst_cipher cipher;
	unsigned int suite, n;
	int err;

	for (suite = 2; suite <= 7; suite++) {
		keyed(&cipher, NST_CIPHER_AES_GCM);
		for (n = 1; ; n++) {
			shim_fail_at(n);
			err = nst_cipher_init(&cipher, suite);
			if (!shim_fail_hit())
				break;
			CHECK_EQ(err, -ENOMEM);
			CHECK_EQ(cipher.suite, NST_CIPHER_AES_GCM);
			CHECK_EQ(shim_live_tfms, 1);
			CHECK_EQ(seal(&cipher, &hdr, record, NULL), 0);
		}
		CHECK_EQ(err, 0);
		CHECK_EQ(n, nst_wire_padded(suite) ? 3 : 2);
		done(&cipher);
	}
}

TEST(nst_cipher_setkey__each_failure_is_told)
{
	struct nst_cipher cipher;
	unsigned int suite, n;
	int err;

	for (suite = 1; suite <= 7; suite++) {
		keyed(&cipher, suite);
		for (n = 1; ; n++) {
			shim_fail_at(n);
			err = nst_cipher_setkey(&cipher, okm);
			if (!shim_fail_hit())
				break;
			CHECK_EQ(err, -ENOMEM);
		}
		CHECK_EQ(err, 0);
		CHECK_EQ(n, nst_wire_padded(suite) ? 3 : 2);
		done(&cipher);
	}
}

/* Every short length, in one piece. */
TEST(nst_cipher_seal__round_trip_of_every_length)
{
	unsigned int suite, len;
	struct nst_cipher cipher;
	struct nst_hdr hdr;

	for (suite = 1; suite <= 7; suite++) {
		keyed(&cipher, suite);
		for (len = 0; len <= 130; len++) {
			hdr = some_hdr(suite, len);
			NEED_EQ(seal(&cipher, &hdr, record, NULL), 0);
			NEED_EQ(open_copy(&cipher, &hdr, NULL), 0);
			CHECK_MEM(out, plaintext, len);
			CHECK(out[nst_wire_body_len(suite, len)] == 0xee);
		}
		done(&cipher);
	}
}

static struct rec_cut some_cut(void)
{
	struct rec_cut cut = {
		.pieces = test_random(NST_OP_FRAGS),
		.alias = (u64)test_random(0) << 32 | test_random(0),
		.seed = test_random(0),
	};

	switch (test_random(3)) {
	case 0:
		cut.alias = 0;
		break;
	case 1:
		cut.alias = ~0ULL;
		break;
	}
	return cut;
}

/* However the buffers are cut, the same bytes come out. */
static void random_cuts(unsigned int len_max, unsigned int rounds)
{
	struct nst_cipher cipher;
	unsigned int suite, i;

	for (suite = 1; suite <= 7; suite++) {
		keyed(&cipher, suite);
		for (i = 0; i < rounds; i++) {
			struct nst_hdr hdr = some_hdr(suite,
						      test_random(len_max));
			struct rec_cut cut = some_cut();

			NEED_EQ(seal(&cipher, &hdr, record, NULL), 0);
			NEED_EQ(seal(&cipher, &hdr, copy, &cut), 0);
			if (!CHECK_MEM(copy, record, rec_len(&hdr)))
				test_abort();
			cut = some_cut();
			NEED_EQ(open_copy(&cipher, &hdr, &cut), 0);
			if (!CHECK_MEM(out, plaintext, hdr.len))
				test_abort();
		}
		done(&cipher);
	}
}

TEST(nst_cipher_seal__random_cuts)
{
	random_cuts(LEN_MAX, 300);
}

TEST(nst_cipher_seal__random_cuts_of_long_records)
{
	random_cuts(65536, 20);
}

TEST(nst_cipher_seal__an_aead_that_copies_the_aad)
{
	shim_crypto_copy_aad = true;
	random_cuts(LEN_MAX, 50);
}

TEST(nst_cipher_seal__an_aead_that_answers_late)
{
	shim_crypto_async = true;
	random_cuts(LEN_MAX, 50);
}

/* One bit of each byte that the token covers, or of the token. */
TEST(nst_cipher_open__any_byte_changed)
{
	struct nst_cipher cipher;
	unsigned int suite, at;

	for (suite = 1; suite <= 7; suite++) {
		struct nst_hdr hdr = some_hdr(suite, 100);

		keyed(&cipher, suite);
		NEED_EQ(seal(&cipher, &hdr, record, NULL), 0);
		for (at = 0; at < rec_len(&hdr); at++) {
			record[at] ^= 1 << at % 8;
			CHECK_EQ(open_copy(&cipher, &hdr, NULL), -EBADMSG);
			record[at] ^= 1 << at % 8;
		}
		CHECK_EQ(open_copy(&cipher, &hdr, NULL), 0);
		done(&cipher);
	}
}

/*
 * The IV by itself: the AAD is as it was, what the header says is not. CBC's
 * token does not cover the IV but through the header, so there it shows in the
 * first block only.
 */
TEST(nst_cipher_open__another_iv)
{
	struct nst_cipher cipher;
	unsigned int suite;

	for (suite = 1; suite <= 7; suite++) {
		struct nst_hdr hdr = some_hdr(suite, 100), other = hdr;
		int want = nst_wire_padded(suite) ? 0 : -EBADMSG;

		keyed(&cipher, suite);
		NEED_EQ(seal(&cipher, &hdr, record, NULL), 0);
		other.nonce++;
		CHECK_EQ(open_copy(&cipher, &other, NULL), want);
		CHECK(memcmp(out, plaintext, 16));
		other = hdr;
		other.timestamp ^= 1;
		CHECK_EQ(open_copy(&cipher, &other, NULL), want);
		CHECK(memcmp(out, plaintext, 16));
		done(&cipher);
	}
}

TEST(nst_cipher_open__another_key)
{
	struct nst_cipher cipher;
	unsigned int suite, at;

	for (suite = 1; suite <= 7; suite++) {
		struct nst_hdr hdr = some_hdr(suite, 100);
		/* The IV's key of CBC is at the end: it garbles a block. */
		unsigned int end = nst_suite(suite)->okm_len;

		if (nst_wire_padded(suite))
			end -= nst_suite(suite)->key_len;
		keyed(&cipher, suite);
		NEED_EQ(seal(&cipher, &hdr, record, NULL), 0);
		for (at = 0; at < end; at++) {
			int err;

			okm[at] ^= 0x10;
			NEED_EQ(nst_cipher_setkey(&cipher, okm), 0);
			err = open_copy(&cipher, &hdr, NULL);
			CHECK(err == -EBADMSG ||
			      (nst_wire_padded(suite) &&
			       at < nst_suite(suite)->key_len && !err &&
			       memcmp(out, plaintext, 100)));
			okm[at] ^= 0x10;
		}
		done(&cipher);
	}
}

/* Encrypt-then-MAC: nothing is decrypted that is not authentic. */
TEST(nst_cipher_open__cbc_writes_nothing_unauthenticated)
{
	struct nst_cipher cipher;
	unsigned int suite;

	for (suite = 2; suite <= 6; suite += 2) {
		struct nst_hdr hdr = some_hdr(suite, 100);

		keyed(&cipher, suite);
		NEED_EQ(seal(&cipher, &hdr, record, NULL), 0);
		record[NST_WIRE_HDR_LEN + 50] ^= 1;
		memcpy(copy, record, rec_len(&hdr));
		NEED_EQ(open_copy(&cipher, &hdr, NULL), -EBADMSG);
		CHECK(memcmp(out, plaintext, 16));
		done(&cipher);
	}
}

TEST(nst_cipher_open__padding_comes_out_for_whoever_judges_it)
{
	struct nst_cipher cipher;
	unsigned int suite, len;

	for (suite = 2; suite <= 6; suite += 2)
		for (len = 1; len < 48; len++) {
			struct nst_hdr hdr = some_hdr(suite, len);
			unsigned int body = nst_wire_body_len(suite, len), i;

			keyed(&cipher, suite);
			NEED_EQ(rec_seal(&cipher, &hdr, plaintext, 0xa7, record,
					 NULL), 0);
			NEED_EQ(open_copy(&cipher, &hdr, NULL), 0);
			CHECK_MEM(out, plaintext, len);
			for (i = len; i < body; i++)
				CHECK_EQ(out[i], 0xa7);
			done(&cipher);
			shim_reset();
		}
}

/* Two records of one epoch have no block in common. */
TEST(nst_cipher_seal__equal_plaintexts_look_different)
{
	struct nst_cipher cipher;
	unsigned int suite, at;

	for (suite = 1; suite <= 7; suite++) {
		struct nst_hdr hdr = some_hdr(suite, 64);

		keyed(&cipher, suite);
		memset(plaintext, 0, 64);
		NEED_EQ(seal(&cipher, &hdr, record, NULL), 0);
		hdr.nonce++;
		NEED_EQ(seal(&cipher, &hdr, copy, NULL), 0);
		for (at = NST_WIRE_HDR_LEN; at < rec_len(&hdr); at += 16)
			CHECK(memcmp(record + at, copy + at, 16));
		done(&cipher);
	}
}

TEST(nst_op_get__the_spare_one_is_used_again)
{
	struct nst_cipher cipher;
	struct nst_op *op;

	keyed(&cipher, NST_CIPHER_AES_GCM);
	op = nst_op_get(&cipher, GFP_KERNEL);
	NEED(op);
	nst_op_put(op);
	shim_fail_at(1);
	CHECK(nst_op_get(&cipher, GFP_KERNEL) == op);
	CHECK(!shim_fail_hit());
	nst_op_put(op);
	done(&cipher);
}

TEST(nst_op_get__two_at_once)
{
	struct nst_cipher cipher;
	struct nst_op *one, *two;

	keyed(&cipher, NST_CIPHER_AES_GCM);
	one = nst_op_get(&cipher, GFP_KERNEL);
	two = nst_op_get(&cipher, GFP_KERNEL);
	NEED(one && two && one != two);
	nst_op_put(one);
	nst_op_put(two);
	CHECK_EQ(shim_live_allocs, 1);
	done(&cipher);
}

/* A spare one of a suite with small requests does not do for a larger one. */
TEST(nst_op_get__room_for_every_driver)
{
	struct nst_cipher small, large;
	struct nst_op *op;

	keyed(&small, NST_CIPHER_AES_GCM);
	keyed(&large, NST_CIPHER_AES_CBC);
	op = nst_op_get(&small, GFP_KERNEL);
	nst_op_put(op);
	op = nst_op_get(&large, GFP_KERNEL);
	NEED(op);
	CHECK(op->req_size >= sizeof(struct aead_request) +
			      crypto_aead_reqsize(large.aead));
	nst_op_put(op);
	nst_cipher_free(&small);
	done(&large);
}

TEST(nst_op_get__without_memory)
{
	struct nst_cipher cipher;

	keyed(&cipher, NST_CIPHER_AES_CBC);
	shim_fail_at(1);
	CHECK(!nst_op_get(&cipher, GFP_KERNEL));
	CHECK(shim_fail_hit());
	done(&cipher);
}

TEST(nst_op_put__wipes_the_request)
{
	struct nst_cipher cipher;
	struct nst_op *op;
	unsigned int i;

	keyed(&cipher, NST_CIPHER_CHACHA20_POLY1305);
	op = nst_op_get(&cipher, GFP_KERNEL);
	NEED(op);
	memset(op->req, 0x77, op->req_used);
	nst_op_put(op);
	for (i = 0; i < op->req_used; i++)
		if (!CHECK_EQ(op->req[i], 0))
			break;
	done(&cipher);
}
