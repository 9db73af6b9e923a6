/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * libnst-tls: a TCP connection that begins with a TLS 1.3 handshake of OpenSSL
 * and goes on as NST, under a key that the handshake has given. TLS says who
 * the peer is; the kernel does the rest, for send(), recv(), sendfile() alike.
 *
 * As in <nst/nst.h> errors are negative errnos; nst_tls_strerror() has a line
 * for each. There is no state outside of what the caller holds. One connection
 * is for one thread at a time, and for nobody else until a function here has
 * returned 0.
 *
 * Whatever goes wrong, the connection is shut down in both directions: a program
 * that looks away sends nothing, in TLS or without.
 */
#ifndef _NST_TLS_H
#define _NST_TLS_H

#include <nst/nst.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ssl_st;	/* OpenSSL's SSL */

/**
 * nst_tls_prepare() - make a TLS object ready for nst_from_tls()
 * @ssl: of a client or a server, whose handshake has not begun, with a
 *	connected socket from SSL_set_fd()
 *
 * TLS 1.3 and no other; no session tickets, no early data, no kTLS, no
 * read-ahead, no resumption without a key exchange, no authentication behind
 * the handshake. And the socket's BIO, which must not outlive @ssl, gets a
 * callback, by which nst_from_tls() knows whether a byte has passed behind the
 * handshake. Whether the peer has to
 * show a certificate, and which, is the program's affair, as ever with OpenSSL.
 *
 * Not needed before nst_tls_step().
 *
 * Context: one thread at a time. Does not wait.
 * Return: 0; -EINVAL if the handshake has begun; -ENOTCONN if it has no socket;
 * -EOPNOTSUPP if its BIO is not the socket alone, one for both directions and
 * without another callback; -EPROTONOSUPPORT if it cannot be TLS 1.3; -EIO.
 */
int nst_tls_prepare(struct ssl_st *ssl);

/**
 * nst_from_tls() - go on as NST on the connection of a TLS handshake
 * @ssl: prepared by nst_tls_prepare(), with the handshake done and nothing
 *	behind it
 * @opts: suite and context of NST; NULL: none set. The stream is strict and has
 *	the role that the end had in TLS; keys and key id must not be set
 *
 * Once it has returned 0 the socket is a TCP socket with NST; its descriptor is
 * the caller's to use and to close. @ssl has let go of it, can neither send nor
 * receive, gives no second key, and is good for SSL_free() and for asking who
 * the peer was. A second call is -ENOTCONN.
 *
 * Context: one thread at a time. Does not wait for the peer: the handshake is
 * over. As nst_tcp() else.
 * Return: 0, or a negative errno: -EINPROGRESS if the handshake is not finished;
 * -EBADFD if nst_tls_prepare() was not called before it; -EPROTONOSUPPORT if it
 * is not TLS 1.3; -ENOTCONN and -EOPNOTSUPP as nst_tls_prepare();
 * -ENOTEMPTY if TLS has sent or received behind the handshake (a ticket, a
 * KeyUpdate, data), or has read what is not its own; -EKEYREJECTED if it had
 * early data or no key exchange; -EACCES if the peer was to show a certificate
 * and has none that was verified in this very handshake; -EEXIST for kTLS, and
 * for a socket that has NST; -EPROTO if the peer goes on in TLS and that has
 * come already (what comes later is EPROTO in recv()); -ECONNABORTED if it has
 * ended the connection; -EINVAL or -E2BIG for wrong options; -EIO if libssl
 * fails; and as nst_tcp().
 */
int nst_from_tls(struct ssl_st *ssl, const struct nst_opts *opts);

/**
 * nst_tls_step() - handshake and nst_from_tls() in one, without waiting
 * @ssl: as for nst_tls_prepare(), which is done here if it was not
 * @opts: as for nst_from_tls()
 *
 * On a blocking socket this waits as SSL_do_handshake() does, through signals,
 * and one call is all, unless the socket has a time limit (SO_RCVTIMEO). 0 alone
 * is success: behind a positive value the connection is in plaintext. OpenSSL's
 * error queue is emptied first; what a handshake fails for is there afterwards.
 *
 * Context: one thread at a time.
 * Return: 0 if the connection is NST's; POLLIN or POLLOUT: call again when
 * poll() has that for the socket (a blocking one has reached SO_RCVTIMEO); or a
 * negative errno: -EBADMSG if the handshake has failed, -EACCES if it did for
 * the peer's certificate, -ECONNABORTED if the peer has ended the connection,
 * another errno of the socket, and as nst_tls_prepare() and nst_from_tls().
 */
int nst_tls_step(struct ssl_st *ssl, const struct nst_opts *opts);

/**
 * nst_tls_strerror() - what is wrong, and the way out
 * @err: what a function here has returned
 *
 * Context: any thread, signal handlers too.
 * Return: a static string, one line without a full stop; never NULL.
 */
const char *nst_tls_strerror(int err);

#ifdef __cplusplus
}
#endif

#endif /* _NST_TLS_H */
