// SPDX-License-Identifier: GPL-2.0
/*
 * gcm(aes) for the benchmark's User Mode Linux, where the drivers of arch/x86
 * are not built and the generic one would hide everything else. Synchronous,
 * and preferred to all others. It does not load unless it agrees with the
 * generic implementation on messages of all shapes.
 */
#define pr_fmt(fmt) "bench_gcm: " fmt

#include <crypto/aes.h>
#include <crypto/gcm.h>
#include <crypto/internal/aead.h>
#include <crypto/scatterwalk.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "gcm_core.h"

#define GENERIC		"gcm_base(ctr(aes-generic),ghash-generic)"
#define AAD_MAX		64
#define CHECKS		500
#define CHECK_LEN	3000
#define CHECK_SEGMENTS	4
#define SPEED_LEN	16384
#define SPEED_ROUNDS	300

static struct gcm_key *gcm_ctx(struct crypto_aead *tfm)
{
	return PTR_ALIGN((struct gcm_key *)crypto_aead_ctx(tfm), GCM_BLOCK);
}

static int gcm_setkey(struct crypto_aead *tfm, const u8 *key, unsigned int len)
{
	struct crypto_aes_ctx aes;
	int err = aes_expandkey(&aes, key, len);

	if (!err)
		gcm_set_key(gcm_ctx(tfm), aes.key_enc, 6 + len / 4);
	memzero_explicit(&aes, sizeof(aes));
	return err;
}

static int gcm_setauthsize(struct crypto_aead *tfm, unsigned int size)
{
	return crypto_gcm_check_authsize(size);
}

/* One run of bytes that is contiguous in both lists. */
static unsigned int gcm_step(const struct gcm_key *key, struct gcm_stream *s,
			     struct scatter_walk *dst, struct scatter_walk *src,
			     unsigned int left, bool encrypt)
{
	unsigned int n = scatterwalk_clamp(src, left);
	u8 *from, *to;

	if (!n) {
		scatterwalk_start(src, sg_next(src->sg));
		return 0;
	}
	n = scatterwalk_clamp(dst, n);
	if (!n) {
		scatterwalk_start(dst, sg_next(dst->sg));
		return 0;
	}
	from = scatterwalk_map(src);
	to = scatterwalk_map(dst);
	if (encrypt)
		gcm_update(key, s, to, from, n, 1);
	else
		gcm_update(key, s, to, from, n, 0);
	scatterwalk_unmap(to);
	scatterwalk_unmap(from);
	scatterwalk_advance(src, n);
	scatterwalk_advance(dst, n);
	return n;
}

static int gcm_run(struct aead_request *req, bool encrypt)
{
	struct crypto_aead *tfm = crypto_aead_reqtfm(req);
	unsigned int size = crypto_aead_authsize(tfm), aad_len = req->assoclen;
	unsigned int len = req->cryptlen - (encrypt ? 0 : size), left = len;
	const struct gcm_key *key = gcm_ctx(tfm);
	struct scatterlist from[2], to[2];
	struct scatter_walk src, dst;
	u8 aad[AAD_MAX], tag[GCM_BLOCK], got[GCM_BLOCK];
	struct gcm_stream s;

	if (aad_len > sizeof(aad))
		return -EINVAL;
	scatterwalk_map_and_copy(aad, req->src, 0, aad_len, 0);
	gcm_begin(key, &s, req->iv, aad, aad_len);
	if (len) {
		scatterwalk_start(&src, scatterwalk_ffwd(from, req->src, aad_len));
		scatterwalk_start(&dst, scatterwalk_ffwd(to, req->dst, aad_len));
	}
	while (left)
		left -= gcm_step(key, &s, &dst, &src, left, encrypt);
	gcm_end(key, &s, tag, aad_len, len);
	if (encrypt) {
		scatterwalk_map_and_copy(tag, req->dst, aad_len + len, size, 1);
		return 0;
	}
	scatterwalk_map_and_copy(got, req->src, aad_len + len, size, 0);
	return crypto_memneq(tag, got, size) ? -EBADMSG : 0;
}

static int gcm_encrypt(struct aead_request *req)
{
	return gcm_run(req, true);
}

static int gcm_decrypt(struct aead_request *req)
{
	return gcm_run(req, false);
}

static struct aead_alg gcm_alg = {
	.setkey = gcm_setkey,
	.setauthsize = gcm_setauthsize,
	.encrypt = gcm_encrypt,
	.decrypt = gcm_decrypt,
	.ivsize = GCM_AES_IV_SIZE,
	.maxauthsize = GCM_BLOCK,
	.chunksize = GCM_BLOCK,
	.base = {
		.cra_name = "gcm(aes)",
		.cra_driver_name = "gcm-aes-uml-bench",
		.cra_priority = 1000,
		.cra_blocksize = 1,
		.cra_ctxsize = sizeof(struct gcm_key) + GCM_BLOCK,
		.cra_module = THIS_MODULE,
	},
};

struct check {
	struct crypto_aead *tfm[2];	/* ours, the generic one */
	struct aead_request *req[2];
	u8 *text[2];
};

/* Cuts the text at random places; the tag has 16 bytes behind it. */
static void check_segments(struct scatterlist *sg, u8 *text, unsigned int len)
{
	unsigned int i, n;

	sg_init_table(sg, CHECK_SEGMENTS);
	for (i = 0; i < CHECK_SEGMENTS; i++, text += n, len -= n) {
		n = len;
		if (i < CHECK_SEGMENTS - 1)
			n = 1 + get_random_u32() % (len / 2);
		sg_set_buf(&sg[i], text, n);
	}
}

/* Encrypts with both, compares, and has ours decrypt what the other made. */
static int check_once(struct check *c)
{
	unsigned int aad = 4 + get_random_u32() % 29;
	unsigned int len = get_random_u32() % CHECK_LEN;
	unsigned int all = aad + len + GCM_BLOCK;
	struct scatterlist sg[CHECK_SEGMENTS];
	u8 key[16], iv[GCM_AES_IV_SIZE];
	int i, err = 0;

	get_random_bytes(key, sizeof(key));
	get_random_bytes(c->text[0], all);
	memcpy(c->text[1], c->text[0], all);
	for (i = 0; i < 2 && !err; i++) {
		memset(iv, len, sizeof(iv));
		check_segments(sg, c->text[i], all);
		aead_request_set_callback(c->req[i], 0, NULL, NULL);
		aead_request_set_ad(c->req[i], aad);
		aead_request_set_crypt(c->req[i], sg, sg, len, iv);
		err = crypto_aead_setkey(c->tfm[i], key, sizeof(key)) ?:
		      crypto_aead_encrypt(c->req[i]);
	}
	if (err)
		return err;
	if (memcmp(c->text[0], c->text[1], all))
		return -EILSEQ;
	memset(iv, len, sizeof(iv));
	check_segments(sg, c->text[1], all);
	aead_request_set_crypt(c->req[0], sg, sg, len + GCM_BLOCK, iv);
	aead_request_set_ad(c->req[0], aad);
	return crypto_aead_decrypt(c->req[0]);
}

static int check_all(void)
{
	static const char *const name[] = { "gcm-aes-uml-bench", GENERIC };
	struct check c = {};
	int i, err = 0;

	for (i = 0; i < 2; i++) {
		c.tfm[i] = crypto_alloc_aead(name[i], 0, 0);
		if (IS_ERR(c.tfm[i]))
			return PTR_ERR(c.tfm[i]);
		c.req[i] = aead_request_alloc(c.tfm[i], GFP_KERNEL);
		c.text[i] = kmalloc(CHECK_LEN + 100, GFP_KERNEL);
		if (!c.req[i] || !c.text[i])
			return -ENOMEM;
	}
	for (i = 0; i < CHECKS && !err; i++)
		err = check_once(&c);
	for (i = 0; i < 2; i++) {
		kfree(c.text[i]);
		aead_request_free(c.req[i]);
		crypto_free_aead(c.tfm[i]);
	}
	return err;
}

/*
 * What a record of 16 KiB costs in the core alone, sealed and opened: no stream
 * that does both on one CPU can be faster.
 */
static int __init speed(void)
{
	u8 *text = kzalloc(SPEED_LEN, GFP_KERNEL);
	u8 iv[GCM_AES_IV_SIZE] = {}, aad[32] = {}, tag[GCM_BLOCK];
	u64 best = U64_MAX, start;
	struct gcm_stream s;
	struct gcm_key *key;
	int i, encrypt;
	void *mem;

	mem = kzalloc(sizeof(*key) + GCM_BLOCK, GFP_KERNEL);
	key = PTR_ALIGN(mem, GCM_BLOCK);
	if (!mem || !text) {
		kfree(mem);
		kfree(text);
		return -ENOMEM;
	}
	gcm_set_key(key, text, 10);
	for (i = 0; i < SPEED_ROUNDS; i++) {
		start = ktime_get_ns();
		for (encrypt = 0; encrypt < 2; encrypt++) {
			gcm_begin(key, &s, iv, aad, sizeof(aad));
			if (encrypt)
				gcm_update(key, &s, text, text, SPEED_LEN, 1);
			else
				gcm_update(key, &s, text, text, SPEED_LEN, 0);
			gcm_end(key, &s, tag, sizeof(aad), SPEED_LEN);
		}
		best = min(best, ktime_get_ns() - start);
	}
	/* 10^9 / 2^20 * 16384 / ns */
	pr_info("core %llu MiB/s\n", 15625000 / max(best, 1ULL));
	kfree(mem);
	kfree(text);
	return 0;
}

static int __init gcm_init(void)
{
	int err = crypto_register_aead(&gcm_alg);

	if (err)
		return err;
	err = check_all() ?: speed();
	if (err)
		crypto_unregister_aead(&gcm_alg);
	return err;
}

static void __exit gcm_exit(void)
{
	crypto_unregister_aead(&gcm_alg);
}

module_init(gcm_init);
module_exit(gcm_exit);
MODULE_DESCRIPTION("AES-GCM with AES-NI for User Mode Linux, for benchmarks");
MODULE_LICENSE("GPL");
