// SPDX-License-Identifier: GPL-2.0
/* From what both ends have to the box of one key that the stream goes on with. */
#include <errno.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/socket.h>

#include "key.h"

#define LABEL	"nst1 exchange"

static int read_one(int fd, int optname, struct nst_crypto_info *conf)
{
	socklen_t len = sizeof(*conf);

	return getsockopt(fd, SOL_NST, optname, conf, &len) ? -errno : 0;
}

/**
 * nst_conf_read() - what is set for a stream
 * @fd: the socket
 * @conf: receives it
 *
 * Return: 0; -ENOKEY if a direction has no key; another negative errno.
 */
int nst_conf_read(int fd, struct nst_stream_conf *conf)
{
	int err = read_one(fd, NST_TX, &conf->tx);

	return err ? err : read_one(fd, NST_RX, &conf->rx);
}

/**
 * nst_conf_set() - a direction goes on under the key
 * @fd: the socket
 * @optname: NST_TX or NST_RX
 * @conf: what was set for it
 * @key: the key
 *
 * Done once and for all: a signal is no reason to come again, as a step of the
 * exchange that is taken twice would be another one.
 *
 * Return: 0 or a negative errno, never -EINTR or -EAGAIN.
 */
int nst_conf_set(int fd, int optname, const struct nst_crypto_info *conf,
		 const uint8_t key[NST_KEY_SIZE])
{
	union {
		struct nst_crypto_info info;
		unsigned char bytes[sizeof(*conf) + sizeof(struct nst_key)];
	} value;
	int err;

	memset(&value, 0, sizeof(value));
	value.info = *conf;
	value.info.kid = 0;
	value.info.nr_keys = 1;
	value.info.keys[0].kid = 1;
	memcpy(value.info.keys[0].key, key, NST_KEY_SIZE);
	do {
		err = setsockopt(fd, SOL_NST, optname, &value, sizeof(value)) ?
		      -errno : 0;
	} while (err == -EINTR);
	/* To the caller that would be a socket that is not ready. */
	if (err == -EAGAIN)
		err = -EIO;
	explicit_bzero(&value, sizeof(value));
	return err;
}

static bool hmac(const uint8_t *key, size_t key_len, const uint8_t *data,
		 size_t len, uint8_t out[SHA256_DIGEST_LENGTH])
{
	unsigned int n = 0;

	return HMAC(EVP_sha256(), key, key_len, data, len, out, &n) &&
	       n == SHA256_DIGEST_LENGTH;
}

/**
 * nst_key_make() - the key of an exchange
 * @key: receives it; to be wiped
 * @first: message 1
 * @second: message 2
 * @z: what both ends have
 * @len: bytes of it
 * @conf: of the stream, for its context
 *
 * HKDF-Extract, and HKDF-Expand for no more than one block.
 *
 * Return: 0; -EIO if libcrypto fails.
 */
int nst_key_make(uint8_t key[NST_KEY_SIZE], const struct nst_message *first,
		 const struct nst_message *second, const uint8_t *z, size_t len,
		 const struct nst_crypto_info *conf)
{
	uint8_t info[sizeof(LABEL) - 1 + 1 + NST_CONTEXT_MAX + 1], *p = info;
	uint8_t salt[SHA256_DIGEST_LENGTH], prk[SHA256_DIGEST_LENGTH];
	uint8_t text[2 * NST_MESSAGE_MAX];
	int err = -EIO;

	memcpy(text, first->body, first->len);
	memcpy(text + first->len, second->body, second->len);
	SHA256(text, first->len + second->len, salt);
	memcpy(p, LABEL, sizeof(LABEL) - 1);
	p += sizeof(LABEL) - 1;
	*p++ = conf->context_len;
	memcpy(p, conf->context, conf->context_len);
	p += conf->context_len;
	*p++ = 1;
	if (hmac(salt, sizeof(salt), z, len, prk) &&
	    hmac(prk, sizeof(prk), info, p - info, key))
		err = 0;
	explicit_bzero(prk, sizeof(prk));
	return err;
}
