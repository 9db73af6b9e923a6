// SPDX-License-Identifier: GPL-2.0
/* kTLS: the kernel goes on where a handshake of GnuTLS has ended. */
#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include "ktls.h"
#include "names.h"
#include "trouble.h"

#ifndef SOL_TLS
#define SOL_TLS	282
#endif

/* What the kernel wants to know, by cipher; all begin with what and which. */
union crypto_info {
	struct tls_crypto_info info;
	struct tls12_crypto_info_aes_gcm_128 gcm128;
	struct tls12_crypto_info_aes_gcm_256 gcm256;
	struct tls12_crypto_info_chacha20_poly1305 chacha;
};

/* A nonce of 12 bytes: the first are a salt where the cipher has one. */
static socklen_t fill(union crypto_info *u, int cipher, gnutls_datum_t *iv,
		      gnutls_datum_t *key, const unsigned char *seq)
{
	u->info.version = TLS_1_3_VERSION;
	switch (cipher) {
	case TLS_AES_128_GCM:
		u->info.cipher_type = TLS_CIPHER_AES_GCM_128;
		if (iv->size != 12 || key->size != 16)
			return 0;
		memcpy(u->gcm128.salt, iv->data, 4);
		memcpy(u->gcm128.iv, iv->data + 4, 8);
		memcpy(u->gcm128.key, key->data, 16);
		memcpy(u->gcm128.rec_seq, seq, 8);
		return sizeof(u->gcm128);
	case TLS_AES_256_GCM:
		u->info.cipher_type = TLS_CIPHER_AES_GCM_256;
		if (iv->size != 12 || key->size != 32)
			return 0;
		memcpy(u->gcm256.salt, iv->data, 4);
		memcpy(u->gcm256.iv, iv->data + 4, 8);
		memcpy(u->gcm256.key, key->data, 32);
		memcpy(u->gcm256.rec_seq, seq, 8);
		return sizeof(u->gcm256);
	default:
		u->info.cipher_type = TLS_CIPHER_CHACHA20_POLY1305;
		if (iv->size != 12 || key->size != 32)
			return 0;
		memcpy(u->chacha.iv, iv->data, 12);
		memcpy(u->chacha.key, key->data, 32);
		memcpy(u->chacha.rec_seq, seq, 8);
		return sizeof(u->chacha);
	}
}

static int take_direction(int fd, gnutls_session_t tls, int cipher, int rx)
{
	gnutls_datum_t mac, iv, key;
	unsigned char seq[8];
	union crypto_info u = { 0 };
	socklen_t len = 0;
	int e, rc = -1;

	e = gnutls_record_get_state(tls, rx, &mac, &iv, &key, seq);
	if (e)
		return trouble("kTLS: no keys: %s", gnutls_strerror(e));
	len = fill(&u, cipher, &iv, &key, seq);
	if (!len)
		trouble("kTLS: keys of another length");
	else if (setsockopt(fd, SOL_TLS, rx ? TLS_RX : TLS_TX, &u, len))
		trouble("kTLS: the kernel takes no keys for this cipher: %s",
			strerror(errno));
	else
		rc = 0;
	explicit_bzero(&u, sizeof(u));
	return rc;
}

int ktls_take(int fd, gnutls_session_t tls, int cipher)
{
	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 3))
		return errno == ENOENT ?
			trouble("kTLS: this kernel has no TLS: modprobe tls") :
			trouble("kTLS: %s", strerror(errno));
	if (take_direction(fd, tls, cipher, 0))
		return -1;
	return take_direction(fd, tls, cipher, 1);
}
