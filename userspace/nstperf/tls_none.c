// SPDX-License-Identifier: GPL-2.0
/* Without GnuTLS there is no TLS, and no handshake for kTLS. */
#include "tls.h"
#include "trouble.h"

int tls_prepare(bool server)
{
	(void)server;
	return trouble("TLS: this nstperf was built without GnuTLS");
}

int tls_start(struct conn *conn, bool server, const struct test *test)
{
	(void)conn;
	(void)test;
	return tls_prepare(server);
}

ssize_t tls_write(struct conn *conn, const void *buf, size_t len)
{
	(void)conn;
	(void)buf;
	(void)len;
	return -1;
}

ssize_t tls_read(struct conn *conn, void *buf, size_t len)
{
	return tls_write(conn, buf, len);
}

int tls_end(struct conn *conn)
{
	(void)conn;
	return -1;
}

void tls_free(struct conn *conn)
{
	(void)conn;
}
