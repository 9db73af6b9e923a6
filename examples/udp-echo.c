// SPDX-License-Identifier: GPL-2.0
/*
 * udp-echo [PORT]: sends datagrams back, many with each system call, with the
 * keys of the namespace's box (nstkeyctl load).
 *
 *   cc -o udp-echo udp-echo.c $(pkg-config --cflags --libs libnst)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <nst/nst.h>

#define MANY	32
#define LONGEST	2048

static char bufs[MANY][LONGEST];
static struct sockaddr_in6 peers[MANY];
static struct iovec iov[MANY];
static struct mmsghdr msgs[MANY];

/* Room for as many as may come. */
static void prepare(void)
{
	for (int i = 0; i < MANY; i++) {
		iov[i] = (struct iovec){ bufs[i], LONGEST };
		msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &peers[i], .msg_namelen = sizeof(peers[i]),
			.msg_iov = &iov[i], .msg_iovlen = 1,
		};
	}
}

/* Each to whom it came from. One that cannot be sent is left out, as UDP does. */
static void answer(int fd, int nr)
{
	int done = 0, n;

	for (int i = 0; i < nr; i++)
		iov[i].iov_len = msgs[i].msg_len;
	while (done < nr) {
		n = sendmmsg(fd, msgs + done, nr - done, 0);
		if (n < 0)
			warn("sending");
		done += n > 0 ? n : 1;
	}
}

int main(int argc, char **argv)
{
	struct nst_opts opts = {
		.size = sizeof(opts), .context = "echo", .context_len = 4,
	};
	struct sockaddr_in6 addr = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(argc > 1 ? atoi(argv[1]) : 7007),
	};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), e, n;

	if (fd < 0)
		err(1, "socket");
	/* Before bind(): no datagram that is not authentic gets in. */
	e = nst_udp(fd, &opts);
	if (e)
		errx(1, "NST: %s", nst_strerror(e));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind");
	for (;;) {
		prepare();
		n = recvmmsg(fd, msgs, MANY, MSG_WAITFORONE, NULL);
		if (n > 0)
			answer(fd, n);
		else if (errno != EINTR)
			warn("receiving");
	}
}
