/* SPDX-License-Identifier: GPL-2.0 */
/* The suites, and the only user of the crypto API's AEADs. */
#ifndef _NST_CIPHER_H
#define _NST_CIPHER_H

#include <linux/crypto.h>
#include <linux/errno.h>
#include <linux/scatterlist.h>
#include <linux/types.h>
#include "core/wire.h"

struct crypto_aead;
struct crypto_sync_skcipher;
struct aead_request;
struct sk_buff;

/* Longest OKM: AES-256-CBC, key + mac_key + iv_key. */
#define NST_OKM_MAX		96

/**
 * struct nst_suite - one line of the protocol's table of suites
 * @name: as in the protocol, and on nstkeyctl's command line
 * @aead: template of the crypto API that does the whole record
 * @ivgen: template that encrypts the IV in the CBC suites, else NULL
 * @hmac: HMAC under H, for the key schedule
 * @key_len: bytes of the cipher's key
 * @okm_len: bytes of key material an epoch takes
 * @untested: the crypto API has no test of @aead, only of its parts
 */
struct nst_suite {
	const char *name;
	const char *aead;
	const char *ivgen;
	const char *hmac;
	u8 key_len;
	u8 okm_len;
	bool untested;
};

/**
 * struct nst_cipher - a suite with its transforms and the keys of one epoch
 * @suite: 1..NST_WIRE_SUITE_MAX; 0: nothing allocated yet
 * @aead: the AEAD, keyed
 * @nosimd: the AEAD again, from a driver that needs no SIMD registers; for
 *	softirqs that interrupt a user of those. NULL: @aead is such a one, or
 *	nothing is opened in softirq
 * @ivgen: CBC suites only: encrypts the IV, keyed
 * @iv: GCM and ChaCha20 only: 12 bytes of the epoch's keys
 *
 * Owned by an epoch. Once keyed nothing in it changes, so any number of callers
 * may seal and open with it, each with an operation of its own.
 */
struct nst_cipher {
	u8 suite;
	u8 iv[12];
	struct crypto_aead *aead;
	struct crypto_aead *nosimd;
	struct crypto_sync_skcipher *ivgen;
};

/* Scatterlist entries of an operation besides the body's: AAD, tag, padding. */
#define NST_OP_SG_EXTRA		3
/*
 * Pieces of a body. A record of 64 KiB touches 17 pages of user memory; with
 * what iovecs, ends of page fragments and network segments add, more than
 * this is gathered into one buffer first.
 */
#define NST_OP_FRAGS		40
/*
 * Below this, copying costs less than finding and pinning pages of a program.
 */
#define NST_OP_BOUNCE		4096

/**
 * struct nst_op - the working memory of one AEAD call
 * @src: the AAD, then what goes in, at index 1 and behind
 * @dst: the AAD's copy, then what comes out
 * @aad: authenticated header bytes, what @src begins with
 * @aad_out: where an AEAD that copies the AAD puts it
 * @pad: zeros behind a plaintext, or room for the padding of one
 * @token: the tag of a record to be opened
 * @iv: IV of the record
 * @bounce: where a short record is decrypted before it is copied to a reader
 * @abandoned: called if a driver keeps the operation although it must not; the
 *	owner's, set before nst_cipher_open_atomic()
 * @skb: for @abandoned
 * @req_size: bytes of @req behind which memory ends
 * @req_used: bytes of it that the cipher may write to
 * @req: room for the request of any suite
 *
 * Taken with nst_op_get() and given back with nst_op_put(): each CPU keeps
 * one, so that a record costs no allocation.
 */
struct nst_op {
	struct scatterlist src[NST_OP_FRAGS + NST_OP_SG_EXTRA];
	struct scatterlist dst[NST_OP_FRAGS + NST_OP_SG_EXTRA];
	u8 aad[NST_WIRE_AAD_LEN];
	u8 aad_out[NST_WIRE_AAD_LEN];
	u8 pad[NST_WIRE_BLOCK];
	u8 token[NST_WIRE_TOKEN_LEN];
	u8 iv[16];
	u8 bounce[NST_OP_BOUNCE];
	void (*abandoned)(struct nst_op *op);
	struct sk_buff *skb;
	unsigned int req_size;
	unsigned int req_used;
	u8 req[] __aligned(CRYPTO_MINALIGN);
};

/*
 * Fill an entry of an operation's list. The lists are used again and again, so
 * an old end mark goes first; sg_mark_end() sets the new one.
 */
static inline void nst_sg_page(struct scatterlist *sg, struct page *page,
			       unsigned int len, unsigned int offset)
{
	sg->page_link = 0;
	sg_set_page(sg, page, len, offset);
}

static inline void nst_sg_buf(struct scatterlist *sg, void *buf,
			      unsigned int len)
{
	sg->page_link = 0;
	sg_set_buf(sg, buf, len);
}

/**
 * nst_cipher_may_pass() - is it want, of memory or of room, that a call failed for?
 * @err: negative errno of the crypto API or a driver of it
 *
 * Return: true if the same call may succeed later; false if it is in vain.
 */
static inline bool nst_cipher_may_pass(int err)
{
	switch (err) {
	case -ENOMEM:
	case -ENOBUFS:
	case -EAGAIN:
	case -ENOSPC:
		return true;
	default:
		return false;
	}
}

/**
 * nst_cipher_cause() - why a datagram is refused that could not be opened
 * @err: 0, or what the crypto API or a driver of it failed with
 *
 * Nobody tries again by himself: its sender may.
 *
 * Return: NST_OK; NST_DROP_AUTH; NST_DROP_NOMEM if the next one may be opened;
 * NST_DROP_NO_SUITE if the suite cannot be done here.
 */
static inline enum nst_drop nst_cipher_cause(int err)
{
	switch (err) {
	case 0:
		return NST_OK;
	case -EBADMSG:
		return NST_DROP_AUTH;
	case -EINTR:
	case -ETIMEDOUT:
		return NST_DROP_NOMEM;
	default:
		return nst_cipher_may_pass(err) ? NST_DROP_NOMEM :
						  NST_DROP_NO_SUITE;
	}
}

const struct nst_suite *nst_suite(u8 id);
int nst_suite_driver(u8 id, char *aead, char *hmac, size_t size);
int nst_suite_check(u8 id);
int nst_suite_at_hand(u8 id);
void nst_suite_have(u8 id);

int nst_cipher_init(struct nst_cipher *cipher, u8 suite);
int nst_cipher_init_atomic(struct nst_cipher *cipher, u8 suite);
int nst_cipher_setkey(struct nst_cipher *cipher, const u8 *okm);
void nst_cipher_free(struct nst_cipher *cipher);

struct nst_op *nst_op_get(const struct nst_cipher *cipher, gfp_t gfp);
void nst_op_put(struct nst_op *op);

int nst_cipher_seal(struct nst_cipher *cipher, struct nst_op *op,
		    const struct nst_hdr *hdr);
int nst_cipher_open(struct nst_cipher *cipher, struct nst_op *op,
		    const struct nst_hdr *hdr);
int nst_cipher_open_trial(struct nst_cipher *cipher, struct nst_op *op,
			  const struct nst_hdr *hdr);
int nst_cipher_open_atomic(struct nst_cipher *cipher, struct nst_op *op,
			   const struct nst_hdr *hdr);
void nst_cipher_exit(void);

#endif /* _NST_CIPHER_H */
