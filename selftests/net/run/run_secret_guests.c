// SPDX-License-Identifier: GPL-2.0
/*
 * nst-run --forward-secret: what becomes of connections that wait for their keys,
 * and of the program that waits for them, if there are many, bad ones, or someone
 * goes. run_secret_accept has how a program may wait.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/nst.h>
#include <netinet/tcp.h>
#include <nst/exchange.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "secrettest.h"

/* @server: blocks in accept(), and tells if that ends for no connection */
static int server(int argc, char **argv)
{
	int fd = under_listen(UNDER_COVERED, 0), conn;

	(void)argc;
	(void)argv;
	printf("begun %d\n", getpid());
	for (;;) {
		conn = accept(fd, NULL, NULL);
		if (conn < 0 && errno != EINTR)
			return 2;
		if (conn < 0)
			puts("EINTR");
		else if (secret_serve(conn))
			return 0;
	}
}

UNDER_ROLES({ "@server", server })

#define STRANGERS	20

static int count(const char *said, const char *word)
{
	int n = 0;

	for (; (said = strstr(said, word)); said++)
		n++;
	return n;
}

/*
 * Who is asleep in accept() stays so, as many a program ends of EINTR. One or two
 * may come before the program is.
 */
TEST_F(secret, accept__sleeps_on)
{
	int i, fd;

	START("@server");
	BEGUN();
	for (i = 0; i < STRANGERS; i++) {
		fd = secret_dial();
		ASSERT_LE(0, fd);
		send(fd, UNDER_MARK, strlen(UNDER_MARK), MSG_NOSIGNAL);
		EXPECT_EQ(1, secret_ended(fd));
		close(fd);
		/* Else the next one is there before the call has ended. */
		usleep(50000);
	}
	EXPECT_EQ(0, secret_peer("end"));
	EXPECT_EQ(0, END());
	EXPECT_NE(NULL, strstr(self->said, "own end\n"));
	EXPECT_GE(STRANGERS / 2, count(self->said, "EINTR\n"));
}

/* More than may wait: those that are silent for longest go, and not the good. */
TEST_F(secret, accept__crowd)
{
	int i, fds[600];

	START("@server");
	BEGUN();
	for (i = 0; i < 600; i++) {
		fds[i] = secret_plain(UNDER_COVERED, 0);
		ASSERT_LE(0, fds[i]);
	}
	EXPECT_EQ(0, secret_peer("end"));
	EXPECT_EQ(1, secret_ended(fds[0]));
	EXPECT_EQ(0, END());
	EXPECT_NE(NULL, strstr(self->said, "own end\n"));
	for (i = 0; i < 600; i++)
		close(fds[i]);
}

/* The program goes in the middle: so do those that waited for it. */
TEST_F(secret, accept__killed)
{
	int fd, done;

	START("@server");
	BEGUN();
	fd = secret_dial();
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, secret_peer("hello"));
	kill(self->program, SIGSTOP);
	done = secret_dial();
	kill(self->program, SIGKILL);
	EXPECT_EQ(1, secret_ended(fd));
	EXPECT_EQ(1, secret_ended(done));
	close(fd);
	close(done);
	END();
}

TEST_HARNESS_MAIN
