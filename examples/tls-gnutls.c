// SPDX-License-Identifier: GPL-2.0
/*
 * tls-gnutls listen PORT CERTIFICATE KEY: sends back what it receives
 * tls-gnutls NAME PORT TRUSTED TEXT: sends a text, and prints what comes back
 *
 * The same as tls-openssl with GnuTLS, and what any TLS library takes: TLS 1.3
 * alone, no session tickets, nothing behind the handshake, and an exporter.
 *
 *   cc -o tls-gnutls tls-gnutls.c $(pkg-config --cflags --libs gnutls libnst)
 */
#include <err.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nst/nst.h>

#define CONTEXT	"echo"
#define LABEL	"EXPORTER-nst1"
#define TLS13	"NORMAL:-VERS-ALL:+VERS-TLS1.3"

/* Nothing of TLS may stand behind the handshake, here or with the kernel. */
static int is_over(gnutls_session_t tls, int fd)
{
	char first;
	ssize_t n = recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);

	return gnutls_protocol_get_version(tls) == GNUTLS_TLS1_3 &&
	       !gnutls_record_check_pending(tls) &&
	       !(gnutls_session_get_flags(tls) & GNUTLS_SFLAGS_EARLY_DATA) &&
	       ((n == 1 && first == 'N') || (n < 0 && errno == EAGAIN));
}

static int set_key(gnutls_session_t tls, int fd, unsigned int role)
{
	struct nst_key key = { .kid = 1 };
	struct nst_opts opts = {
		.size = sizeof(opts), .flags = NST_F_STRICT | role,
		.context = CONTEXT, .context_len = strlen(CONTEXT),
		.keys = &key, .nr_keys = 1,
	};
	int e;

	e = gnutls_prf_rfc5705(tls, strlen(LABEL), LABEL, strlen(CONTEXT),
			       CONTEXT, sizeof(key.key), (char *)key.key);
	if (!e)
		e = nst_tcp(fd, &opts);
	explicit_bzero(&key, sizeof(key));
	return e;
}

/* Handshake and keys; @fd has NST afterwards, or is shut down. */
static int secure(gnutls_certificate_credentials_t cred, int fd, const char *name)
{
	unsigned int role = name ? NST_F_INITIATOR : NST_F_RESPONDER;
	gnutls_session_t tls;
	int e;

	gnutls_init(&tls, GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS |
		    GNUTLS_NO_AUTO_SEND_TICKET |
		    (name ? GNUTLS_CLIENT : GNUTLS_SERVER));
	gnutls_priority_set_direct(tls, TLS13, NULL);
	gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, cred);
	/* The handshake fails if the certificate is not one of this name. */
	if (name)
		gnutls_session_set_verify_cert(tls, name, 0);
	gnutls_transport_set_int(tls, fd);
	gnutls_handshake_set_timeout(tls, 20000);
	do {
		e = gnutls_handshake(tls);
	} while (e < 0 && !gnutls_error_is_fatal(e));
	if (e) {
		warnx("TLS: %s", gnutls_strerror(e));
	} else if (!is_over(tls, fd)) {
		e = -EPROTO;
		warnx("the peer goes on in TLS");
	} else {
		e = set_key(tls, fd, role);
		if (e)
			warnx("NST: %s", nst_strerror(e));
	}
	if (e)
		shutdown(fd, SHUT_RDWR);
	gnutls_deinit(tls);
	return e;
}

static void serve(gnutls_certificate_credentials_t cred, int port)
{
	struct sockaddr_in6 addr = {
		.sin6_family = AF_INET6, .sin6_port = htons(port),
	};
	struct timeval patience = { .tv_sec = 20 };
	int fd = socket(AF_INET6, SOCK_STREAM, 0), one = 1, conn;
	char buf[16384];
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 16))
		err(1, "listen");
	while ((conn = accept(fd, NULL, NULL)) >= 0) {
		/* One after another, so none may be silent, or deaf, for long. */
		setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &patience,
			   sizeof(patience));
		setsockopt(conn, SOL_SOCKET, SO_SNDTIMEO, &patience,
			   sizeof(patience));
		if (!secure(cred, conn, NULL))
			while ((n = recv(conn, buf, sizeof(buf), 0)) > 0 &&
			       send(conn, buf, n, MSG_NOSIGNAL) == n)
				;
		close(conn);
	}
	err(1, "accept");
}

static void ask(gnutls_certificate_credentials_t cred, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ai;
	char buf[16384];
	ssize_t n;
	int fd, e;

	e = getaddrinfo(argv[1], argv[2], &hints, &ai);
	if (e)
		errx(1, "%s: %s", argv[1], gai_strerror(e));
	fd = socket(ai->ai_family, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen))
		err(1, "%s", argv[1]);
	freeaddrinfo(ai);
	if (secure(cred, fd, argv[1]))
		exit(1);
	if (send(fd, argv[4], strlen(argv[4]), MSG_NOSIGNAL) < 0)
		err(1, "sending");
	shutdown(fd, SHUT_WR);
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		fwrite(buf, 1, n, stdout);
	if (n < 0)
		err(1, "receiving");
}

int main(int argc, char **argv)
{
	gnutls_certificate_credentials_t cred;
	int listens, e;

	if (argc != 5)
		errx(2, "tls-gnutls listen PORT CERTIFICATE KEY | NAME PORT TRUSTED TEXT");
	listens = !strcmp(argv[1], "listen");
	gnutls_certificate_allocate_credentials(&cred);
	if (listens)
		e = gnutls_certificate_set_x509_key_file(cred, argv[3], argv[4],
							 GNUTLS_X509_FMT_PEM);
	else
		e = gnutls_certificate_set_x509_trust_file(cred, argv[3],
							   GNUTLS_X509_FMT_PEM);
	if (e < 0)
		errx(1, "certificates: %s", gnutls_strerror(e));
	if (listens)
		serve(cred, atoi(argv[2]));
	ask(cred, argv);
	return 0;
}
