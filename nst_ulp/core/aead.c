// SPDX-License-Identifier: GPL-2.0
/*
 * One call of a cipher's AEAD: a record is sealed or opened.
 *
 * Softirqs cannot wait. The fast drivers of 6.1 and 6.12 are asynchronous only
 * where the SIMD registers are in use by whom the softirq interrupted, or where
 * an operation of the same transform was put off for that reason and is not done
 * yet. So a cipher for softirqs has a second transform, a synchronous one, for
 * the first case, and then the second never comes up. A driver that is truly
 * asynchronous is found out by a trial and left to others.
 */
#include <crypto/aead.h>
#include <crypto/skcipher.h>
#include <linux/bottom_half.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/simd.h>
#include "core/aead.h"

/* Room for the request of the drivers at hand; others get what they ask. */
#define OP_REQ_SIZE	512

/* One spare nst_op a CPU, or NULL. Taken and given back by exchange. */
static DEFINE_PER_CPU(struct nst_op *, op_spare);

static unsigned int request_size(const struct nst_cipher *cipher)
{
	unsigned int need = crypto_aead_reqsize(cipher->aead);

	if (cipher->nosimd)
		need = max(need, crypto_aead_reqsize(cipher->nosimd));
	return need + sizeof(struct aead_request);
}

/**
 * nst_op_get() - working memory for one operation
 * @cipher: what it will be used with
 * @gfp: for the case that this CPU's spare one is out or too small
 *
 * Return: an operation whose lists are undefined, or NULL without memory. The
 * caller gives it back with nst_op_put().
 */
struct nst_op *nst_op_get(const struct nst_cipher *cipher, gfp_t gfp)
{
	struct nst_op *op = this_cpu_xchg(op_spare, NULL);
	unsigned int need = request_size(cipher);

	if (!op || op->req_size < need) {
		unsigned int size = max_t(unsigned int, need, OP_REQ_SIZE);

		kfree(op);
		op = kmalloc(sizeof(*op) + size, gfp);
		if (!op)
			return NULL;
		op->req_size = size;
	}
	op->req_used = need;
	op->flat = false;
	return op;
}

/**
 * nst_op_refit() - use an operation that was put off with another cipher
 * @op: the operation, not under way
 * @cipher: what it will be used with now
 * @gfp: for the case that it is too small for that
 *
 * Return: @op; or another one in its place, with the same lists, @keep and
 * buffers, but the AAD and the token; NULL without memory, and @op is as before.
 */
struct nst_op *nst_op_refit(struct nst_op *op, const struct nst_cipher *cipher,
			    gfp_t gfp)
{
	unsigned int need = request_size(cipher);
	struct nst_op *new;

	if (op->req_size >= need) {
		op->req_used = max(op->req_used, need);
		return op;
	}
	new = nst_op_get(cipher, gfp);
	if (!new)
		return NULL;
	memcpy(new, op, offsetof(struct nst_op, req_size));
	nst_op_put(op);
	return new;
}

/**
 * nst_op_put() - give an operation back
 * @op: from nst_op_get(), no longer under way
 *
 * What a driver may have left in the request (ChaCha20-Poly1305 keeps a
 * one-time key there) is wiped.
 */
void nst_op_put(struct nst_op *op)
{
	memzero_explicit(op->req, op->req_used);
	if (this_cpu_cmpxchg(op_spare, NULL, op))
		kfree(op);
}

static int make_iv(struct nst_cipher *cipher, struct nst_op *op,
		   const struct nst_hdr *hdr, u32 flags)
{
	SYNC_SKCIPHER_REQUEST_ON_STACK(req, cipher->ivgen);
	u8 zero[NST_WIRE_BLOCK] = {};
	struct scatterlist sg;
	int err;

	nst_wire_ts_nonce(op->iv, hdr->timestamp, hdr->nonce);
	sg_init_one(&sg, op->iv, NST_WIRE_BLOCK);
	skcipher_request_set_sync_tfm(req, cipher->ivgen);
	skcipher_request_set_callback(req, flags, NULL, NULL);
	skcipher_request_set_crypt(req, &sg, &sg, NST_WIRE_BLOCK, zero);
	/* One block of CBC under a zero IV is the block cipher itself. */
	err = crypto_skcipher_encrypt(req);
	skcipher_request_zero(req);
	return err;
}

static void list_aad(struct nst_op *op, bool seal, bool empty)
{
	nst_sg_buf(&op->src[0], op->aad, NST_WIRE_AAD_LEN);
	nst_sg_buf(&op->dst[0], op->aad_out, NST_WIRE_AAD_LEN);
	/* Without a body nothing stands behind the AAD. */
	if (empty)
		sg_mark_end(seal ? &op->src[0] : &op->dst[0]);
}

/* IV and lists of an operation; what remains is to say who is told. */
static int prepare(struct nst_cipher *cipher, struct nst_op *op,
		   const struct nst_hdr *hdr, bool seal, u32 flags)
{
	struct aead_request *req = (void *)op->req;
	unsigned int len = nst_wire_body_len(hdr->suite, hdr->len);
	int err;

	if (cipher->ivgen) {
		err = make_iv(cipher, op, hdr, flags);
		if (err)
			return err;
	} else {
		nst_wire_iv12(op->iv, cipher->iv, hdr->timestamp, hdr->nonce);
	}
	if (!op->flat)
		list_aad(op, seal, !len);
	aead_request_set_tfm(req, cipher->aead);
	aead_request_set_ad(req, NST_WIRE_AAD_LEN);
	if (!seal)
		len += NST_WIRE_TOKEN_LEN;
	aead_request_set_crypt(req, op->src, op->flat ? op->src : op->dst, len,
			       op->iv);
	return 0;
}

static int run(struct nst_cipher *cipher, struct nst_op *op,
	       const struct nst_hdr *hdr, bool seal)
{
	struct aead_request *req = (void *)op->req;
	DECLARE_CRYPTO_WAIT(wait);
	int err;

	err = prepare(cipher, op, hdr, seal, CRYPTO_TFM_REQ_MAY_SLEEP);
	if (err)
		return err;
	aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_BACKLOG |
				  CRYPTO_TFM_REQ_MAY_SLEEP,
				  crypto_req_done, &wait);
	err = seal ? crypto_aead_encrypt(req) : crypto_aead_decrypt(req);
	return crypto_wait_req(err, &wait);
}

/**
 * nst_cipher_seal() - encrypt and authenticate one record
 * @cipher: keyed
 * @op: @op->aad set; @op->src from index 1: the plaintext, padded to the body's
 *	length; @op->dst from index 1: the body, then the token
 * @hdr: the record's header
 *
 * A piece of the plaintext may stand where its ciphertext goes.
 *
 * Context: process.
 * Return: 0 or an errno.
 */
int nst_cipher_seal(struct nst_cipher *cipher, struct nst_op *op,
		    const struct nst_hdr *hdr)
{
	int err = run(cipher, op, hdr, true);

	/* All of the timestamp is in the IV, or its lower half. */
	if (!err)
		nst_contract_sealed(&cipher->known, cipher->ivgen ?
				    hdr->timestamp : (u32)hdr->timestamp,
				    hdr->nonce);
	return err;
}

/**
 * nst_cipher_open() - authenticate and decrypt one record
 * @cipher: keyed
 * @op: @op->aad set; @op->src from index 1: the body, then the token;
 *	@op->dst from index 1: room for the padded plaintext
 * @hdr: the record's header
 *
 * The GCM suites write plaintext before they know whether it is authentic:
 * after an error the caller wipes what @op->dst points to.
 *
 * Context: process.
 * Return: 0; -EBADMSG if the record is not authentic; another errno.
 */
int nst_cipher_open(struct nst_cipher *cipher, struct nst_op *op,
		    const struct nst_hdr *hdr)
{
	return run(cipher, op, hdr, false);
}

/**
 * nst_cipher_open_trial() - open a record as a softirq would, but wait for it
 * @cipher: from nst_cipher_init_atomic(), keyed, its only user is the caller
 * @op: as for nst_cipher_open()
 * @hdr: the record's header
 *
 * If it turns out that the driver is done only later, the cipher is left with
 * its synchronous transform alone.
 *
 * Context: process.
 * Return: as nst_cipher_open().
 */
int nst_cipher_open_trial(struct nst_cipher *cipher, struct nst_op *op,
			  const struct nst_hdr *hdr)
{
	struct aead_request *req = (void *)op->req;
	DECLARE_CRYPTO_WAIT(wait);
	bool late = false;
	int err;

	local_bh_disable();
	err = prepare(cipher, op, hdr, false, 0);
	if (!err) {
		aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_BACKLOG,
					  crypto_req_done, &wait);
		err = crypto_aead_decrypt(req);
		late = err == -EINPROGRESS || err == -EBUSY;
	}
	local_bh_enable();
	if (!late)
		return err;
	err = crypto_wait_req(err, &wait);
	if (cipher->nosimd) {
		crypto_free_aead(cipher->aead);
		cipher->aead = cipher->nosimd;
		cipher->nosimd = NULL;
	}
	return err;
}

static NST_CRYPTO_DONE(abandoned)
{
	struct nst_op *op = NST_CRYPTO_DONE_DATA;

	op->abandoned(op);
}

/**
 * nst_cipher_open_atomic() - authenticate and decrypt one record, now
 * @cipher: from nst_cipher_init_atomic(), keyed, tried
 * @op: as for nst_cipher_open(); @op->abandoned set, with what that needs
 * @hdr: the record's header
 *
 * Context: softirq, or process with bottom halves disabled; does not sleep.
 * Return: as nst_cipher_open(); -EINPROGRESS if a driver has kept the
 * operation against all it promised: then that and what it points to is
 * @op->abandoned()'s, which frees it.
 */
int nst_cipher_open_atomic(struct nst_cipher *cipher, struct nst_op *op,
			   const struct nst_hdr *hdr)
{
	struct aead_request *req = (void *)op->req;
	int err;

	err = prepare(cipher, op, hdr, false, 0);
	if (err)
		return err;
	if (cipher->nosimd && !may_use_simd())
		aead_request_set_tfm(req, cipher->nosimd);
	aead_request_set_callback(req, 0, abandoned, op);
	err = crypto_aead_decrypt(req);
	return err == -EBUSY ? -EINPROGRESS : err;
}

/**
 * nst_op_exit() - free what the CPUs keep
 *
 * Context: process, at module exit, when no operation can begin any more.
 */
void nst_op_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		kfree(per_cpu(op_spare, cpu));
		per_cpu(op_spare, cpu) = NULL;
	}
}
