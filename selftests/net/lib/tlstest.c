// SPDX-License-Identifier: GPL-2.0
/* See tlstest.h. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <nst/tls.h>

#include "tcptest.h"
#include "tlstest.h"

#define DAY	86400L

/* --- certificates --------------------------------------------------------- */

static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
	X509 *cert = X509_new();
	X509_NAME *subject;

	if (!cert)
		return NULL;
	subject = X509_get_subject_name(cert);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_set_version(cert, 2);
	X509_gmtime_adj(X509_getm_notBefore(cert), -DAY);
	X509_gmtime_adj(X509_getm_notAfter(cert), DAY);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, subject);
	if (X509_sign(cert, key, EVP_sha256()))
		return cert;
	X509_free(cert);
	return NULL;
}

/* @who shows a certificate of its own, and @other knows and asks for it. */
static int introduce(SSL_CTX *who, SSL_CTX *other, const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key ? make_certificate(key, name) : NULL;
	int ok;

	ok = cert && SSL_CTX_use_certificate(who, cert) == 1 &&
	     SSL_CTX_use_PrivateKey(who, key) == 1 &&
	     X509_STORE_add_cert(SSL_CTX_get_cert_store(other), cert) == 1;
	SSL_CTX_set_verify(other, SSL_VERIFY_PEER |
			   SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ok ? 0 : -1;
}

/* --- connections ---------------------------------------------------------- */

static int connect_both(struct tlstest *t)
{
	int i;

	if (nsttest_pair(AF_INET, 0, &t->fd[1], &t->fd[0]))
		return -1;
	for (i = 0; i < TLSTEST_ENDS; i++) {
		t->ssl[i] = SSL_new(t->ctx[i]);
		if (!t->ssl[i] || !SSL_set_fd(t->ssl[i], t->fd[i]))
			return -1;
	}
	SSL_set_connect_state(t->ssl[0]);
	SSL_set_accept_state(t->ssl[1]);
	return 0;
}

int tlstest_open(struct tlstest *t, bool mutual)
{
	SSL_CTX **ctx = t->ctx;

	signal(SIGPIPE, SIG_IGN);
	ctx[0] = SSL_CTX_new(TLS_client_method());
	ctx[1] = SSL_CTX_new(TLS_server_method());
	if (!ctx[0] || !ctx[1] || introduce(ctx[1], ctx[0], "server") ||
	    (mutual && introduce(ctx[0], ctx[1], "client")))
		return -1;
	return connect_both(t);
}

static void disconnect(struct tlstest *t)
{
	int i;

	for (i = 0; i < TLSTEST_ENDS; i++) {
		/* Else its session would not be good for another connection. */
		if (t->ssl[i])
			SSL_set_shutdown(t->ssl[i], SSL_SENT_SHUTDOWN);
		SSL_free(t->ssl[i]);
		close(t->fd[i]);
	}
}

int tlstest_again(struct tlstest *t, SSL_SESSION *session)
{
	disconnect(t);
	if (connect_both(t))
		return -1;
	return !session || SSL_set_session(t->ssl[0], session) ? 0 : -1;
}

void tlstest_close(struct tlstest *t)
{
	disconnect(t);
	SSL_CTX_free(t->ctx[0]);
	SSL_CTX_free(t->ctx[1]);
}

int tlstest_nonblock(struct tlstest *t)
{
	return fcntl(t->fd[0], F_SETFL, O_NONBLOCK) ||
	       fcntl(t->fd[1], F_SETFL, O_NONBLOCK) ? -1 : 0;
}

int tlstest_go(struct tlstest *t, int end)
{
	int n = SSL_do_handshake(t->ssl[end]);

	if (n == 1)
		return 1;
	switch (SSL_get_error(t->ssl[end], n)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return 0;
	}
	return -1;
}

int tlstest_shake(struct tlstest *t)
{
	long until = nsttest_now_ms() + TCPTEST_SOON_MS;
	int a = 0, b = 0;

	if (tlstest_nonblock(t))
		return -1;
	while (a < 1 || b < 1) {
		a = tlstest_go(t, TLSTEST_CLIENT);
		b = tlstest_go(t, TLSTEST_SERVER);
		if (a < 0 || b < 0 || nsttest_now_ms() > until)
			return -1;
	}
	return 0;
}

int tlstest_shake_prepared(struct tlstest *t)
{
	return nst_tls_prepare(t->ssl[0]) || nst_tls_prepare(t->ssl[1]) ?
	       -1 : tlstest_shake(t);
}

/* --- a key that both know ------------------------------------------------- */

static SSL_SESSION *make_session(SSL *ssl)
{
	static const unsigned char suite[] = { 0x13, 0x01 }, key[32] = { 5 };
	const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, suite);
	SSL_SESSION *session = SSL_SESSION_new();

	if (session && cipher &&
	    SSL_SESSION_set1_master_key(session, key, sizeof(key)) &&
	    SSL_SESSION_set_cipher(session, cipher) &&
	    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) &&
	    SSL_SESSION_set_max_early_data(session, 1000))
		return session;
	SSL_SESSION_free(session);
	return NULL;
}

static int use_psk(SSL *ssl, const EVP_MD *md, const unsigned char **id,
		   size_t *len, SSL_SESSION **session)
{
	(void)md;
	*id = (const unsigned char *)"us";
	*len = 2;
	*session = make_session(ssl);
	return *session ? 1 : 0;
}

static int find_psk(SSL *ssl, const unsigned char *id, size_t len,
		    SSL_SESSION **session)
{
	(void)id;
	(void)len;
	*session = make_session(ssl);
	return *session ? 1 : 0;
}

int tlstest_psk(struct tlstest *t)
{
	SSL_set_psk_use_session_callback(t->ssl[0], use_psk);
	SSL_set_psk_find_session_callback(t->ssl[1], find_psk);
	/* There is no certificate then. */
	SSL_set_verify(t->ssl[0], SSL_VERIFY_NONE, NULL);
	return SSL_set_ciphersuites(t->ssl[0], "TLS_AES_128_GCM_SHA256") &&
	       SSL_set_ciphersuites(t->ssl[1], "TLS_AES_128_GCM_SHA256") ?
	       0 : -1;
}
