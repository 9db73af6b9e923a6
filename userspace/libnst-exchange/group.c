// SPDX-License-Identifier: GPL-2.0
/* The mathematics of an exchange, which is libcrypto's. */
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include <nst/exchange.h>

#include "group.h"

static const struct nst_group groups[] = {
	{ NST_GROUP_X25519, "X25519", 32, 32, 32, false },
	/* libcrypto's shares and secret are in the order of the protocol. */
	{ NST_GROUP_X25519MLKEM768, "X25519MLKEM768", 1216, 1120, 64, true },
};

/**
 * nst_group_at() - all groups, one after another
 * @index: from 0
 *
 * Return: a group; NULL behind the last.
 */
const struct nst_group *nst_group_at(size_t index)
{
	return index < sizeof(groups) / sizeof(groups[0]) ? &groups[index] :
							   NULL;
}

/**
 * nst_group_find() - a group by its number on the wire
 * @id: the number
 *
 * Return: the group; NULL if it is not known.
 */
const struct nst_group *nst_group_find(uint16_t id)
{
	const struct nst_group *group;
	size_t i;

	for (i = 0; (group = nst_group_at(i)); i++)
		if (group->id == id)
			return group;
	return NULL;
}

/**
 * nst_group_usable() - has this libcrypto the group?
 * @group: the group
 *
 * Return: true if it has.
 */
bool nst_group_usable(const struct nst_group *group)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, group->name, NULL);
	bool has = ctx && EVP_PKEY_keygen_init(ctx) > 0;

	EVP_PKEY_CTX_free(ctx);
	return has;
}

/**
 * nst_group_share() - what the peer has to know of a key
 * @group: the group
 * @own: a key of this end
 * @share: receives @group->first bytes
 *
 * Return: 0; -EIO if libcrypto has another idea of the group.
 */
int nst_group_share(const struct nst_group *group, EVP_PKEY *own,
		    uint8_t *share)
{
	unsigned char *encoded = NULL;
	size_t len = EVP_PKEY_get1_encoded_public_key(own, &encoded);
	int err = -EIO;

	if (len == group->first) {
		memcpy(share, encoded, len);
		err = 0;
	}
	OPENSSL_free(encoded);
	return err;
}

/* The peer's share as a key; NULL if it is none of the group. */
static EVP_PKEY *peer_key(const struct nst_group *group, const uint8_t *share,
			  size_t len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, group->name, NULL);
	EVP_PKEY *key = NULL;
	OSSL_PARAM params[2] = {
		OSSL_PARAM_construct_octet_string("pub", (void *)share, len),
		OSSL_PARAM_construct_end(),
	};

	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* An X25519 output of zero: the peer's share was made to give that. */
static bool is_zero(const uint8_t *z, size_t len)
{
	uint8_t sum = 0;
	size_t i;

	for (i = 0; i < len; i++)
		sum |= z[i];
	return !sum;
}

static int derive(const struct nst_group *group, EVP_PKEY *own, EVP_PKEY *peer,
		  uint8_t *z)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	size_t len = group->z;
	int err = -EKEYREJECTED;

	if (ctx && EVP_PKEY_derive_init(ctx) > 0 &&
	    EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
	    EVP_PKEY_derive(ctx, z, &len) > 0 && len == group->z &&
	    !is_zero(z, len))
		err = 0;
	EVP_PKEY_CTX_free(ctx);
	return err;
}

static int encapsulate(const struct nst_group *group, EVP_PKEY *peer,
		       uint8_t *share, uint8_t *z)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, peer, NULL);
	size_t len = group->second, zlen = group->z;
	int err = -EKEYREJECTED;

	/* The second half of Z is X25519's. */
	if (ctx && EVP_PKEY_encapsulate_init(ctx, NULL) > 0 &&
	    EVP_PKEY_encapsulate(ctx, share, &len, z, &zlen) > 0 &&
	    len == group->second && zlen == group->z && !is_zero(z + 32, 32))
		err = 0;
	EVP_PKEY_CTX_free(ctx);
	return err;
}

static int decapsulate(const struct nst_group *group, EVP_PKEY *own,
		       const uint8_t *share, uint8_t *z)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	size_t zlen = group->z;
	int err = -EKEYREJECTED;

	if (ctx && EVP_PKEY_decapsulate_init(ctx, NULL) > 0 &&
	    EVP_PKEY_decapsulate(ctx, z, &zlen, share, group->second) > 0 &&
	    zlen == group->z && !is_zero(z + 32, 32))
		err = 0;
	EVP_PKEY_CTX_free(ctx);
	return err;
}

/**
 * nst_group_answer() - the responder's part
 * @group: the group
 * @peer: the initiator's share
 * @share: receives this end's, @group->second bytes
 * @z: receives what both ends have then, @group->z bytes; to be wiped
 *
 * Return: 0; -EKEYREJECTED if the share is none; -EIO.
 */
int nst_group_answer(const struct nst_group *group, const uint8_t *peer,
		     uint8_t *share, uint8_t *z)
{
	EVP_PKEY *key = peer_key(group, peer, group->first), *own = NULL;
	int err = -EKEYREJECTED;

	if (key && group->kem) {
		err = encapsulate(group, key, share, z);
	} else if (key) {
		own = nst_group_keygen(group);
		err = own ? nst_group_share(group, own, share) : -EIO;
		if (!err)
			err = derive(group, own, key, z);
	}
	EVP_PKEY_free(own);
	EVP_PKEY_free(key);
	return err;
}

/**
 * nst_group_finish() - the initiator's part
 * @group: the group
 * @own: the key whose share was sent
 * @peer: the responder's share
 * @z: receives what both ends have then, @group->z bytes; to be wiped
 *
 * Return: 0; -EKEYREJECTED if the share is none.
 */
int nst_group_finish(const struct nst_group *group, EVP_PKEY *own,
		     const uint8_t *peer, uint8_t *z)
{
	EVP_PKEY *key;
	int err;

	if (group->kem)
		return decapsulate(group, own, peer, z);
	key = peer_key(group, peer, group->second);
	err = key ? derive(group, own, key, z) : -EKEYREJECTED;
	EVP_PKEY_free(key);
	return err;
}
