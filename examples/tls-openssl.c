// SPDX-License-Identifier: GPL-2.0
/*
 * tls-openssl listen PORT CERTIFICATE KEY: sends back what it receives
 * tls-openssl NAME PORT TRUSTED TEXT: sends a text, and prints what comes back
 *
 * Each connection begins with a handshake of TLS 1.3, which says who the server
 * is, and goes on as NST. No box is needed. Files are PEM.
 *
 *   cc -o tls-openssl tls-openssl.c $(pkg-config --cflags --libs libnst-tls libssl libcrypto)
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <nst/tls.h>

#define PATIENCE	20	/* seconds */

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/*
 * On a socket that waits one call would do. But then it is for the peer to say how
 * long it takes: each byte that comes lets it wait anew.
 */
static int shake_hands(SSL *ssl, int fd, const struct nst_opts *opts)
{
	struct pollfd p = { .fd = fd };
	time_t end = now() + PATIENCE, left = PATIENCE;
	int e;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((e = nst_tls_step(ssl, opts)) > 0 && left > 0) {
		p.events = e;
		poll(&p, 1, left * 1000);
		left = end - now();
	}
	fcntl(fd, F_SETFL, 0);
	return e > 0 ? -ETIMEDOUT : e;
}

/* Handshake and keys; @fd has NST afterwards, or is good for nothing any more. */
static int secure(SSL_CTX *ctx, int fd, const char *name)
{
	struct nst_opts opts = {
		.size = sizeof(opts), .context = "echo", .context_len = 4,
	};
	SSL *ssl = SSL_new(ctx);
	int e;

	SSL_set_fd(ssl, fd);
	if (name)
		SSL_set1_host(ssl, name);
	if (name)
		SSL_set_connect_state(ssl);
	else
		SSL_set_accept_state(ssl);
	e = shake_hands(ssl, fd, &opts);
	if (e)
		warnx("TLS: %s", nst_tls_strerror(e));
	ERR_print_errors_fp(stderr);
	SSL_free(ssl);
	return e;
}

static void serve(SSL_CTX *ctx, int port)
{
	struct sockaddr_in6 addr = {
		.sin6_family = AF_INET6, .sin6_port = htons(port),
	};
	struct timeval patience = { .tv_sec = PATIENCE };
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
		if (!secure(ctx, conn, NULL))
			while ((n = recv(conn, buf, sizeof(buf), 0)) > 0 &&
			       send(conn, buf, n, MSG_NOSIGNAL) == n)
				;
		close(conn);
	}
	err(1, "accept");
}

static void ask(SSL_CTX *ctx, char **argv)
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
	if (secure(ctx, fd, argv[1]))
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
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	int ok;

	signal(SIGPIPE, SIG_IGN);
	if (argc != 5)
		errx(2, "tls-openssl listen PORT CERTIFICATE KEY | NAME PORT TRUSTED TEXT");
	if (!strcmp(argv[1], "listen")) {
		ok = SSL_CTX_use_certificate_chain_file(ctx, argv[3]) == 1 &&
		     SSL_CTX_use_PrivateKey_file(ctx, argv[4], SSL_FILETYPE_PEM) == 1;
	} else {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		ok = SSL_CTX_load_verify_file(ctx, argv[3]) == 1;
	}
	if (!ok) {
		ERR_print_errors_fp(stderr);
		errx(1, "certificates");
	}
	if (!strcmp(argv[1], "listen"))
		serve(ctx, atoi(argv[2]));
	ask(ctx, argv);
	return 0;
}
