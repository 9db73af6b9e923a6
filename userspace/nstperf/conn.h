/* SPDX-License-Identifier: GPL-2.0 */
/* A connection, or a connected UDP socket, in any mode. */
#ifndef NSTPERF_CONN_H
#define NSTPERF_CONN_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include "test.h"

struct gnutls_session_int;

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/**
 * struct conn - one end
 * @lock: of @fd, so that another thread can end it
 * @fd: the socket, or -1
 * @kind: who encrypts
 * @pipe: for splice(), or -1
 * @tls: a session of GnuTLS, where user space encrypts
 * @buf: for what user space has to carry
 * @ended: conn_end() was called
 */
struct conn {
	pthread_mutex_t lock;
	int fd;
	enum kind kind;
	int pipe[2];
	struct gnutls_session_int *tls;
	char *buf;
	bool ended;
};

#define CONN_BUF	65536

socklen_t address_len(const union address *address);
void address_set_port(union address *address, unsigned int port);
unsigned int address_port(const union address *address);
bool address_same_host(const union address *a, const union address *b);

/* conn_init() allows conn_close(), at any time and more than once. */
void conn_init(struct conn *conn);
void conn_close(struct conn *conn);

/* Ends what another thread does with it. */
void conn_abort(struct conn *conn);

/* From here on all return 0, or -1 after trouble(). */
int conn_listen(const union address *local, const struct test *test);
int conn_connect(struct conn *conn, const union address *to,
		 const struct test *test);
/* @fd comes from accept(), and is the connection's also after trouble. */
int conn_accepted(struct conn *conn, int fd, const struct test *test);

/* A UDP socket on @local with what the mode asks for; -1 after trouble(). */
int conn_udp_socket(const union address *local, const struct test *test);
/* Makes a connected UDP socket a connection; for DTLS by a handshake. */
int conn_udp(struct conn *conn, int fd, const struct test *test, bool server);

/* All of it. */
int conn_write(struct conn *conn, const void *buf, size_t len);
/* At least a byte; 0 at the end. */
ssize_t conn_read(struct conn *conn, void *buf, size_t len);
int conn_read_all(struct conn *conn, void *buf, size_t len);
/* A piece of a file. */
int conn_sendfile(struct conn *conn, int file, off_t at, size_t len);
int conn_splice(struct conn *conn, int file, off_t at, size_t len);
/* What comes until the end is sent back. */
int conn_splice_back(struct conn *conn);
/* No more is sent; the peer sees an end that is one of its mode. Once is enough. */
int conn_end(struct conn *conn);

/* Notes why a call on it failed. */
int conn_trouble(const struct conn *conn, const char *call);

unsigned int conn_retransmits(const struct conn *conn);

#endif /* NSTPERF_CONN_H */
