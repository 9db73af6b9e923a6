// SPDX-License-Identifier: GPL-2.0
/*
 * SM4 and SM3 as the kernel's crypto API gives them, through AF_ALG: the
 * modes and the HMAC that the templates make from what nst_sm registers.
 * Published vectors (RFC 8998, draft-ribose-cfrg-sm4, GM/T 0042, GB/T 32905),
 * and random input against libgcrypt.
 *
 * Nothing is skipped: without nst_sm (or an in-tree SM4 and SM3), af_alg and
 * the algif modules the tests fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <gcrypt.h>
#include <linux/if_alg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"

#ifndef SOL_ALG
#define SOL_ALG		279
#endif

#define TAG_LEN		16
#define TEXT_MAX	16384
#define RANDOM_RUNS	40
#define PRIORITY	50	/* what nst_sm registers with */

static const __u8 sm4_key[16] = {
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10,
};

/* one operation on an AEAD or skcipher */
struct op {
	int what;		/* ALG_OP_ENCRYPT, ALG_OP_DECRYPT */
	const __u8 *iv;
	size_t iv_len;
	size_t aad_len;		/* AEAD: the input begins with it */
};

/*
 * Linux 7.3 keeps AF_ALG to a short list of algorithms unless told otherwise.
 * Gives what was set before; a kernel without the switch has no list.
 */
static int set_restriction(int to)
{
	int fd = open("/proc/sys/crypto/af_alg_restrict", O_RDWR | O_CLOEXEC);
	char text[12] = "";
	int was;

	if (fd < 0)
		return 0;
	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		perror("af_alg_restrict");
	was = atoi(text);
	snprintf(text, sizeof(text), "%d", to);
	if (pwrite(fd, text, strlen(text), 0) < 0)
		perror("af_alg_restrict");
	close(fd);
	return was;
}

/*
 * Opens algorithm @name and gives a descriptor to operate with, or -errno.
 * @key may be NULL, @tag_len 0.
 */
static int alg_open(const char *type, const char *name, const __u8 *key,
		    size_t key_len, size_t tag_len)
{
	struct sockaddr_alg sa = { .salg_family = AF_ALG };
	int tfm, op, err, was;

	strncpy((char *)sa.salg_type, type, sizeof(sa.salg_type) - 1);
	strncpy((char *)sa.salg_name, name, sizeof(sa.salg_name) - 1);
	/* The switch comes with the family's module, which this loads. */
	tfm = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	was = set_restriction(0);
	op = -1;
	if (tfm >= 0 && !bind(tfm, (struct sockaddr *)&sa, sizeof(sa)) &&
	    (!key || !setsockopt(tfm, SOL_ALG, ALG_SET_KEY, key, key_len)) &&
	    (!tag_len || !setsockopt(tfm, SOL_ALG, ALG_SET_AEAD_AUTHSIZE,
				     NULL, tag_len)))
		op = accept(tfm, NULL, NULL);
	err = errno;
	if (tfm >= 0)
		close(tfm);
	set_restriction(was);
	return op < 0 ? -err : op;
}

static void put_cmsg(struct msghdr *msg, struct cmsghdr **at, int type,
		     const void *data, size_t len)
{
	*at = *at ? CMSG_NXTHDR(msg, *at) : CMSG_FIRSTHDR(msg);
	(*at)->cmsg_level = SOL_ALG;
	(*at)->cmsg_type = type;
	(*at)->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(*at), data, len);
}

/* Gives the length of the output, or -errno. */
static ssize_t alg_crypt(int fd, const struct op *op, const __u8 *in,
			 size_t in_len, __u8 *out, size_t out_len)
{
	struct iovec iov = { .iov_base = (void *)in, .iov_len = in_len };
	struct { __u32 len; __u8 bytes[16]; } iv = { .len = op->iv_len };
	char control[256] = { 0 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	__u32 what = op->what, aad_len = op->aad_len;
	struct cmsghdr *at = NULL;
	ssize_t got;

	memcpy(iv.bytes, op->iv, op->iv_len);
	put_cmsg(&msg, &at, ALG_SET_OP, &what, sizeof(what));
	put_cmsg(&msg, &at, ALG_SET_IV, &iv, sizeof(iv.len) + op->iv_len);
	if (aad_len)
		put_cmsg(&msg, &at, ALG_SET_AEAD_ASSOCLEN, &aad_len,
			 sizeof(aad_len));
	msg.msg_controllen = (char *)at + CMSG_ALIGN(at->cmsg_len) - control;

	got = sendmsg(fd, &msg, 0);
	if (got != (ssize_t)in_len)
		return got < 0 ? -errno : -EIO;
	got = read(fd, out, out_len);
	return got < 0 ? -errno : got;
}

static void random_bytes(void *p, size_t len)
{
	if (getrandom(p, len, 0) != (ssize_t)len)
		abort();
}

static unsigned int random_below(unsigned int n)
{
	unsigned int v;

	random_bytes(&v, sizeof(v));
	return v % n;
}

/* libgcrypt is the yardstick: without it there is no test to go on with */
static void must(gcry_error_t err)
{
	if (!err)
		return;
	fprintf(stderr, "libgcrypt: %s\n", gcry_strerror(err));
	abort();
}

static gcry_cipher_hd_t reference_open(int mode, const __u8 *key)
{
	gcry_cipher_hd_t ref;

	gcry_check_version(NULL);	/* initialises the library */
	must(gcry_cipher_open(&ref, GCRY_CIPHER_SM4, mode, 0));
	must(gcry_cipher_setkey(ref, key, 16));
	return ref;
}

/* @out has @len bytes; @mode is CBC or CTR */
static void reference_crypt(int mode, const __u8 *key, const __u8 *iv,
			    const __u8 *in, __u8 *out, size_t len)
{
	gcry_cipher_hd_t ref = reference_open(mode, key);

	if (mode == GCRY_CIPHER_MODE_CTR)
		must(gcry_cipher_setctr(ref, iv, 16));
	else
		must(gcry_cipher_setiv(ref, iv, 16));
	must(gcry_cipher_encrypt(ref, out, len, in, len));
	gcry_cipher_close(ref);
}

/* @out has @len + TAG_LEN bytes, @iv 12 */
static void reference_seal(const __u8 *key, const __u8 *iv, const __u8 *aad,
			   size_t aad_len, const __u8 *in, __u8 *out,
			   size_t len)
{
	gcry_cipher_hd_t ref = reference_open(GCRY_CIPHER_MODE_GCM, key);

	must(gcry_cipher_setiv(ref, iv, 12));
	must(gcry_cipher_authenticate(ref, aad, aad_len));
	must(gcry_cipher_encrypt(ref, out, len, in, len));
	must(gcry_cipher_gettag(ref, out + len, TAG_LEN));
	gcry_cipher_close(ref);
}

static void reference_hmac(const __u8 *key, size_t key_len, const __u8 *in,
			   size_t len, __u8 *out)
{
	size_t out_len = 32;
	gcry_mac_hd_t ref;

	gcry_check_version(NULL);
	must(gcry_mac_open(&ref, GCRY_MAC_HMAC_SM3, 0, NULL));
	must(gcry_mac_setkey(ref, key, key_len));
	must(gcry_mac_write(ref, in, len));
	must(gcry_mac_read(ref, out, &out_len));
	gcry_mac_close(ref);
}

/* lengths are whole blocks */
static void skcipher_random(struct __test_metadata *_metadata,
			    const char *name, int mode)
{
	static __u8 text[TEXT_MAX], want[TEXT_MAX], got[TEXT_MAX];
	__u8 key[16], iv[16];
	int i;

	for (i = 0; i < RANDOM_RUNS; i++) {
		struct op op = { ALG_OP_ENCRYPT, iv, sizeof(iv), 0 };
		ssize_t len = (random_below(TEXT_MAX / 16) + 1) * 16;
		int fd;

		random_bytes(key, sizeof(key));
		random_bytes(iv, sizeof(iv));
		random_bytes(text, len);
		reference_crypt(mode, key, iv, text, want, len);

		fd = alg_open("skcipher", name, key, sizeof(key), 0);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(len, alg_crypt(fd, &op, text, len, got, len));
		ASSERT_EQ(0, memcmp(got, want, len));
		op.what = ALG_OP_DECRYPT;
		ASSERT_EQ(len, alg_crypt(fd, &op, want, len, got, len));
		ASSERT_EQ(0, memcmp(got, text, len));
		close(fd);
	}
}

/*
 * /proc/crypto must list @driver as an implementation of @name, and below
 * every other one. The caller has opened it by that name, which loads the
 * module if need be.
 */
static void check_registered(struct __test_metadata *_metadata,
			     const char *name, const char *driver)
{
	char line[256], this_name[128] = "", this_driver[128] = "";
	FILE *f = fopen("/proc/crypto", "r");
	bool seen = false;
	int priority;

	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "name : %127s", this_name) == 1 ||
		    sscanf(line, "driver : %127s", this_driver) == 1 ||
		    sscanf(line, "priority : %d", &priority) != 1 ||
		    strcmp(this_name, name))
			continue;
		TH_LOG("%s: %s, priority %d", name, this_driver, priority);
		if (!strcmp(this_driver, driver)) {
			seen = true;
			EXPECT_EQ(PRIORITY, priority);
		} else {
			EXPECT_GT(priority, PRIORITY);
		}
	}
	fclose(f);
	EXPECT_TRUE(seen);
}

TEST(registered__sm4_below_all_others)
{
	int fd = alg_open("skcipher", "cbc(sm4-nst)", sm4_key,
			  sizeof(sm4_key), 0);

	ASSERT_GE(fd, 0);
	close(fd);
	check_registered(_metadata, "sm4", "sm4-nst");
}

TEST(registered__sm3_below_all_others)
{
	int fd = alg_open("hash", "sm3-nst", NULL, 0, 0);

	ASSERT_GE(fd, 0);
	close(fd);
	check_registered(_metadata, "sm3", "sm3-nst");
}

TEST(sm4__other_key_lengths_refused)
{
	static const __u8 key[33];
	size_t len;

	for (len = 1; len < sizeof(key); len++) {
		int fd = alg_open("skcipher", "cbc(sm4)", key, len, 0);

		if (len == 16) {
			EXPECT_GE(fd, 0);
			close(fd);
		} else {
			EXPECT_EQ(-EINVAL, fd);
		}
	}
}

TEST(cbc_sm4__ribose_vector)
{
	static const __u8 want[32] = {
		0x78, 0xeb, 0xb1, 0x1c, 0xc4, 0x0b, 0x0a, 0x48,
		0x31, 0x2a, 0xae, 0xb2, 0x04, 0x02, 0x44, 0xcb,
		0x4c, 0xb7, 0x01, 0x69, 0x51, 0x90, 0x92, 0x26,
		0x97, 0x9b, 0x0d, 0x15, 0xdc, 0x6a, 0x8f, 0x6d,
	};
	static const __u8 quads[8] = {
		0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0xaa, 0xbb,
	};
	__u8 iv[16], text[32], got[32];
	struct op op = { ALG_OP_ENCRYPT, iv, sizeof(iv), 0 };
	unsigned int i;
	int fd;

	for (i = 0; i < 16; i++)
		iv[i] = i;
	for (i = 0; i < 32; i++)
		text[i] = quads[i / 4];
	fd = alg_open("skcipher", "cbc(sm4)", sm4_key, sizeof(sm4_key), 0);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(32, alg_crypt(fd, &op, text, 32, got, 32));
	EXPECT_EQ(0, memcmp(got, want, 32));
	op.what = ALG_OP_DECRYPT;
	ASSERT_EQ(32, alg_crypt(fd, &op, want, 32, got, 32));
	EXPECT_EQ(0, memcmp(got, text, 32));
	close(fd);
}

TEST(cbc_sm4__matches_libgcrypt)
{
	skcipher_random(_metadata, "cbc(sm4)", GCRY_CIPHER_MODE_CBC);
}

TEST(ctr_sm4__matches_libgcrypt)
{
	skcipher_random(_metadata, "ctr(sm4)", GCRY_CIPHER_MODE_CTR);
}

/* RFC 8998 A.1: AAD, plaintext, then ciphertext and tag */
static const __u8 gcm_iv[12] = {
	0x00, 0x00, 0x12, 0x34, 0x56, 0x78, 0x00, 0x00,
	0x00, 0x00, 0xab, 0xcd,
};

static const __u8 gcm_aad[20] = {
	0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef,
	0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef,
	0xab, 0xad, 0xda, 0xd2,
};

static const __u8 gcm_sealed[64 + TAG_LEN] = {
	0x17, 0xf3, 0x99, 0xf0, 0x8c, 0x67, 0xd5, 0xee,
	0x19, 0xd0, 0xdc, 0x99, 0x69, 0xc4, 0xbb, 0x7d,
	0x5f, 0xd4, 0x6f, 0xd3, 0x75, 0x64, 0x89, 0x06,
	0x91, 0x57, 0xb2, 0x82, 0xbb, 0x20, 0x07, 0x35,
	0xd8, 0x27, 0x10, 0xca, 0x5c, 0x22, 0xf0, 0xcc,
	0xfa, 0x7c, 0xbf, 0x93, 0xd4, 0x96, 0xac, 0x15,
	0xa5, 0x68, 0x34, 0xcb, 0xcf, 0x98, 0xc3, 0x97,
	0xb4, 0x02, 0x4a, 0x26, 0x91, 0x23, 0x3b, 0x8d,
	0x83, 0xde, 0x35, 0x41, 0xe4, 0xc2, 0xb5, 0x81,
	0x77, 0xe0, 0x65, 0xa9, 0xbf, 0x7b, 0x62, 0xec,
};

FIXTURE(gcm_sm4)
{
	int fd;
	__u8 plain[20 + 64];			/* AAD, text */
	__u8 sealed[20 + 64 + TAG_LEN];	/* AAD, ciphertext, tag */
	__u8 got[20 + 64 + TAG_LEN];
};

FIXTURE_SETUP(gcm_sm4)
{
	static const __u8 octets[8] = {
		0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0xee, 0xaa,
	};
	unsigned int i;

	memcpy(self->plain, gcm_aad, sizeof(gcm_aad));
	for (i = 0; i < 64; i++)
		self->plain[20 + i] = octets[i / 8];
	memcpy(self->sealed, gcm_aad, sizeof(gcm_aad));
	memcpy(self->sealed + 20, gcm_sealed, sizeof(gcm_sealed));
	self->fd = alg_open("aead", "gcm(sm4)", sm4_key, sizeof(sm4_key),
			    TAG_LEN);
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(gcm_sm4)
{
	close(self->fd);
}

TEST_F(gcm_sm4, rfc8998_vector)
{
	struct op op = { ALG_OP_ENCRYPT, gcm_iv, 12, 20 };

	ASSERT_EQ((ssize_t)sizeof(self->sealed),
		  alg_crypt(self->fd, &op, self->plain, sizeof(self->plain),
			    self->got, sizeof(self->got)));
	EXPECT_EQ(0, memcmp(self->got, self->sealed, sizeof(self->sealed)));

	op.what = ALG_OP_DECRYPT;
	ASSERT_EQ((ssize_t)sizeof(self->plain),
		  alg_crypt(self->fd, &op, self->sealed, sizeof(self->sealed),
			    self->got, sizeof(self->plain)));
	EXPECT_EQ(0, memcmp(self->got, self->plain, sizeof(self->plain)));
}

TEST_F(gcm_sm4, any_changed_byte_is_noticed)
{
	struct op op = { ALG_OP_DECRYPT, gcm_iv, 12, 20 };
	size_t i;

	for (i = 0; i < sizeof(self->sealed); i++) {
		self->sealed[i] ^= 1 << i % 8;
		EXPECT_EQ(-EBADMSG,
			  alg_crypt(self->fd, &op, self->sealed,
				    sizeof(self->sealed), self->got,
				    sizeof(self->plain)));
		self->sealed[i] ^= 1 << i % 8;
	}
}

/* the AAD of a record is 32 bytes; its text may be empty */
TEST(gcm_sm4__matches_libgcrypt)
{
	enum { AAD = 32 };
	static __u8 in[AAD + TEXT_MAX], want[TEXT_MAX + TAG_LEN];
	static __u8 got[AAD + TEXT_MAX + TAG_LEN];
	__u8 key[16], iv[12];
	int i;

	for (i = 0; i < RANDOM_RUNS; i++) {
		struct op op = { ALG_OP_ENCRYPT, iv, sizeof(iv), AAD };
		ssize_t len = i ? random_below(TEXT_MAX) + 1 : 0;
		int fd;

		random_bytes(key, sizeof(key));
		random_bytes(iv, sizeof(iv));
		random_bytes(in, AAD + len);
		reference_seal(key, iv, in, AAD, in + AAD, want, len);

		fd = alg_open("aead", "gcm(sm4)", key, sizeof(key), TAG_LEN);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(AAD + len + TAG_LEN,
			  alg_crypt(fd, &op, in, AAD + len, got,
				    AAD + len + TAG_LEN));
		ASSERT_EQ(0, memcmp(got + AAD, want, len + TAG_LEN));
		close(fd);
	}
}

/* A hash in pieces of random size, with a look at a copy after each. */
static ssize_t hash_in_pieces(int fd, const __u8 *data, size_t len,
			      __u8 *out)
{
	size_t at = 0;

	while (at < len) {
		size_t piece = random_below(200) + 1;
		__u8 unused[32];
		ssize_t got;
		int copy;

		if (piece > len - at)
			piece = len - at;
		if (send(fd, data + at, piece, MSG_MORE) != (ssize_t)piece)
			return -errno;
		at += piece;

		/* accept() exports the state and imports it elsewhere */
		copy = accept(fd, NULL, NULL);
		if (copy < 0)
			return -errno;
		got = read(copy, unused, sizeof(unused));
		close(copy);
		if (got != sizeof(unused))
			return got < 0 ? -errno : -EIO;
	}
	return read(fd, out, 32);
}

TEST(sm3__matches_libgcrypt)
{
	static __u8 data[TEXT_MAX];
	__u8 got[32], want[32];
	size_t len;
	int fd, i;

	fd = alg_open("hash", "sm3", NULL, 0, 0);
	ASSERT_GE(fd, 0);
	random_bytes(data, sizeof(data));
	for (len = 1; len <= 200; len++) {
		gcry_md_hash_buffer(GCRY_MD_SM3, want, data, len);
		ASSERT_EQ((ssize_t)len, send(fd, data, len, 0));
		ASSERT_EQ(32, read(fd, got, sizeof(got)));
		ASSERT_EQ(0, memcmp(got, want, sizeof(got)));
	}
	for (i = 0; i < RANDOM_RUNS; i++) {
		len = random_below(TEXT_MAX / 8) + 1;
		gcry_md_hash_buffer(GCRY_MD_SM3, want, data, len);
		ASSERT_EQ(32, hash_in_pieces(fd, data, len, got));
		ASSERT_EQ(0, memcmp(got, want, sizeof(got)));
	}
	close(fd);
}

TEST(hmac_sm3__gmt0042_vector)
{
	static const __u8 want[32] = {
		0xca, 0x05, 0xe1, 0x44, 0xed, 0x05, 0xd1, 0x85,
		0x78, 0x40, 0xd1, 0xf3, 0x18, 0xa4, 0xa8, 0x66,
		0x9e, 0x55, 0x9f, 0xc8, 0x39, 0x1f, 0x41, 0x44,
		0x85, 0xbf, 0xdf, 0x7b, 0xb4, 0x08, 0x96, 0x3a,
	};
	/* the message is this twice */
	static const char half[] =
		"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	ssize_t len = sizeof(half) - 1;
	__u8 key[32], got[32];
	unsigned int i;
	int fd;

	for (i = 0; i < sizeof(key); i++)
		key[i] = i + 1;
	fd = alg_open("hash", "hmac(sm3)", key, sizeof(key), 0);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(len, send(fd, half, len, MSG_MORE));
	ASSERT_EQ(len, send(fd, half, len, 0));
	ASSERT_EQ(32, read(fd, got, sizeof(got)));
	EXPECT_EQ(0, memcmp(got, want, sizeof(got)));
	close(fd);
}

/* keys below, at and beyond the block, where they are hashed first */
TEST(hmac_sm3__matches_libgcrypt)
{
	static __u8 data[TEXT_MAX];
	__u8 key[130], got[32], want[32];
	size_t key_len;

	random_bytes(data, sizeof(data));
	random_bytes(key, sizeof(key));
	for (key_len = 1; key_len <= sizeof(key); key_len += 3) {
		size_t len = random_below(TEXT_MAX / 8) + 1;
		int fd;

		reference_hmac(key, key_len, data, len, want);
		fd = alg_open("hash", "hmac(sm3)", key, key_len, 0);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(32, hash_in_pieces(fd, data, len, got));
		ASSERT_EQ(0, memcmp(got, want, sizeof(got)));
		close(fd);
	}
}

TEST_HARNESS_MAIN
