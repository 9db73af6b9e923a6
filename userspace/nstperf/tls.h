/* SPDX-License-Identifier: GPL-2.0 */
/* TLS 1.3 and DTLS 1.2 by GnuTLS, if nstperf was built with it. */
#ifndef NSTPERF_TLS_H
#define NSTPERF_TLS_H

#include <stdbool.h>
#include "conn.h"

/*
 * A server needs a certificate; it is made here, once for a process. The client
 * does not judge it, for what is measured is no secret.
 */
int tls_prepare(bool server);

/* The handshake; for kTLS the kernel gets the keys after it. 0, or trouble(). */
int tls_start(struct conn *conn, bool server, const struct test *test);

ssize_t tls_write(struct conn *conn, const void *buf, size_t len);
ssize_t tls_read(struct conn *conn, void *buf, size_t len);
int tls_end(struct conn *conn);
void tls_free(struct conn *conn);

#endif /* NSTPERF_TLS_H */
