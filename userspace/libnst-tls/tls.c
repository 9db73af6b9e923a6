// SPDX-License-Identifier: GPL-2.0
/* From the handshake of TLS to the keys of NST. */
#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <nst/tls.h>

#include "../wipe.h"
#include "judge.h"
#include "watch.h"

#define LABEL	"EXPORTER-nst1"

/* --- before the handshake --------------------------------------------------- */

static int check_begin(SSL *ssl, BIO **bio)
{
	int err = nst_judge_socket(ssl, bio);

	if (err)
		return err;
	if (!SSL_in_before(ssl))
		return -EINVAL;
	/* Called twice is as good as once; another's callback is not ours. */
	return BIO_get_callback_ex(*bio) &&
	       nst_watch_read(*bio, ssl) != NST_WATCH_CLEAN ? -EOPNOTSUPP : 0;
}

static int prepare(SSL *ssl)
{
	BIO *bio;
	int err;

	err = check_begin(ssl, &bio);
	if (err)
		return err;
	if (!SSL_set_min_proto_version(ssl, TLS1_3_VERSION) ||
	    !SSL_set_max_proto_version(ssl, TLS1_3_VERSION))
		return -EPROTONOSUPPORT;
	if (!SSL_set_num_tickets(ssl, 0) || !SSL_set_max_early_data(ssl, 0))
		return -EIO;
	SSL_clear_options(ssl, SSL_OP_ENABLE_KTLS | SSL_OP_ALLOW_NO_DHE_KEX);
	SSL_set_read_ahead(ssl, 0);
	SSL_set_post_handshake_auth(ssl, 0);
	nst_watch_begin(bio, ssl);
	return 0;
}

/* --- the keys --------------------------------------------------------------- */

/* What a program may say, and what the handshake has said already. */
static int read_opts(struct nst_opts *to, const struct nst_opts *from,
		     uint32_t role)
{
	const unsigned char *tail = (const unsigned char *)from;
	size_t i;

	memset(to, 0, sizeof(*to));
	if (from) {
		if (from->size < sizeof(*to))
			return -EINVAL;
		if (from->size > 4096)
			return -E2BIG;
		for (i = sizeof(*to); i < from->size; i++)
			if (tail[i])
				return -E2BIG;
		*to = *from;
	}
	if (to->kid || to->keys || to->nr_keys ||
	    to->context_len > NST_CONTEXT_MAX ||
	    (to->context_len && !to->context) ||
	    to->flags & ~(NST_F_STRICT | role))
		return -EINVAL;
	to->size = sizeof(*to);
	to->flags = NST_F_STRICT | role;
	return 0;
}

static int set_key(SSL *ssl, int fd, struct nst_opts *opts)
{
	struct nst_key key;
	int err = -EIO;

	memset(&key, 0, sizeof(key));
	key.kid = 1;
	opts->keys = &key;
	opts->nr_keys = 1;
	if (SSL_export_keying_material(ssl, key.key, sizeof(key.key), LABEL,
				       sizeof(LABEL) - 1, opts->context,
				       opts->context_len, 1) == 1) {
		/* A signal is no reason to end the connection. */
		do {
			err = nst_tcp(fd, opts);
		} while (err == -EINTR);
	}
	explicit_bzero(&key, sizeof(key));
	opts->keys = NULL;
	nst_wipe_stack();
	return err;
}

/* What libssl still would say at the end is not for the socket any more. */
static void let_go(SSL *ssl)
{
	BIO *bio = SSL_get_rbio(ssl);

	nst_watch_end(bio);
	BIO_set_close(bio, BIO_NOCLOSE);
	SSL_set_bio(ssl, NULL, NULL);
	SSL_set_quiet_shutdown(ssl, 1);
}

static int go_on(SSL *ssl, const struct nst_opts *opts)
{
	struct nst_opts known;
	int fd, err;

	err = read_opts(&known, opts, SSL_is_server(ssl) ?
			NST_F_RESPONDER : NST_F_INITIATOR);
	if (!err)
		err = nst_judge_handshake(ssl);
	if (err)
		return err;
	fd = SSL_get_fd(ssl);
	err = nst_judge_queue(fd);
	if (!err)
		err = set_key(ssl, fd, &known);
	if (!err)
		let_go(ssl);
	return err;
}

/* --- the handshake ---------------------------------------------------------- */

/* Why a handshake has ended. */
static int failed(int why, int saved)
{
	unsigned long first = ERR_peek_error();
	int reason = 0;

	if (ERR_GET_LIB(first) == ERR_LIB_SSL)
		reason = ERR_GET_REASON(first);
	if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED ||
	    reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
		return -EACCES;
	if (why == SSL_ERROR_SYSCALL && saved && saved != EAGAIN &&
	    saved != EINTR)
		return -saved;
	if (why == SSL_ERROR_SYSCALL || why == SSL_ERROR_ZERO_RETURN ||
	    reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return -ECONNABORTED;
	return why == SSL_ERROR_SSL ? -EBADMSG : -EOPNOTSUPP;
}

/*
 * A signal is no reason to come back from a socket that waits: who looks for
 * errors alone would take it for done.
 */
static int shake(SSL *ssl)
{
	int n, why, saved;

	do {
		ERR_clear_error();
		errno = 0;
		n = SSL_do_handshake(ssl);
		saved = errno;
	} while (n != 1 && saved == EINTR && SSL_want(ssl) != SSL_NOTHING);
	if (n == 1)
		return 0;
	why = SSL_get_error(ssl, n);
	if (why == SSL_ERROR_WANT_READ)
		return POLLIN;
	if (why == SSL_ERROR_WANT_WRITE)
		return POLLOUT;
	return failed(why, saved);
}

static int step(SSL *ssl, const struct nst_opts *opts)
{
	BIO *bio;
	int err;

	err = nst_judge_socket(ssl, &bio);
	if (!err && nst_watch_read(bio, ssl) == NST_WATCH_NONE)
		err = prepare(ssl);
	if (!err && !SSL_is_init_finished(ssl))
		err = shake(ssl);
	return err ? err : go_on(ssl, opts);
}

/* --- what others call ------------------------------------------------------- */

/* A program that goes on in spite of it sends nothing, and not in TLS. */
static int fail(SSL *ssl, int err)
{
	int rfd = SSL_get_rfd(ssl), wfd = SSL_get_wfd(ssl);

	SSL_set_quiet_shutdown(ssl, 1);
	if (wfd >= 0)
		shutdown(wfd, SHUT_RDWR);
	if (rfd >= 0 && rfd != wfd)
		shutdown(rfd, SHUT_RDWR);
	return err;
}

int nst_tls_prepare(struct ssl_st *ssl)
{
	int err;

	if (!ssl)
		return -EINVAL;
	ERR_set_mark();
	err = prepare(ssl);
	if (err)
		fail(ssl, err);
	ERR_pop_to_mark();
	return err;
}

int nst_from_tls(struct ssl_st *ssl, const struct nst_opts *opts)
{
	int err;

	if (!ssl)
		return -EINVAL;
	ERR_set_mark();
	err = go_on(ssl, opts);
	if (err)
		fail(ssl, err);
	ERR_pop_to_mark();
	return err;
}

int nst_tls_step(struct ssl_st *ssl, const struct nst_opts *opts)
{
	int err;

	if (!ssl)
		return -EINVAL;
	err = step(ssl, opts);
	return err < 0 ? fail(ssl, err) : err;
}
