// SPDX-License-Identifier: GPL-2.0
/* From struct nst_opts to what the kernel takes. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "opts.h"

/* What a program that is newer than the library could mean, and no more. */
#define OPTS_SIZE_MAX	4096

/* The kernel's structure with room for all keys that it takes. */
union crypto {
	struct nst_crypto_info info;
	unsigned char bytes[sizeof(struct nst_crypto_info) +
			    NST_OPTS_KEYS_MAX * sizeof(struct nst_key)];
};

static int check(const struct nst_opts *opts)
{
	if (opts->reserved || opts->context_len > NST_CONTEXT_MAX ||
	    opts->nr_keys > NST_OPTS_KEYS_MAX ||
	    opts->cipher > NST_CIPHER_CHACHA20_POLY1305)
		return -EINVAL;
	if ((!opts->context && opts->context_len) ||
	    (!opts->keys && opts->nr_keys))
		return -EINVAL;
	return 0;
}

/**
 * nst_opts_read() - options as this library knows them
 * @to: receives them, without a copy of keys or context
 * @from: of a program that may be older or newer, or NULL
 *
 * Return: 0; -E2BIG if the program wants what is not known here; -EINVAL for
 * what no kernel would take.
 */
int nst_opts_read(struct nst_opts *to, const struct nst_opts *from)
{
	const unsigned char *tail = (const unsigned char *)from;
	size_t i;

	memset(to, 0, sizeof(*to));
	to->size = sizeof(*to);
	if (!from)
		return 0;
	if (from->size < sizeof(*to))
		return -EINVAL;
	if (from->size > OPTS_SIZE_MAX)
		return -E2BIG;
	for (i = sizeof(*to); i < from->size; i++)
		if (tail[i])
			return -E2BIG;
	*to = *from;
	return check(to);
}

static int set(int fd, int optname, union crypto *crypto, uint8_t cipher,
	       size_t len)
{
	crypto->info.cipher_id = cipher;
	return setsockopt(fd, SOL_NST, optname, crypto, len) ? -errno : 0;
}

/*
 * NST_TX_RX has one suite for both directions. Where any may be received that
 * is set first: what is there already is judged by it. It must have the flags
 * and the context of sending; to change those both are set at once before.
 */
static int set_any(int fd, union crypto *crypto, size_t len)
{
	int err = set(fd, NST_RX, crypto, 0, len);

	if (err == -EINVAL) {
		err = set(fd, NST_TX_RX, crypto, NST_CIPHER_AES_GCM, len);
		return err ? err : set(fd, NST_RX, crypto, 0, len);
	}
	return err ? err : set(fd, NST_TX, crypto, NST_CIPHER_AES_GCM, len);
}

/**
 * nst_opts_apply() - set keys for both directions
 * @fd: a socket with NST
 * @opts: from nst_opts_read()
 *
 * Return: 0 or a negative errno.
 */
int nst_opts_apply(int fd, const struct nst_opts *opts)
{
	size_t keys = opts->nr_keys * sizeof(struct nst_key);
	size_t len = sizeof(struct nst_crypto_info) + keys;
	union crypto crypto;
	int err;

	memset(&crypto.info, 0, sizeof(crypto.info));
	crypto.info.version = NST_VERSION;
	crypto.info.kid = opts->kid;
	crypto.info.flags = opts->flags;
	crypto.info.nr_keys = opts->nr_keys;
	crypto.info.context_len = opts->context_len;
	if (opts->context_len)
		memcpy(crypto.info.context, opts->context, opts->context_len);
	if (keys)
		memcpy(crypto.info.keys, opts->keys, keys);
	if (opts->cipher)
		err = set(fd, NST_TX_RX, &crypto, opts->cipher, len);
	else
		err = set_any(fd, &crypto, len);
	explicit_bzero(&crypto, len);
	return err;
}
