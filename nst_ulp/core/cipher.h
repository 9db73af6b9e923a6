/* SPDX-License-Identifier: GPL-2.0 */
/* The transforms of a suite with the keys of an epoch. */
#ifndef _NST_CIPHER_H
#define _NST_CIPHER_H

#include <linux/errno.h>
#include <linux/types.h>
#include "core/wire.h"
#include "debug/contract.h"

struct crypto_aead;
struct crypto_sync_skcipher;

/* Longest OKM: AES-256-CBC, key + mac_key + iv_key. */
#define NST_OKM_MAX		96

/* Longest key of a suite whose OKM is that and an IV. */
#define NST_CIPHER_KEY_MAX	32

/**
 * struct nst_cipher - a suite with its transforms and the keys of one epoch
 * @suite: 1..NST_WIRE_SUITE_MAX; 0: there are no transforms
 * @keeps: the key is in @key, or in @kept if @suite is 0, and @iv belongs to it
 * @iv: GCM and ChaCha20 only: 12 bytes of the epoch's keys
 * @aead: the AEAD, keyed
 * @nosimd: the AEAD again, from a driver that needs no SIMD registers; for
 *	softirqs that interrupt a user of those. NULL: @aead is such a one, or
 *	nothing is opened in softirq
 * @ivgen: CBC suites only: encrypts the IV, keyed
 * @key: room for the AEAD's key, see nst_cipher_keep(); NULL until it is wanted
 * @kept: the key, while there are no transforms, in their place
 * @known: debug builds: what the keys are known by
 *
 * Owned by an epoch. Once keyed nothing in it changes, so any number of callers
 * may seal and open with it, each with an operation of its own.
 */
struct nst_cipher {
	u8 suite;
	bool keeps;
	u8 iv[12];
	union {
		struct {
			struct crypto_aead *aead;
			struct crypto_aead *nosimd;
			struct crypto_sync_skcipher *ivgen;
			u8 *key;
		};
		u8 kept[NST_CIPHER_KEY_MAX];
	};
	struct nst_contract_key known;
};

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

int nst_cipher_make(struct nst_cipher *fresh, u8 suite);
int nst_cipher_init(struct nst_cipher *cipher, u8 suite);
int nst_cipher_init_atomic(struct nst_cipher *cipher, u8 suite);
int nst_cipher_setkey(struct nst_cipher *cipher, const u8 *okm);
int nst_cipher_keep(struct nst_cipher *cipher, const u8 *okm);
bool nst_cipher_kept(const struct nst_cipher *cipher, u8 *okm);
void nst_cipher_forget(struct nst_cipher *cipher);
void nst_cipher_park(struct nst_cipher *cipher);
void nst_cipher_free(struct nst_cipher *cipher);

#endif /* _NST_CIPHER_H */
