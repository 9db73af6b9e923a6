// SPDX-License-Identifier: GPL-2.0
/* kdf.c against an HKDF that is written here once more, over libgcrypt. */
#include <gcrypt.h>
#include <netinet/in.h>
#include <linux/err.h>
#include <linux/nst.h>
#include <shim/test.h>
#include "core/cipher.h"
#include "core/kdf.h"
#include "core/suite.h"

static u8 secret[NST_KEY_SIZE], salt[NST_KDF_SALT_LEN], context[32];

static struct nst_kdf some_input(void)
{
	struct nst_kdf in = {
		.secret = secret, .salt = salt, .context = context,
		.context_len = 5, .proto = IPPROTO_TCP, .suite = 1,
		.kpos = 9, .kval = 0x5a, .kid = 0x1234, .epoch = 0xbeef,
	};

	test_random_bytes(secret, sizeof(secret));
	test_random_bytes(salt, sizeof(salt));
	test_random_bytes(context, sizeof(context));
	return in;
}

static void hmac(int algo, const u8 *key, size_t key_len, const u8 *data,
		 size_t len, u8 *out)
{
	size_t size = 32;
	gcry_mac_hd_t mac;

	NEED(!gcry_mac_open(&mac, algo, 0, NULL));
	NEED(!gcry_mac_setkey(mac, key, key_len));
	NEED(!gcry_mac_write(mac, data, len));
	NEED(!gcry_mac_read(mac, out, &size));
	gcry_mac_close(mac);
}

/* RFC 5869, 2.2 and 2.3. */
static void hkdf(int algo, const u8 *ikm, size_t ikm_len, const u8 *hkdf_salt,
		 size_t salt_len, const u8 *info, size_t info_len, u8 *okm,
		 size_t len)
{
	u8 prk[32], t[32], data[32 + 256 + 1];
	size_t at = 0, t_len = 0;
	u8 i;

	hmac(algo, hkdf_salt, salt_len, ikm, ikm_len, prk);
	for (i = 1; at < len; i++) {
		size_t n = min_t(size_t, len - at, 32);

		memcpy(data, t, t_len);
		memcpy(data + t_len, info, info_len);
		data[t_len + info_len] = i;
		hmac(algo, prk, 32, data, t_len + info_len + 1, t);
		t_len = 32;
		memcpy(okm + at, t, n);
		at += n;
	}
}

/* The protocol's section 3, by the letter. */
static void want_okm(const struct nst_kdf *in, u8 *okm, size_t len)
{
	bool sm3 = in->suite == NST_CIPHER_SM4_GCM ||
		   in->suite == NST_CIPHER_SM4_CBC;
	u8 ikm[NST_KEY_SIZE], info[64] = {
		'n', 's', 't', '1', in->proto, 1, in->suite, in->kid >> 8,
		in->kid & 0xff, in->kpos, in->kval, in->epoch >> 8,
		in->epoch & 0xff, in->context_len,
	};

	memcpy(info + 14, in->context, in->context_len);
	memcpy(ikm, in->secret, sizeof(ikm));
	if (in->kpos)
		ikm[in->kpos - 1] ^= in->kval;
	hkdf(sm3 ? GCRY_MAC_HMAC_SM3 : GCRY_MAC_HMAC_SHA256, ikm, sizeof(ikm),
	     in->salt, 32, info, 14 + in->context_len, okm, len);
}

static void check_okm(const struct nst_kdf *in)
{
	size_t len = nst_suite(in->suite)->okm_len;
	u8 okm[NST_OKM_MAX + 1], want[NST_OKM_MAX];

	memset(okm, 0xee, sizeof(okm));
	NEED_EQ(nst_kdf_derive(in, okm, len), 0);
	want_okm(in, want, len);
	CHECK_MEM(okm, want, len);
	CHECK_EQ(okm[len], 0xee);
}

/* RFC 5869, A.1 and A.2: is the measure itself right? */
TEST(hkdf__rfc_5869_test_cases)
{
	u8 ikm[80], rfc_salt[80], info[80], okm[82], want[82];
	unsigned int i;

	memset(ikm, 0x0b, 22);
	test_unhex("000102030405060708090a0b0c", rfc_salt, 80);
	test_unhex("f0f1f2f3f4f5f6f7f8f9", info, 80);
	test_unhex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56",
		   want, 28);
	test_unhex("ecc4c5bf34007208d5b887185865", want + 28, 14);
	hkdf(GCRY_MAC_HMAC_SHA256, ikm, 22, rfc_salt, 13, info, 10, okm, 42);
	CHECK_MEM(okm, want, 42);
	for (i = 0; i < 80; i++) {
		ikm[i] = i;
		rfc_salt[i] = 0x60 + i;
		info[i] = 0xb0 + i;
	}
	test_unhex("b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c",
		   want, 28);
	test_unhex("19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8",
		   want + 28, 28);
	test_unhex("367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
		   want + 56, 26);
	hkdf(GCRY_MAC_HMAC_SHA256, ikm, 80, rfc_salt, 80, info, 80, okm, 82);
	CHECK_MEM(okm, want, 82);
}

TEST(nst_kdf_derive__each_suite)
{
	struct nst_kdf in = some_input();

	for (in.suite = 1; in.suite <= NST_WIRE_SUITE_MAX; in.suite++)
		check_okm(&in);
}

TEST(nst_kdf_derive__okm_length_of_each_suite)
{
	static const u8 len[] = { 0, 28, 64, 28, 64, 44, 96, 44 };
	unsigned int suite;

	for (suite = 1; suite <= NST_WIRE_SUITE_MAX; suite++)
		CHECK_EQ(nst_suite(suite)->okm_len, len[suite]);
}

TEST(nst_kdf_derive__each_context_length)
{
	struct nst_kdf in = some_input();

	for (in.context_len = 0; in.context_len <= 32; in.context_len++)
		check_okm(&in);
}

TEST(nst_kdf_derive__each_kpos)
{
	struct nst_kdf in = some_input();

	for (in.kpos = 1; in.kpos <= 32; in.kpos++)
		check_okm(&in);
	in.kpos = 0;
	in.kval = 0;
	check_okm(&in);
}

TEST(nst_kdf_derive__udp)
{
	struct nst_kdf in = some_input();

	in.proto = IPPROTO_UDP;
	memset(salt, 0, sizeof(salt));
	check_okm(&in);
}

TEST(nst_kdf_derive__random_inputs)
{
	struct nst_kdf in = some_input();
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		in = some_input();
		in.suite = 1 + test_random(NST_WIRE_SUITE_MAX);
		in.kpos = test_random(33);
		in.kval = test_random(256);
		in.kid = test_random(65536);
		in.epoch = test_random(65536);
		in.context_len = test_random(33);
		check_okm(&in);
	}
}

/* Whatever differs, the keys do. */
TEST(nst_kdf_derive__every_input_matters)
{
	struct nst_kdf in = some_input(), other[10];
	u8 salt2[32], secret2[32], context2[32], okm[28], base[28];
	unsigned int i;

	memcpy(salt2, salt, 32);
	memcpy(secret2, secret, 32);
	memcpy(context2, context, 32);
	salt2[31] ^= 1;
	secret2[31] ^= 1;
	context2[4] ^= 1;
	for (i = 0; i < ARRAY_SIZE(other); i++)
		other[i] = in;
	other[0].salt = salt2;
	other[1].secret = secret2;
	other[2].context = context2;
	other[3].context_len--;
	other[4].proto = IPPROTO_UDP;
	other[5].suite = NST_CIPHER_CHACHA20_POLY1305;
	other[6].kpos++;
	other[7].kval ^= 1;
	other[8].kid ^= 0x100;
	other[9].epoch ^= 0x100;
	NEED_EQ(nst_kdf_derive(&in, base, 28), 0);
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		NEED_EQ(nst_kdf_derive(&other[i], okm, 28), 0);
		CHECK(memcmp(okm, base, 28));
	}
}

TEST(nst_kdf_derive__inputs_are_left_alone)
{
	struct nst_kdf in = some_input();
	u8 was[32], okm[28];

	memcpy(was, secret, 32);
	NEED_EQ(nst_kdf_derive(&in, okm, 28), 0);
	CHECK_MEM(secret, was, 32);
}

TEST(nst_kdf_derive__refuses_what_the_protocol_does_not_know)
{
	struct nst_kdf in = some_input();
	u8 okm[NST_OKM_MAX];

	in.suite = 0;
	CHECK_EQ(nst_kdf_derive(&in, okm, 28), -EINVAL);
	in.suite = NST_WIRE_SUITE_MAX + 1;
	CHECK_EQ(nst_kdf_derive(&in, okm, 28), -EINVAL);
	in = some_input();
	in.kpos = 33;
	CHECK_EQ(nst_kdf_derive(&in, okm, 28), -EINVAL);
	in = some_input();
	in.context_len = 33;
	CHECK_EQ(nst_kdf_derive(&in, okm, 28), -EINVAL);
}

TEST(nst_kdf_derive__without_the_hash)
{
	struct nst_kdf in = some_input();
	u8 okm[64];

	shim_crypto_missing = "sm3";
	in.suite = NST_CIPHER_SM4_CBC;
	CHECK_EQ(nst_kdf_derive(&in, okm, 64), -ENOPKG);
	in.suite = NST_CIPHER_AES_CBC;
	CHECK_EQ(nst_kdf_derive(&in, okm, 64), 0);
}

/* After an error no key material is left in the caller's buffer. */
TEST(nst_kdf_derive__each_allocation_fails)
{
	struct nst_kdf in = some_input();
	unsigned int n;
	u8 okm[96];
	int err;

	in.suite = NST_CIPHER_AES_256_CBC;
	for (n = 1; ; n++) {
		memset(okm, 0xee, sizeof(okm));
		shim_fail_at(n);
		err = nst_kdf_derive(&in, okm, 96);
		if (!shim_fail_hit())
			break;
		CHECK_EQ(err, -ENOMEM);
		CHECK_EQ(shim_live_tfms, 0);
		CHECK(okm[0] == 0xee || okm[0] == 0);
	}
	CHECK_EQ(err, 0);
	CHECK(n > 1);
}

TEST(nst_kdf_init__each_suite_of_sha256_shares_it)
{
	struct nst_kdf in = some_input();

	NEED_EQ(nst_kdf_init(), 0);
	CHECK_EQ(shim_live_tfms, 1);
	for (in.suite = 1; in.suite <= NST_WIRE_SUITE_MAX; in.suite++)
		check_okm(&in);
	CHECK_EQ(shim_live_tfms, 1);
	/* It needs no other one. */
	shim_crypto_missing = "sha256";
	in.suite = NST_CIPHER_AES_GCM;
	check_okm(&in);
	nst_kdf_exit();
	CHECK_EQ(shim_live_tfms, 0);
	CHECK_EQ(nst_kdf_derive(&in, (u8[28]){}, 28), -ENOPKG);
}

TEST(nst_kdf_init__without_the_hash)
{
	shim_crypto_missing = "sha256";
	CHECK_EQ(nst_kdf_init(), -ENOENT);
	CHECK_EQ(shim_live_tfms, 0);
	nst_kdf_exit();
}
