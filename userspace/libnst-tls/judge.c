// SPDX-License-Identifier: GPL-2.0
/* Whether a connection may go on as NST: the socket, the handshake, the peer. */
#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "judge.h"
#include "watch.h"

/* The first byte of every record of NST, and of none of TLS. */
#define FIRST_BYTE	'N'

static bool is_socket(BIO *bio)
{
	return BIO_method_type(bio) == BIO_TYPE_SOCKET && !BIO_next(bio);
}

/**
 * nst_judge_socket() - TLS speaks through a socket and nothing else
 * @ssl: the TLS object
 * @bio: receives the socket's BIO
 *
 * A BIO that keeps bytes back, or changes them, may have some of NST's.
 *
 * Return: 0; -ENOTCONN if there is none; -EOPNOTSUPP.
 */
int nst_judge_socket(SSL *ssl, BIO **bio)
{
	BIO *rbio = SSL_get_rbio(ssl), *wbio = SSL_get_wbio(ssl);

	if (!rbio || !wbio)
		return -ENOTCONN;
	if (rbio != wbio || !is_socket(rbio))
		return -EOPNOTSUPP;
	*bio = rbio;
	return BIO_get_fd(rbio, NULL) < 0 ? -ENOTCONN : 0;
}

/*
 * Somebody was asked for who he is: it must have been told, and be true. What a
 * resumed session has of a certificate was verified for another connection,
 * perhaps for another name; libssl does not look again.
 */
static bool peer_stands(const SSL *ssl)
{
	if (!(SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER))
		return true;
	return !SSL_session_reused(ssl) && SSL_get0_peer_certificate(ssl) &&
	       SSL_get_verify_result(ssl) == X509_V_OK;
}

/* Without one of its own a resumed session keeps no secret from who has the old. */
static bool has_key_exchange(SSL *ssl)
{
	EVP_PKEY *key = NULL;

	if (!SSL_get_peer_tmp_key(ssl, &key))
		return false;
	EVP_PKEY_free(key);
	return true;
}

/* Nothing has passed, is kept or is about to be sent behind the handshake. */
static bool ends_with_handshake(SSL *ssl, enum nst_watch seen)
{
	return seen != NST_WATCH_BEHIND && !SSL_has_pending(ssl) &&
	       SSL_get_key_update_type(ssl) == SSL_KEY_UPDATE_NONE &&
	       !SSL_get_shutdown(ssl);
}

/**
 * nst_judge_handshake() - the handshake is over, was a good one, and the last
 * that TLS has said
 * @ssl: the TLS object
 *
 * Return: 0 or a negative errno, as nst_from_tls().
 */
int nst_judge_handshake(SSL *ssl)
{
	enum nst_watch seen;
	BIO *bio;
	int err;

	err = nst_judge_socket(ssl, &bio);
	if (err)
		return err;
	if (!SSL_is_init_finished(ssl))
		return -EINPROGRESS;
	if (SSL_version(ssl) != TLS1_3_VERSION)
		return -EPROTONOSUPPORT;
	if (BIO_get_ktls_send(bio) || BIO_get_ktls_recv(bio))
		return -EEXIST;
	seen = nst_watch_read(bio, ssl);
	if (seen == NST_WATCH_NONE)
		return -EBADFD;
	if (SSL_get_early_data_status(ssl) != SSL_EARLY_DATA_NOT_SENT ||
	    !has_key_exchange(ssl))
		return -EKEYREJECTED;
	if (!ends_with_handshake(ssl, seen))
		return -ENOTEMPTY;
	return peer_stands(ssl) ? 0 : -EACCES;
}

/**
 * nst_judge_queue() - what the peer has sent behind its handshake is not TLS
 * @fd: the socket
 *
 * The kernel judges all of it. But what is there already gets its name here.
 *
 * Return: 0; -EPROTO; -ECONNABORTED at the end; an errno of the socket.
 */
int nst_judge_queue(int fd)
{
	unsigned char byte;
	ssize_t n;

	do {
		n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (!n)
		return -ECONNABORTED;
	return byte == FIRST_BYTE ? 0 : -EPROTO;
}
