// SPDX-License-Identifier: GPL-2.0
/* cipher.c: every suite, with buffers cut anywhere and damage everywhere. */
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/nst.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <shim/test.h>
#include <crypto/aead.h>
#include "core/aead.h"
#include "core/cipher.h"
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

TEST(nst_suite__table)
{
	static const char *const names[] = {
		NULL, "aes-gcm", "aes-cbc", "sm4-gcm", "sm4-cbc",
		"aes-256-gcm", "aes-256-cbc", "chacha20-poly1305",
	};
	unsigned int id;

	CHECK(!nst_suite(0));
	for (id = 1; id <= 7; id++) {
		NEED(nst_suite(id));
		CHECK(!strcmp(nst_suite(id)->name, names[id]));
		CHECK_EQ(nst_suite(id)->key_len, id >= 5 ? 32 : 16);
		CHECK_EQ(!!nst_suite(id)->ivgen, nst_wire_padded(id));
		CHECK(nst_suite(id)->okm_len <= NST_OKM_MAX);
	}
	for (id = 8; id < 256; id++)
		CHECK(!nst_suite(id));
}

TEST(nst_suite_driver__each_suite)
{
	char aead[64], hmac[64];
	unsigned int id;

	for (id = 1; id <= 7; id++) {
		CHECK_EQ(nst_suite_driver(id, aead, hmac, 64), 0);
		CHECK(!strcmp(aead, id == NST_CIPHER_SM4_CBC ?
			      "authenc(shim-hmac,shim-skcipher)" : "shim-aead"));
		CHECK(!strcmp(hmac, "shim-hmac"));
	}
	CHECK_EQ(nst_suite_driver(0, aead, hmac, 32), -ENOPKG);
	CHECK_EQ(nst_suite_driver(8, aead, hmac, 32), -ENOPKG);
}

TEST(nst_suite_driver__missing_parts)
{
	static const char *const parts[] = { "gcm(sm4)", "cbc(sm4)", "sm3" };
	char aead[64], hmac[64];
	unsigned int i, id;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		shim_crypto_missing = parts[i];
		for (id = 1; id <= 7; id++) {
			bool hit = (id == 3 && i != 1) || (id == 4 && i != 0);

			CHECK_EQ(nst_suite_driver(id, aead, hmac, 32),
				 hit ? -ENOPKG : 0);
		}
	}
	shim_crypto_missing = "authenc";
	for (id = 1; id <= 7; id++)
		CHECK_EQ(nst_suite_driver(id, aead, hmac, 32),
			 nst_suite(id)->ivgen ? -ENOPKG : 0);
}

/* What is there costs nothing to find; what is missing is sought after a while. */
TEST(nst_suite_check__remembers)
{
	char aead[32], hmac[32];
	unsigned int id;

	shim_crypto_missing = "sm3";
	for (id = 3; id <= 4; id++) {
		CHECK_EQ(nst_suite_check(id), -ENOPKG);
		CHECK_EQ(nst_suite_check(id), -ENOPKG);
	}
	shim_crypto_missing = "sm4";
	CHECK_EQ(nst_suite_check(3), -ENOPKG);
	shim_crypto_missing = NULL;
	CHECK_EQ(nst_suite_check(3), -ENOPKG);
	/* Who asks for drivers wants to know it now. */
	CHECK_EQ(nst_suite_driver(3, aead, hmac, 32), 0);
	CHECK_EQ(nst_suite_check(3), 0);
	CHECK_EQ(nst_suite_check(4), -ENOPKG);
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	CHECK_EQ(nst_suite_check(4), 0);
	for (id = 1; id <= 7; id++) {
		CHECK_EQ(nst_suite_check(id), 0);
		shim_fail_at(1);
		CHECK_EQ(nst_suite_check(id), 0);
		CHECK(!shim_fail_hit());
	}
	CHECK_EQ(nst_suite_check(0), -ENOPKG);
	CHECK_EQ(nst_suite_check(8), -ENOPKG);
	CHECK_EQ(shim_live_tfms, 0);
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

/* Who serves many does not wait for an algorithm, nor look for one all the time. */
/* Who asks learns what a work item has found out, and waits for nothing. */
TEST(nst_suite_ask__is_looked_for_by_others)
{
	char aead[32], hmac[32];

	/* What other tests have found is no matter. */
	shim_crypto_missing = "sm4";
	CHECK_EQ(nst_suite_driver(NST_CIPHER_SM4_GCM, aead, hmac, 32), -ENOPKG);
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), -ENOPKG);
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), -EAGAIN);
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), -EAGAIN);
	shim_work_run();
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), -ENOPKG);
	/* For any suite nothing is looked for twice. */
	shim_crypto_missing = NULL;
	nst_suite_ask_all();
	shim_work_run();
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	nst_suite_ask_all();
	shim_work_run();
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), -EAGAIN);
	shim_work_run();
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), 0);
	CHECK_EQ(nst_suite_ask(NST_CIPHER_CHACHA20_POLY1305), 0);
	/* It was there, and is no more. */
	shim_crypto_missing = "sm4";
	CHECK_EQ(nst_suite_driver(NST_CIPHER_SM4_GCM, aead, hmac, 32), -ENOPKG);
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), -EAGAIN);
	nst_suite_exit();
	CHECK_EQ(shim_live_tfms, 0);
}

TEST(nst_suite_at_hand__looked_for_seldom)
{
	u8 id;

	shim_crypto_missing = "sm4";
	nst_suite_have(0);
	shim_crypto_missing = "aes";
	for (id = 1; id <= NST_WIRE_SUITE_MAX; id++)
		CHECK_EQ(nst_suite_at_hand(id), id == NST_CIPHER_SM4_GCM ||
			 id == NST_CIPHER_SM4_CBC ? -ENOPKG : 0);
	shim_crypto_missing = NULL;
	shim_boot_ns += (NST_SUITE_LOOK - 1) * NSEC_PER_SEC;
	CHECK_EQ(nst_suite_at_hand(NST_CIPHER_SM4_GCM), -ENOPKG);
	shim_boot_ns += NSEC_PER_SEC;
	CHECK_EQ(nst_suite_at_hand(NST_CIPHER_SM4_GCM), 0);
	/* Keys for that one alone are set: it is looked for at once. */
	nst_suite_have(NST_CIPHER_SM4_CBC);
	CHECK_EQ(nst_suite_at_hand(NST_CIPHER_SM4_CBC), 0);
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
