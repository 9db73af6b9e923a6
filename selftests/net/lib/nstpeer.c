// SPDX-License-Identifier: GPL-2.0
/*
 * nstpeer: records of the NST protocol over libgcrypt. See nstpeer.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <gcrypt.h>

#include "nstpeer.h"

#define IV_SIZE		12
#define BLOCK		16
#define MAC_KEY_SIZE	32
#define HASH_SIZE	32	/* SHA-256 and SM3 alike */

#define NSEC_PER_SEC	1000000000ull

static const struct peer_suite suites[PEER_SUITES] = {
	{ 1, false, 16, "aes-gcm", GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_GCM,
	  GCRY_MD_SHA256 },
	{ 2, true, 16, "aes-cbc", GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_CBC,
	  GCRY_MD_SHA256 },
	{ 3, false, 16, "sm4-gcm", GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_GCM,
	  GCRY_MD_SM3 },
	{ 4, true, 16, "sm4-cbc", GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_CBC,
	  GCRY_MD_SM3 },
	{ 5, false, 32, "aes-256-gcm", GCRY_CIPHER_AES256,
	  GCRY_CIPHER_MODE_GCM, GCRY_MD_SHA256 },
	{ 6, true, 32, "aes-256-cbc", GCRY_CIPHER_AES256,
	  GCRY_CIPHER_MODE_CBC, GCRY_MD_SHA256 },
	{ 7, false, 32, "chacha20-poly1305", GCRY_CIPHER_CHACHA20,
	  GCRY_CIPHER_MODE_POLY1305, GCRY_MD_SHA256 },
};

static const uint8_t zeros[2 * PEER_SALT_SIZE];

static void must(gcry_error_t err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "nstpeer: %s: %s\n", what, gcry_strerror(err));
	abort();
}

/* libgcrypt wants one call before all others, whoever comes first. */
__attribute__((constructor)) static void gcrypt_start(void)
{
	if (!gcry_check_version(NULL))
		abort();
	gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

const struct peer_suite *peer_suite_find(uint8_t id)
{
	size_t i;

	for (i = 0; i < PEER_SUITES; i++) {
		if (suites[i].id == id)
			return &suites[i];
	}
	return NULL;
}

uint64_t peer_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

void peer_random(void *buf, size_t len)
{
	if (getrandom(buf, len, 0) != (ssize_t)len)
		abort();
}

static void put_be(uint8_t *out, uint64_t v, unsigned int bytes)
{
	while (bytes--) {
		out[bytes] = v;
		v >>= 8;
	}
}

static uint64_t get_be(const uint8_t *in, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | *in++;
	return v;
}

void peer_hdr_put(uint8_t *out, const struct peer_hdr *h)
{
	put_be(out, h->magic, 4);
	out[4] = h->version;
	out[5] = h->cipher_id;
	put_be(out + 6, h->len, 2);
	put_be(out + 8, h->timestamp, 8);
	put_be(out + 16, h->nonce, 8);
	memcpy(out + PEER_TOKEN_OFF, h->token, PEER_TOKEN_SIZE);
	out[40] = h->kpos;
	out[41] = h->kval;
	put_be(out + 42, h->kid, 2);
	put_be(out + 44, h->flags, 4);
}

void peer_hdr_get(struct peer_hdr *h, const uint8_t *in)
{
	h->magic = get_be(in, 4);
	h->version = in[4];
	h->cipher_id = in[5];
	h->len = get_be(in + 6, 2);
	h->timestamp = get_be(in + 8, 8);
	h->nonce = get_be(in + 16, 8);
	memcpy(h->token, in + PEER_TOKEN_OFF, PEER_TOKEN_SIZE);
	h->kpos = in[40];
	h->kval = in[41];
	h->kid = get_be(in + 42, 2);
	h->flags = get_be(in + 44, 4);
}

size_t peer_body_size(const struct peer_suite *s, size_t plain)
{
	return s->cbc ? (plain + BLOCK - 1) / BLOCK * BLOCK : plain;
}

static void get_aad(uint8_t *aad, const uint8_t *hdr)
{
	memcpy(aad, hdr, PEER_TOKEN_OFF);
	memcpy(aad + PEER_TOKEN_OFF, hdr + PEER_TOKEN_OFF + PEER_TOKEN_SIZE,
	       PEER_AAD_SIZE - PEER_TOKEN_OFF);
}

static void hmac(int md, const uint8_t *key, size_t key_len,
		 const uint8_t *a, size_t a_len, const uint8_t *b,
		 size_t b_len, uint8_t *out)
{
	gcry_md_hd_t hd;

	must(gcry_md_open(&hd, md, GCRY_MD_FLAG_HMAC), "md_open");
	must(gcry_md_setkey(hd, key, key_len), "md_setkey");
	gcry_md_write(hd, a, a_len);
	gcry_md_write(hd, b, b_len);
	memcpy(out, gcry_md_read(hd, md), HASH_SIZE);
	gcry_md_close(hd);
}

/* RFC 5869, section 2.3. */
static void hkdf_expand(int md, const uint8_t *prk, const uint8_t *info,
			size_t info_len, uint8_t *okm, size_t len)
{
	uint8_t in[HASH_SIZE + 64 + 1], t[HASH_SIZE];
	size_t t_len = 0, n;
	uint8_t counter = 0;

	while (len) {
		memcpy(in, t, t_len);
		memcpy(in + t_len, info, info_len);
		in[t_len + info_len] = ++counter;
		hmac(md, prk, HASH_SIZE, in, t_len + info_len + 1, NULL, 0, t);
		t_len = HASH_SIZE;
		n = len < HASH_SIZE ? len : HASH_SIZE;
		memcpy(okm, t, n);
		okm += n;
		len -= n;
	}
	explicit_bzero(t, sizeof(t));
	explicit_bzero(in, sizeof(in));
}

static size_t build_info(uint8_t *info, const struct peer_hdr *h,
			 uint8_t proto, const struct peer_context *ctx)
{
	memcpy(info, "nst1", 4);
	info[4] = proto;
	info[5] = h->version;
	info[6] = h->cipher_id;
	put_be(info + 7, h->kid, 2);
	info[9] = h->kpos;
	info[10] = h->kval;
	put_be(info + 11, h->flags >> 16, 2);
	info[13] = ctx->len;
	memcpy(info + 14, ctx->bytes, ctx->len);
	return 14 + ctx->len;
}

int peer_derive(struct peer_keys *k, const struct peer_hdr *h, uint8_t proto,
		const uint8_t *secret, const struct peer_context *ctx,
		const uint8_t *s_own, const uint8_t *s_peer)
{
	uint8_t ikm[PEER_KEY_SIZE], salt[2 * PEER_SALT_SIZE], prk[HASH_SIZE];
	const struct peer_suite *s = peer_suite_find(h->cipher_id);
	uint8_t info[64];
	size_t info_len;

	if (!s)
		return -ENOPKG;
	memcpy(ikm, secret, sizeof(ikm));
	/* A position past the key is for the receiver to refuse. */
	if (h->kpos >= 1 && h->kpos <= PEER_KEY_SIZE)
		ikm[h->kpos - 1] ^= h->kval;
	memcpy(salt, s_own ? s_own : zeros, PEER_SALT_SIZE);
	memcpy(salt + PEER_SALT_SIZE, s_peer ? s_peer : zeros, PEER_SALT_SIZE);

	hmac(s->md, salt, sizeof(salt), ikm, sizeof(ikm), NULL, 0, prk);
	info_len = build_info(info, h, proto, ctx);
	k->suite = s;
	k->okm_len = s->cbc ? 2 * s->key_size + MAC_KEY_SIZE :
			      s->key_size + IV_SIZE;
	hkdf_expand(s->md, prk, info, info_len, k->okm, k->okm_len);
	explicit_bzero(ikm, sizeof(ikm));
	explicit_bzero(prk, sizeof(prk));
	return 0;
}

static gcry_cipher_hd_t cipher_open(const struct peer_suite *s, int mode,
				    const uint8_t *key)
{
	gcry_cipher_hd_t hd;

	must(gcry_cipher_open(&hd, s->cipher, mode, 0), "cipher_open");
	must(gcry_cipher_setkey(hd, key, s->key_size), "setkey");
	return hd;
}

static gcry_cipher_hd_t aead_start(const struct peer_keys *k,
				   const uint8_t *aad)
{
	gcry_cipher_hd_t hd = cipher_open(k->suite, k->suite->mode, k->okm);
	uint8_t iv[IV_SIZE];
	size_t i;

	/* low half of the timestamp, then the nonce: bytes 12..23 */
	for (i = 0; i < IV_SIZE; i++)
		iv[i] = k->okm[k->suite->key_size + i] ^ aad[12 + i];
	must(gcry_cipher_setiv(hd, iv, sizeof(iv)), "setiv");
	must(gcry_cipher_authenticate(hd, aad, PEER_AAD_SIZE), "aad");
	return hd;
}

static gcry_cipher_hd_t cbc_start(const struct peer_keys *k,
				  const uint8_t *aad)
{
	const uint8_t *iv_key = k->okm + k->suite->key_size + MAC_KEY_SIZE;
	uint8_t iv[BLOCK];
	gcry_cipher_hd_t hd;

	hd = cipher_open(k->suite, GCRY_CIPHER_MODE_ECB, iv_key);
	must(gcry_cipher_encrypt(hd, iv, BLOCK, aad + 8, BLOCK), "iv");
	gcry_cipher_close(hd);
	hd = cipher_open(k->suite, GCRY_CIPHER_MODE_CBC, k->okm);
	must(gcry_cipher_setiv(hd, iv, sizeof(iv)), "setiv");
	return hd;
}

static void cbc_token(const struct peer_keys *k, const uint8_t *aad,
		      const uint8_t *body, size_t size, uint8_t *token)
{
	uint8_t mac[HASH_SIZE];

	hmac(k->suite->md, k->okm + k->suite->key_size, MAC_KEY_SIZE, aad,
	     PEER_AAD_SIZE, body, size, mac);
	memcpy(token, mac, PEER_TOKEN_SIZE);
}

size_t peer_seal(const struct peer_keys *k, struct peer_hdr *h,
		 const void *plain, size_t len, uint8_t pad, uint8_t *out)
{
	size_t size = peer_body_size(k->suite, len);
	uint8_t *body = out + PEER_HDR_SIZE;
	uint8_t aad[PEER_AAD_SIZE];
	gcry_cipher_hd_t hd;

	peer_hdr_put(out, h);
	get_aad(aad, out);
	if (len)
		memcpy(body, plain, len);
	memset(body + len, pad, size - len);
	hd = k->suite->cbc ? cbc_start(k, aad) : aead_start(k, aad);
	if (!k->suite->cbc)
		gcry_cipher_final(hd);
	/* An empty AEAD message too: the tag depends on the call. */
	if (size || !k->suite->cbc)
		must(gcry_cipher_encrypt(hd, body, size, NULL, 0), "encrypt");
	if (k->suite->cbc)
		cbc_token(k, aad, body, size, h->token);
	else
		must(gcry_cipher_gettag(hd, h->token, PEER_TOKEN_SIZE), "tag");
	gcry_cipher_close(hd);
	memcpy(out + PEER_TOKEN_OFF, h->token, PEER_TOKEN_SIZE);
	return PEER_HDR_SIZE + size;
}

/* Authenticates and decrypts the @size bytes that stand in @plain. */
static bool open_aead(const struct peer_keys *k, const uint8_t *aad,
		      const uint8_t *token, uint8_t *plain, size_t size)
{
	gcry_cipher_hd_t hd = aead_start(k, aad);
	bool good;

	gcry_cipher_final(hd);
	must(gcry_cipher_decrypt(hd, plain, size, NULL, 0), "decrypt");
	good = !gcry_cipher_checktag(hd, token, PEER_TOKEN_SIZE);
	gcry_cipher_close(hd);
	return good;
}

static bool open_cbc(const struct peer_keys *k, const uint8_t *aad,
		     const uint8_t *token, uint8_t *plain, size_t size)
{
	uint8_t want[PEER_TOKEN_SIZE];
	gcry_cipher_hd_t hd;

	cbc_token(k, aad, plain, size, want);
	if (memcmp(want, token, PEER_TOKEN_SIZE))
		return false;
	if (!size)
		return true;
	hd = cbc_start(k, aad);
	must(gcry_cipher_decrypt(hd, plain, size, NULL, 0), "decrypt");
	gcry_cipher_close(hd);
	return true;
}

int peer_open(const struct peer_keys *k, const struct peer_hdr *h,
	      const uint8_t *rec, uint8_t *plain)
{
	size_t size = peer_body_size(k->suite, h->len);
	uint8_t aad[PEER_AAD_SIZE];
	bool good;
	size_t i;

	get_aad(aad, rec);
	memcpy(plain, rec + PEER_HDR_SIZE, size);
	if (k->suite->cbc)
		good = open_cbc(k, aad, h->token, plain, size);
	else
		good = open_aead(k, aad, h->token, plain, size);
	if (!good)
		return -EBADMSG;
	for (i = h->len; i < size; i++) {
		if (plain[i])
			return -EBADMSG;
	}
	return h->len;
}
