// SPDX-License-Identifier: GPL-2.0
/*
 * Whether TLS has sent or received anything behind its handshake. libssl does
 * not tell, and a KeyUpdate or a ticket that has been dealt with leaves no mark;
 * so the socket's BIO is looked at while bytes pass.
 */
#include <stdbool.h>

#include "watch.h"

/*
 * With the peer's Finished there, all that is left of a handshake is what a
 * client sends. A KeyUpdate looks like a handshake of its own.
 */
static bool is_behind(const SSL *ssl, bool sent)
{
	char none;

	if (!SSL_in_init(ssl))
		return true;
	if (!SSL_get_peer_finished(ssl, &none, 0))
		return false;
	return !sent || SSL_is_server(ssl) ||
	       SSL_get_state(ssl) == TLS_ST_CW_KEY_UPDATE;
}

/* Its argument is the SSL, and NULL once a byte was behind the handshake. */
static long look(BIO *bio, int oper, const char *argp, size_t len, int argi,
		 long argl, int ret, size_t *processed)
{
	const SSL *ssl = (const SSL *)BIO_get_callback_arg(bio);
	bool sent = oper == (BIO_CB_WRITE | BIO_CB_RETURN);

	(void)argp;
	(void)len;
	(void)argi;
	(void)argl;
	(void)processed;
	if (ssl && ret > 0 && (sent || oper == (BIO_CB_READ | BIO_CB_RETURN)) &&
	    is_behind(ssl, sent))
		BIO_set_callback_arg(bio, NULL);
	return ret;
}

/**
 * nst_watch_begin() - look at a BIO from now on
 * @bio: the socket's, without a callback
 * @ssl: which uses it
 */
void nst_watch_begin(BIO *bio, SSL *ssl)
{
	BIO_set_callback_arg(bio, (char *)ssl);
	BIO_set_callback_ex(bio, look);
}

/**
 * nst_watch_read() - what has been seen
 * @bio: the socket's
 * @ssl: which uses it
 *
 * Return: enum nst_watch.
 */
enum nst_watch nst_watch_read(BIO *bio, const SSL *ssl)
{
	if (BIO_get_callback_ex(bio) != look)
		return NST_WATCH_NONE;
	if (!BIO_get_callback_arg(bio))
		return NST_WATCH_BEHIND;
	/* Another's BIO says nothing about this handshake. */
	return BIO_get_callback_arg(bio) == (const char *)ssl ?
	       NST_WATCH_CLEAN : NST_WATCH_NONE;
}

/**
 * nst_watch_end() - look no more
 * @bio: the socket's
 */
void nst_watch_end(BIO *bio)
{
	BIO_set_callback_ex(bio, NULL);
	BIO_set_callback_arg(bio, NULL);
}
