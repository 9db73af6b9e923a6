// SPDX-License-Identifier: GPL-2.0
/* Ephemeral keys. Apart from the rest, so that vectors can bring their own. */
#include "group.h"

/**
 * nst_group_keygen() - a new ephemeral key
 * @group: the group
 *
 * Return: a key, to be freed; NULL if libcrypto cannot make one.
 */
EVP_PKEY *nst_group_keygen(const struct nst_group *group)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, group->name);
}
