/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests of libnst-tls share: a TCP connection with a TLS object on both
 * ends, certificates that are made on the way, and handshakes.
 */
#ifndef TLSTEST_H
#define TLSTEST_H

#include <stdbool.h>

#include <openssl/ssl.h>

#define TLSTEST_CLIENT	0
#define TLSTEST_SERVER	1
#define TLSTEST_ENDS	2

/**
 * struct tlstest - a connection
 * @ctx: of each end
 * @ssl: of each end, on its socket, prepared by nobody
 * @fd: the sockets, blocking
 */
struct tlstest {
	SSL_CTX *ctx[TLSTEST_ENDS];
	SSL *ssl[TLSTEST_ENDS];
	int fd[TLSTEST_ENDS];
};

/*
 * The server has a certificate that the client knows and asks for; with @mutual
 * it is the same the other way round. 0 or -1.
 */
int tlstest_open(struct tlstest *t, bool mutual);

/* Both ends by SSL_free() and close(). */
void tlstest_close(struct tlstest *t);

/* The same two on another connection, which resumes @session, if there is one. */
int tlstest_again(struct tlstest *t, SSL_SESSION *session);

/* Sockets that do not wait. */
int tlstest_nonblock(struct tlstest *t);

/*
 * Both handshakes to their end, on sockets that do not wait. 0, or -1 if one has
 * failed or nothing goes on.
 */
int tlstest_shake(struct tlstest *t);

/* nst_tls_prepare() for both, and that. */
int tlstest_shake_prepared(struct tlstest *t);

/* As far as @end gets alone: 1 if it is over, 0 if it waits, -1. */
int tlstest_go(struct tlstest *t, int end);

/*
 * A key that both know before the handshake, good for early data; behind
 * tlstest_open().
 */
int tlstest_psk(struct tlstest *t);

#endif /* TLSTEST_H */
