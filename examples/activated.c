// SPDX-License-Identifier: GPL-2.0
/*
 * A service that systemd starts when somebody connects. It sends back what it
 * receives, with the keys of the namespace's box (nstkeyctl load).
 *
 *   cc activated.c $(pkg-config --cflags --libs libnst) -o activated
 *
 *   # activated.socket              # activated.service
 *   [Socket]                        [Service]
 *   ListenStream=7007               ExecStart=/usr/local/bin/activated
 *
 * The listener comes without NST, as descriptor 3. The connection that woke the
 * service is accepted with NST nevertheless, as nothing of it was read before.
 */
#include <err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <nst/nst.h>

#define LISTENER	3

static void echo(int fd)
{
	struct timeval patience = { .tv_sec = 5 };
	char buf[16384];
	ssize_t n;

	/* One after another, so none may be silent, or deaf, for long. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		if (send(fd, buf, n, MSG_NOSIGNAL) != n)
			break;
	if (n < 0)
		warn("receiving");
	close(fd);
}

int main(void)
{
	struct nst_opts opts = {
		.size = sizeof(opts), .context = "echo", .context_len = 4,
	};
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int conn, e;

	if (!pid || atoi(pid) != getpid() || !fds || atoi(fds) != 1)
		errx(2, "to be started by systemd, with one socket");
	e = nst_tcp(LISTENER, &opts);
	if (e)
		errx(1, "NST: %s", nst_strerror(e));
	while ((conn = accept(LISTENER, NULL, NULL)) >= 0) {
		/* Nobody is served who has come in plaintext. */
		if (nst_is_attached(conn) == 1)
			echo(conn);
		else
			close(conn);
	}
	err(1, "accept");
}
