/* SPDX-License-Identifier: GPL-2.0 */
/* The key schedule: HKDF over the crypto API's hashes. */
#ifndef _NST_KDF_H
#define _NST_KDF_H

#include <linux/types.h>

#define NST_KDF_SALT_LEN	32

/**
 * struct nst_kdf - what the keys of an epoch are derived from
 * @secret: the box key, 32 bytes
 * @salt: NST_KDF_SALT_LEN bytes; TCP: own and peer's START, UDP: zeros
 * @context: the application's, @context_len bytes
 * @context_len: 0..32
 * @proto: IPPROTO_TCP or IPPROTO_UDP
 * @suite: 1..NST_WIRE_SUITE_MAX
 * @kpos: perturbation position, 0..32
 * @kval: perturbation value
 * @kid: of the box key
 * @epoch: random number of the epoch
 *
 * Everything is borrowed for the call.
 */
struct nst_kdf {
	const u8 *secret;
	const u8 *salt;
	const u8 *context;
	u8 context_len;
	u8 proto;
	u8 suite;
	u8 kpos;
	u8 kval;
	u16 kid;
	u16 epoch;
};

int nst_kdf_init(void);
void nst_kdf_exit(void);
int nst_kdf_derive(const struct nst_kdf *in, u8 *okm, size_t len);

#endif /* _NST_KDF_H */
