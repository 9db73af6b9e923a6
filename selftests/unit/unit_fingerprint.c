// SPDX-License-Identifier: GPL-2.0
/* fingerprint.c against a digest that libgcrypt makes by itself. */
#include <gcrypt.h>
#include <linux/nst.h>
#include <shim/test.h>
#include "core/fingerprint.h"

static void want_fingerprint(const u8 *secret, u8 *fp)
{
	gcry_md_hd_t md;

	NEED(!gcry_md_open(&md, GCRY_MD_SHA256, 0));
	gcry_md_write(md, "nst-fp", 6);
	gcry_md_write(md, secret, NST_KEY_SIZE);
	memcpy(fp, gcry_md_read(md, GCRY_MD_SHA256), NST_FINGERPRINT_LEN);
	gcry_md_close(md);
}

TEST(nst_fingerprint__random_keys)
{
	u8 secret[NST_KEY_SIZE], was[NST_KEY_SIZE];
	u8 fp[NST_FINGERPRINT_LEN + 1], want[NST_FINGERPRINT_LEN];
	unsigned int i;

	NEED_EQ(nst_fingerprint_init(), 0);
	for (i = 0; i < 100; i++) {
		test_random_bytes(secret, sizeof(secret));
		memcpy(was, secret, sizeof(was));
		want_fingerprint(secret, want);
		fp[NST_FINGERPRINT_LEN] = 0xee;
		NEED_EQ(nst_fingerprint(secret, fp), 0);
		CHECK_MEM(fp, want, sizeof(want));
		CHECK_EQ(fp[NST_FINGERPRINT_LEN], 0xee);
		CHECK_MEM(secret, was, sizeof(was));
	}
	nst_fingerprint_exit();
}

/* (printf nst-fp; head -c 32 /dev/zero) | sha256sum */
TEST(nst_fingerprint__of_zeros_as_sha256sum_says)
{
	static const u8 secret[NST_KEY_SIZE];
	u8 fp[NST_FINGERPRINT_LEN], want[32];

	test_unhex("656915e2c4f39fe918698597addf4119480675a20a7ba1b05281d0f89da87348",
		   want, sizeof(want));
	NEED_EQ(nst_fingerprint_init(), 0);
	NEED_EQ(nst_fingerprint(secret, fp), 0);
	CHECK_MEM(fp, want, sizeof(fp));
	nst_fingerprint_exit();
}

/* Two keys that differ in a bit do not look alike. */
TEST(nst_fingerprint__every_bit_matters)
{
	u8 fp[NST_FINGERPRINT_LEN], other[NST_FINGERPRINT_LEN];
	u8 secret[NST_KEY_SIZE];
	unsigned int i;

	test_random_bytes(secret, sizeof(secret));
	NEED_EQ(nst_fingerprint_init(), 0);
	NEED_EQ(nst_fingerprint(secret, fp), 0);
	for (i = 0; i < 8 * NST_KEY_SIZE; i++) {
		secret[i / 8] ^= 1 << i % 8;
		NEED_EQ(nst_fingerprint(secret, other), 0);
		CHECK(memcmp(fp, other, sizeof(fp)));
		secret[i / 8] ^= 1 << i % 8;
	}
	nst_fingerprint_exit();
}

TEST(nst_fingerprint_init__without_the_hash)
{
	shim_crypto_missing = "sha256";
	CHECK_EQ(nst_fingerprint_init(), -ENOENT);
}

TEST(nst_fingerprint_init__each_allocation_fails)
{
	unsigned int n;
	int err;

	for (n = 1; ; n++) {
		shim_fail_at(n);
		err = nst_fingerprint_init();
		if (!shim_fail_hit())
			break;
		CHECK_EQ(err, -ENOMEM);
		CHECK_EQ(shim_live_tfms, 0);
	}
	CHECK_EQ(err, 0);
	CHECK(n > 1);
	nst_fingerprint_exit();
}

/* Nothing has to be allocated for one key, so nothing can fail. */
TEST(nst_fingerprint__allocates_nothing)
{
	u8 secret[NST_KEY_SIZE] = {}, fp[NST_FINGERPRINT_LEN];

	NEED_EQ(nst_fingerprint_init(), 0);
	shim_fail_at(1);
	CHECK_EQ(nst_fingerprint(secret, fp), 0);
	CHECK(!shim_fail_hit());
	nst_fingerprint_exit();
}
