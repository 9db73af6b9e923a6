// SPDX-License-Identifier: GPL-2.0
/*
 * The AEADs of the suites, with what the kernel's API promises and what it
 * does not: the AAD stands in front of src and of dst, the tag behind; lists
 * are cut anywhere; src and dst may be the same bytes at the same place of the
 * text, and may not overlap otherwise; dst's AAD may be written or not; a
 * failed decryption may leave plaintext behind in GCM.
 */
#include <gcrypt.h>
#include <crypto/aead.h>
#include <crypto/authenc.h>
#include <asm/simd.h>
#include <linux/rtnetlink.h>
#include "crypto.h"

bool shim_simd_usable = true;

enum kind {
	GCM,
	CHACHA,
	AUTHENC,
};

struct crypto_aead {
	struct crypto_tfm base;
	struct crypto_alg alg;
	enum kind kind;
	const char *cipher;
	int hmac;
	bool sync;
	bool keyed;
	unsigned int authsize;
	unsigned int reqsize;
	gcry_cipher_hd_t hd;
	gcry_mac_hd_t mac;
};

static const struct known {
	const char *name, *cipher, *hmac;
	enum kind kind;
	unsigned int reqsize;
} known[] = {
	{ "gcm(aes)", "aes", NULL, GCM, 208 },
	{ "gcm(sm4)", "sm4", NULL, GCM, 304 },
	{ "rfc7539(chacha20,poly1305)", "", NULL, CHACHA, 408 },
	{ "authenc(hmac(sha256),cbc(aes))", "aes", "hmac(sha256)", AUTHENC,
	  696 },
	{ "authenc(hmac(sm3),cbc(sm4))", "sm4", "hmac(sm3)", AUTHENC, 560 },
};

struct crypto_aead *crypto_alloc_aead(const char *name, u32 type, u32 mask)
{
	struct crypto_aead *tfm;
	size_t i;

	(void)type;
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		const struct known *k = &known[i];

		if (strcmp(k->name, name))
			continue;
		if (shim_crypto_no_sync && mask & CRYPTO_ALG_ASYNC)
			return ERR_PTR(-ENOENT);
		tfm = shim_tfm_alloc(name, sizeof(*tfm));
		if (IS_ERR(tfm))
			return tfm;
		tfm->kind = k->kind;
		tfm->cipher = k->cipher;
		tfm->hmac = k->hmac ? shim_hmac(k->hmac, strlen(k->hmac)) : 0;
		tfm->authsize = k->kind == AUTHENC ? 32 : 16;
		tfm->reqsize = k->reqsize;
		tfm->sync = mask & CRYPTO_ALG_ASYNC;
		tfm->alg.cra_driver_name = "shim-aead";
		tfm->alg.cra_flags = tfm->sync ? 0 : CRYPTO_ALG_ASYNC;
		tfm->base.__crt_alg = &tfm->alg;
		return tfm;
	}
	return ERR_PTR(-ENOENT);
}

static void drop_keys(struct crypto_aead *tfm)
{
	gcry_cipher_close(tfm->hd);
	gcry_mac_close(tfm->mac);
	tfm->hd = NULL;
	tfm->mac = NULL;
	tfm->keyed = false;
}

void crypto_free_aead(struct crypto_aead *tfm)
{
	if (IS_ERR_OR_NULL(tfm))
		return;
	drop_keys(tfm);
	shim_tfm_free(tfm, sizeof(*tfm));
}

struct crypto_tfm *crypto_aead_tfm(struct crypto_aead *tfm)
{
	return &tfm->base;
}

unsigned int crypto_aead_authsize(struct crypto_aead *tfm)
{
	return tfm->authsize;
}

unsigned int crypto_aead_ivsize(struct crypto_aead *tfm)
{
	return tfm->kind == AUTHENC ? 16 : 12;
}

unsigned int crypto_aead_reqsize(struct crypto_aead *tfm)
{
	return tfm->reqsize;
}

int crypto_aead_setauthsize(struct crypto_aead *tfm, unsigned int size)
{
	if (size > (tfm->kind == AUTHENC ? 32 : 16) ||
	    (tfm->kind != AUTHENC && size != 16))
		return -EINVAL;
	tfm->authsize = size;
	return 0;
}

/* What authenc() takes: rtattr(enckeylen) ‖ authentication key ‖ cipher key. */
static int set_authenc_key(struct crypto_aead *tfm, const u8 *key,
			   unsigned int len)
{
	const struct crypto_authenc_key_param *param;
	struct rtattr rta;
	unsigned int enc, auth;
	int algo;

	if (len < RTA_SPACE(sizeof(*param)))
		return -EINVAL;
	memcpy(&rta, key, sizeof(rta));
	if (rta.rta_len != RTA_LENGTH(sizeof(*param)) ||
	    rta.rta_type != CRYPTO_AUTHENC_KEYA_PARAM)
		return -EINVAL;
	param = (const void *)(key + sizeof(rta));
	enc = be32_to_cpu(param->enckeylen);
	key += rta.rta_len;
	len -= rta.rta_len;
	if (len < enc)
		return -EINVAL;
	auth = len - enc;
	algo = shim_block_cipher(tfm->cipher, 3, enc);
	if (!algo || !enc)
		return -EINVAL;
	if (gcry_mac_open(&tfm->mac, tfm->hmac, 0, NULL) ||
	    gcry_mac_setkey(tfm->mac, key, auth) ||
	    gcry_cipher_open(&tfm->hd, algo, GCRY_CIPHER_MODE_CBC, 0) ||
	    gcry_cipher_setkey(tfm->hd, key + auth, enc))
		abort();
	return 0;
}

int crypto_aead_setkey(struct crypto_aead *tfm, const u8 *key, unsigned int len)
{
	int algo, mode, err = 0;

	drop_keys(tfm);
	if (shim_crypto_key_err)
		return shim_crypto_key_err;
	if (shim_should_fail())
		return -ENOMEM;
	if (tfm->kind == AUTHENC) {
		err = set_authenc_key(tfm, key, len);
	} else {
		bool gcm = tfm->kind == GCM;

		algo = gcm ? shim_block_cipher(tfm->cipher, 3, len) :
			     len == 32 ? GCRY_CIPHER_CHACHA20 : 0;
		mode = gcm ? GCRY_CIPHER_MODE_GCM : GCRY_CIPHER_MODE_POLY1305;
		if (!algo || !len)
			return -EINVAL;
		if (gcry_cipher_open(&tfm->hd, algo, mode, 0) ||
		    gcry_cipher_setkey(tfm->hd, key, len))
			abort();
	}
	tfm->keyed = !err;
	return err;
}

/* Bytes of a list, or an error that no driver would survive. */
static size_t list_len(struct scatterlist *sg)
{
	size_t len = 0;

	for (; sg; sg = sg_next(sg))
		len += sg->length;
	return len;
}

/* A byte of both lists has to be at the same place of the text in both. */
static void check_alias(struct aead_request *req, size_t len)
{
	struct scatterlist *s, *d;
	uintptr_t s_at, d_at, sp, dp;

	for (s = req->src, s_at = 0; s && s_at < len;
	     s_at += s->length, s = sg_next(s)) {
		sp = (uintptr_t)sg_virt(s);
		for (d = req->dst, d_at = 0; d && d_at < len;
		     d_at += d->length, d = sg_next(d)) {
			dp = (uintptr_t)sg_virt(d);
			if (sp + s->length > dp && dp + d->length > sp &&
			    sp - s_at != dp - d_at)
				shim_bug(__FILE__, __LINE__,
					 "src and dst overlap out of step");
		}
	}
}

static void one_pass(struct crypto_aead *tfm, const u8 *iv, const u8 *aad,
		     size_t aad_len, u8 *text, size_t len, bool encrypt)
{
	if (gcry_cipher_reset(tfm->hd) ||
	    gcry_cipher_setiv(tfm->hd, iv, crypto_aead_ivsize(tfm)))
		abort();
	if (tfm->kind != AUTHENC &&
	    gcry_cipher_authenticate(tfm->hd, aad, aad_len))
		abort();
	if (encrypt ? gcry_cipher_encrypt(tfm->hd, text, len, NULL, 0) :
		      gcry_cipher_decrypt(tfm->hd, text, len, NULL, 0))
		abort();
}

static void make_tag(struct crypto_aead *tfm, const u8 *aad, size_t aad_len,
		     const u8 *text, size_t len, u8 *tag)
{
	u8 full[32];
	size_t size = sizeof(full);

	if (tfm->kind != AUTHENC) {
		if (gcry_cipher_gettag(tfm->hd, tag, tfm->authsize))
			abort();
		return;
	}
	if (gcry_mac_reset(tfm->mac) ||
	    gcry_mac_write(tfm->mac, aad, aad_len) ||
	    (len && gcry_mac_write(tfm->mac, text, len)) ||
	    gcry_mac_read(tfm->mac, full, &size))
		abort();
	memcpy(tag, full, tfm->authsize);
}

/* Decrypts in @text; authenc() only what it has found authentic. */
static int open_text(struct crypto_aead *tfm, const u8 *iv, const u8 *aad,
		     size_t aad_len, u8 *text, size_t len, const u8 *want)
{
	u8 tag[32];

	if (tfm->kind == AUTHENC) {
		make_tag(tfm, aad, aad_len, text, len, tag);
		if (memcmp(tag, want, tfm->authsize))
			return -EBADMSG;
		one_pass(tfm, iv, aad, aad_len, text, len, false);
		return 0;
	}
	one_pass(tfm, iv, aad, aad_len, text, len, false);
	make_tag(tfm, aad, aad_len, text, len, tag);
	return memcmp(tag, want, tfm->authsize) ? -EBADMSG : 0;
}

static void put_result(struct aead_request *req, const u8 *buf, size_t len)
{
	struct scatterlist *sg = req->dst;
	size_t at = 0, skip = shim_crypto_copy_aad ? 0 : req->assoclen;

	for (; sg && at < len; sg = sg_next(sg)) {
		size_t n = min_t(size_t, sg->length, len - at);
		size_t from = at < skip ? min_t(size_t, skip - at, n) : 0;

		memcpy((u8 *)sg_virt(sg) + from, buf + at + from, n - from);
		at += n;
	}
}

static int crypt(struct aead_request *req, bool encrypt)
{
	struct crypto_aead *tfm = req->tfm;
	size_t aad = req->assoclen, tag = tfm->authsize;
	size_t in = aad + req->cryptlen;
	size_t text = encrypt ? req->cryptlen : req->cryptlen - tag;
	size_t out = encrypt ? in + tag : in - tag;
	u8 iv[16], *buf;
	int err = 0;

	if (!tfm->keyed)
		return -ENOKEY;
	if (!encrypt && req->cryptlen < tag)
		return -EINVAL;
	if (tfm->kind == AUTHENC && text % 16)
		return -EINVAL;
	if (list_len(req->src) < in || list_len(req->dst) < out) {
		shim_bug(__FILE__, __LINE__, "lists too short for the request");
		return -EINVAL;
	}
	check_alias(req, max(in, out));
	/* All of its context is the driver's: too small a request shows. */
	memset(req->__ctx, 0x5a, tfm->reqsize);
	memcpy(iv, req->iv, crypto_aead_ivsize(tfm));
	buf = malloc(in + tag);
	if (!buf)
		abort();
	sg_copy_to_buffer(req->src, ~0U, buf, in);
	if (encrypt) {
		one_pass(tfm, iv, buf, aad, buf + aad, text, true);
		make_tag(tfm, buf, aad, buf + aad, text, buf + in);
	} else {
		err = open_text(tfm, iv, buf, aad, buf + aad, text,
				buf + out);
	}
	put_result(req, buf, out);
	shim_crypto_ops++;
	free(buf);
	return err;
}

static int do_encrypt(void *req)
{
	return crypt(req, true);
}

static int do_decrypt(void *req)
{
	return crypt(req, false);
}

int crypto_aead_encrypt(struct aead_request *req)
{
	return shim_submit(req, do_encrypt, req->complete, req->data,
			   req->tfm->sync);
}

int crypto_aead_decrypt(struct aead_request *req)
{
	return shim_submit(req, do_decrypt, req->complete, req->data,
			   req->tfm->sync);
}

struct aead_request *aead_request_alloc(struct crypto_aead *tfm, gfp_t gfp)
{
	struct aead_request *req = kzalloc(sizeof(*req) + tfm->reqsize, gfp);

	if (req)
		req->tfm = tfm;
	return req;
}

void aead_request_free(struct aead_request *req)
{
	kfree_sensitive(req);
}
