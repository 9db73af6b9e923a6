// SPDX-License-Identifier: GPL-2.0
/* TLS 1.3 and DTLS 1.2 by GnuTLS. */
#include <gnutls/crypto.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "ktls.h"
#include "tls.h"
#include "trouble.h"

static gnutls_certificate_credentials_t server_cred, client_cred;

static int say(const char *what, int e)
{
	return trouble("%s: %s", what, e == GNUTLS_E_AGAIN ?
		       "the other end says nothing any more" :
		       gnutls_strerror(e));
}

/* A certificate that its own key has signed, for a day. */
static int make_certificate(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	static const char name[] = "nstperf";
	unsigned char serial[8] = { 1 };
	int e;

	e = gnutls_rnd(GNUTLS_RND_NONCE, serial + 1, sizeof(serial) - 1);
	e = e ?: gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
			GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	e = e ?: gnutls_x509_crt_set_version(crt, 3);
	e = e ?: gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	e = e ?: gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME,
					       0, name, sizeof(name) - 1);
	e = e ?: gnutls_x509_crt_set_activation_time(crt, time(NULL) - 3600);
	e = e ?: gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 86400);
	e = e ?: gnutls_x509_crt_set_key(crt, key);
	return e ?: gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
}

static int prepare_server(void)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	int e;

	gnutls_x509_privkey_init(&key);
	gnutls_x509_crt_init(&crt);
	e = make_certificate(crt, key);
	if (!e) {
		gnutls_certificate_allocate_credentials(&server_cred);
		e = gnutls_certificate_set_x509_key(server_cred, &crt, 1, key);
		/* It keeps what it is given only if it can use it. */
		e = e < 0 ? e : 0;
	}
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	return e ? say("TLS: no certificate", e) : 0;
}

int tls_prepare(bool server)
{
	if (server)
		return server_cred ? 0 : prepare_server();
	if (!client_cred)
		gnutls_certificate_allocate_credentials(&client_cred);
	return 0;
}

static int open_session(struct conn *conn, bool server, int cipher)
{
	static const char * const ciphers[] = {
		[TLS_AES_128_GCM] = "AES-128-GCM",
		[TLS_AES_256_GCM] = "AES-256-GCM",
		[TLS_CHACHA20_POLY1305] = "CHACHA20-POLY1305",
	};
	bool dtls = conn->kind == KIND_DTLS;
	char priority[128];
	int e;

	snprintf(priority, sizeof(priority),
		 "NORMAL:-VERS-ALL:+VERS-%s:-CIPHER-ALL:+%s",
		 dtls ? "DTLS1.2" : "TLS1.3", ciphers[cipher]);
	/* Without tickets nothing of TLS comes behind the handshake. */
	e = gnutls_init(&conn->tls, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) |
			(dtls ? GNUTLS_DATAGRAM : 0) | GNUTLS_NO_SIGNAL |
			GNUTLS_NO_TICKETS | GNUTLS_NO_AUTO_SEND_TICKET);
	e = e ?: gnutls_priority_set_direct(conn->tls, priority, NULL);
	e = e ?: gnutls_credentials_set(conn->tls, GNUTLS_CRD_CERTIFICATE,
					server ? server_cred : client_cred);
	if (e)
		return e;
	gnutls_transport_set_int(conn->tls, conn->fd);
	return 0;
}

static int shake_hands(struct conn *conn, const struct test *test)
{
	unsigned int ms = test->timeout * 1000;
	int e;

	gnutls_handshake_set_timeout(conn->tls, ms);
	if (conn->kind == KIND_DTLS) {
		gnutls_dtls_set_timeouts(conn->tls, 300, ms);
		gnutls_dtls_set_mtu(conn->tls, 1280);
	}
	do {
		e = gnutls_handshake(conn->tls);
	} while (e == GNUTLS_E_INTERRUPTED || (e < 0 && e != GNUTLS_E_AGAIN &&
		 !gnutls_error_is_fatal(e)) || (e == GNUTLS_E_AGAIN &&
		 conn->kind == KIND_DTLS));
	/* Longer datagrams go out in fragments of IP, as those of other modes. */
	if (!e && conn->kind == KIND_DTLS)
		gnutls_dtls_set_mtu(conn->tls, test->size + 128);
	return e;
}

int tls_start(struct conn *conn, bool server, const struct test *test)
{
	int cipher = mode_info(test->mode)->cipher;
	int e, rc = 0;

	if (tls_prepare(server))
		return -1;
	e = open_session(conn, server, cipher);
	e = e ?: shake_hands(conn, test);
	if (e)
		return say(conn->kind == KIND_DTLS ? "DTLS" : "TLS", e);
	if (conn->kind == KIND_KTLS) {
		rc = ktls_take(conn->fd, conn->tls, cipher);
		tls_free(conn);
	}
	return rc;
}

ssize_t tls_write(struct conn *conn, const void *buf, size_t len)
{
	ssize_t n;

	do {
		n = gnutls_record_send(conn->tls, buf, len);
	} while (n == GNUTLS_E_INTERRUPTED);
	return n < 0 ? say("TLS: send", n) : n;
}

ssize_t tls_read(struct conn *conn, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = gnutls_record_recv(conn->tls, buf, len);
	} while (n == GNUTLS_E_INTERRUPTED);
	/* A datagram may not come; who reads then looks whether to go on. */
	if (n == GNUTLS_E_AGAIN && conn->kind == KIND_DTLS)
		return -2;
	return n < 0 ? say("TLS: receive", n) : n;
}

int tls_end(struct conn *conn)
{
	int e;

	do {
		e = gnutls_bye(conn->tls, GNUTLS_SHUT_WR);
	} while (e == GNUTLS_E_INTERRUPTED);
	return e ? say("TLS: end", e) : 0;
}

void tls_free(struct conn *conn)
{
	if (conn->tls)
		gnutls_deinit(conn->tls);
	conn->tls = NULL;
}
