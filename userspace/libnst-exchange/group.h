/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NST_EXCHANGE_GROUP_H
#define _NST_EXCHANGE_GROUP_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NST_SHARE_MAX	1216
#define NST_Z_MAX	64

/**
 * struct nst_group - a way to agree on a key
 * @id: NST_GROUP_*
 * @name: libcrypto's for it
 * @first: bytes of the initiator's share
 * @second: bytes of the responder's
 * @z: bytes of what both have then
 * @kem: the responder makes Z and encloses it, instead of both deriving it
 */
struct nst_group {
	uint16_t id;
	const char *name;
	size_t first;
	size_t second;
	size_t z;
	bool kem;
};

const struct nst_group *nst_group_find(uint16_t id);
const struct nst_group *nst_group_at(size_t index);
bool nst_group_usable(const struct nst_group *group);

EVP_PKEY *nst_group_keygen(const struct nst_group *group);
int nst_group_share(const struct nst_group *group, EVP_PKEY *own,
		    uint8_t *share);
int nst_group_answer(const struct nst_group *group, const uint8_t *peer,
		     uint8_t *share, uint8_t *z);
int nst_group_finish(const struct nst_group *group, EVP_PKEY *own,
		     const uint8_t *peer, uint8_t *z);

#endif /* _NST_EXCHANGE_GROUP_H */
