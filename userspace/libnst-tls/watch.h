/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NST_TLS_WATCH_H
#define _NST_TLS_WATCH_H

#include <openssl/ssl.h>

/* What is known of a BIO's bytes. */
enum nst_watch {
	NST_WATCH_NONE,		/* nobody looks */
	NST_WATCH_CLEAN,	/* none behind the handshake */
	NST_WATCH_BEHIND,	/* some */
};

void nst_watch_begin(BIO *bio, SSL *ssl);
enum nst_watch nst_watch_read(BIO *bio, const SSL *ssl);
void nst_watch_end(BIO *bio);

#endif /* _NST_TLS_WATCH_H */
