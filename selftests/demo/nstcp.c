// SPDX-License-Identifier: GPL-2.0
/*
 * nstcp: copies a file over TCP, for the demo.
 *
 *   nstcp recv KIND PORT FILE          waits for one connection
 *   nstcp send KIND ADDRESS PORT FILE  shows progress
 *   nstcp bench KIND MIB               throughput over loopback
 *
 * KIND is nst, tls (kernel TLS 1.3, AES-128-GCM, keys all the same) or plain.
 * What makes a program use NST is in secure(), and nothing else is different.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/nst.h>
#include <linux/tls.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"

#define CHUNK		65536
#define MIB		(1024 * 1024)
#define STEPS		10	/* lines of progress */

static char buf[CHUNK];

static void set_tls(int fd, int direction)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info.version = TLS_1_3_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_128,
	};

	if (setsockopt(fd, SOL_TLS, direction, &info, sizeof(info)))
		die("TLS");
}

/*
 * NST goes on before connect() or listen(): what connects then is the
 * initiator, and what is accepted inherits and is the responder. Keys are
 * those of the namespace's box.
 */
static void secure_nst(int fd)
{
	struct nst_crypto_info info = {
		.version = NST_VERSION,
		.cipher_id = NST_CIPHER_AES_GCM,
	};

	if (setsockopt(fd, SOL_TCP, TCP_ULP, "nst", 3))
		die("TCP_ULP");
	if (setsockopt(fd, SOL_NST, NST_TX_RX, &info, sizeof(info)))
		die("NST_TX_RX");
}

/* Kernel TLS wants a connection that stands. */
static void secure_tls(int fd)
{
	if (setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 4))
		die("TCP_ULP");
	set_tls(fd, TLS_TX);
	set_tls(fd, TLS_RX);
}

static int new_socket(const char *kind)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!strcmp(kind, "nst"))
		secure_nst(fd);
	return fd;
}

static int wait_for_peer(const char *kind, struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd, listener = new_socket(kind);

	if (bind(listener, (void *)addr, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)addr, &len))
		die("listen");
	tell_port(addr);
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		die("accept");
	close(listener);
	if (!strcmp(kind, "tls"))
		secure_tls(fd);
	return fd;
}

static int connect_to(const char *kind, const struct sockaddr_in *addr)
{
	int fd = new_socket(kind);

	if (connect(fd, (const void *)addr, sizeof(*addr)))
		die("connect");
	if (!strcmp(kind, "tls"))
		secure_tls(fd);
	return fd;
}

static void write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0)
			die("write");
		p += n;
		len -= n;
	}
}

static void print_epoch(int fd)
{
	struct nst_info info;
	socklen_t len = sizeof(info);

	if (!getsockopt(fd, SOL_NST, NST_INFO, &info, &len))
		printf(" (key %u, epoch %u of the stream)", info.tx.kid,
		       info.tx.epochs);
}

static int send_file(const char *kind, const struct sockaddr_in *addr,
		     const char *path)
{
	int in = open(path, O_RDONLY), fd = connect_to(kind, addr);
	off_t done = 0, shown = 0;
	struct stat st;
	ssize_t n;

	if (in < 0 || fstat(in, &st))
		die(path);
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		write_all(fd, buf, n);
		done += n;
		if (done - shown < st.st_size / STEPS && done < st.st_size)
			continue;
		shown = done;
		printf("sent %3lld of %lld MiB", (long long)done / MIB,
		       (long long)st.st_size / MIB);
		print_epoch(fd);
		printf("\n");
		fflush(stdout);
	}
	if (n < 0)
		die(path);
	/* Not close() alone: only so is the end known to have arrived. */
	if (shutdown(fd, SHUT_WR))
		die("shutdown");
	if (recv(fd, buf, 1, 0) < 0)
		die("waiting for the receiver's end");
	return 0;
}

static int receive_file(const char *kind, struct sockaddr_in *addr,
			const char *path)
{
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int fd = wait_for_peer(kind, addr);
	long long done = 0;
	ssize_t n;

	if (out < 0)
		die(path);
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
		write_all(out, buf, n);
		done += n;
	}
	if (n < 0) {
		printf("received %lld bytes, then: %s\n", done, strerror(errno));
		return 1;
	}
	printf("received %lld bytes and the end of the stream\n", done);
	return 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void bench_sender(const char *kind, const struct sockaddr_in *addr,
			 long long total)
{
	int fd = connect_to(kind, addr);

	for (; total > 0; total -= sizeof(buf))
		write_all(fd, buf, sizeof(buf));
	shutdown(fd, SHUT_WR);
	_exit(recv(fd, buf, 1, 0) < 0);
}

static int bench(const char *kind, const char *mib)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	long long left, total = atoll(mib) * MIB;
	int fd, listener = new_socket(kind), status;
	socklen_t len = sizeof(addr);
	double start;
	ssize_t n;
	pid_t pid;

	if (bind(listener, (void *)&addr, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&addr, &len))
		die("listen");
	pid = fork();
	if (!pid)
		bench_sender(kind, &addr, total);
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		die("accept");
	if (!strcmp(kind, "tls"))
		secure_tls(fd);
	start = now();
	for (left = total; left > 0; left -= n) {
		n = recv(fd, buf, sizeof(buf), 0);
		if (n <= 0)
			die("recv");
	}
	printf("%.1f\n", total / (now() - start) / MIB);
	close(fd);
	return waitpid(pid, &status, 0) != pid || status;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 6 && !strcmp(argv[1], "send")) {
		addr = address(argv[3], argv[4]);
		return send_file(argv[2], &addr, argv[5]);
	}
	if (argc == 5 && !strcmp(argv[1], "recv")) {
		addr = address("0.0.0.0", argv[3]);
		return receive_file(argv[2], &addr, argv[4]);
	}
	if (argc == 4 && !strcmp(argv[1], "bench"))
		return bench(argv[2], argv[3]);
	fprintf(stderr, "usage: nstcp recv KIND PORT FILE\n"
		"       nstcp send KIND ADDRESS PORT FILE\n"
		"       nstcp bench KIND MIB\n");
	return 2;
}
