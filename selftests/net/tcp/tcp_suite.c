// SPDX-License-Identifier: GPL-2.0
/*
 * A suite that has to be looked for: modprobe may take as long as it likes, and no
 * call waits for it that may not wait, or that wants something else of the socket.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#define MODPROBE	"/proc/sys/kernel/modprobe"
#define SLOW		"/tmp/tcp_suite.sh"
#define HELD		"/tmp/tcp_suite.held"	/* modprobe does nothing */
#define CALLED		"/tmp/tcp_suite.called"	/* it was called */

/* It ends by itself if nobody lets it go. */
static const char slow[] =
	"#!/bin/sh\n"
	": >" CALLED "\n"
	"n=0\n"
	"while [ -e " HELD " ] && [ $n -lt 1200 ]; do\n"
	"	sleep 0.1\n"
	"	n=$((n + 1))\n"
	"done\n"
	"exec /sbin/modprobe \"$@\"\n";

static int exists(const char *path)
{
	return !access(path, F_OK);
}

FIXTURE(suite)
{
	int here;	/* the kernel has SM4 of its own */
	int kern;
	int raw;
	struct peer p;
};

FIXTURE_VARIANT(suite)
{
	int was_there;	/* and NST knows it, when its module goes */
};

FIXTURE_VARIANT_ADD(suite, missing)
{
};

FIXTURE_VARIANT_ADD(suite, gone)
{
	.was_there = 1,
};

static int install(int fd, uint8_t suite)
{
	struct nsttest_info ti;

	nsttest_fill(&ti, suite);
	ti.info.flags = NST_F_RESPONDER;
	return setsockopt(fd, SOL_NST, NST_RX, &ti, sizeof(ti)) ? -errno : 0;
}

/* Without nst_sm, and then with a modprobe that takes its time. */
FIXTURE_SETUP(suite)
{
	int fd, i;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &self->kern, &self->raw));
	ASSERT_EQ(0, nsttest_attach(self->kern));
	if (variant->was_there)
		ASSERT_EQ(0, install(self->kern, NST_CIPHER_SM4_GCM));
	ASSERT_EQ(0, nsttest_write_file(MODPROBE, "/bin/false\n"));
	for (i = 0; i < 100 && exists("/sys/module/nst_sm"); i++)
		if (system("rmmod nst_sm 2>/dev/null"))
			usleep(100000);
	self->here = !system("grep -q '^name *: sm4$' /proc/crypto");
	if (!variant->was_there) {
		EXPECT_EQ(self->here ? 0 : -ENOPKG,
			  install(self->kern, NST_CIPHER_SM4_GCM));
		/* For so long it is known that there is none. */
		sleep(2);
	}
	fd = open(SLOW, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	ASSERT_EQ(sizeof(slow) - 1, write(fd, slow, sizeof(slow) - 1));
	close(fd);
	close(open(HELD, O_WRONLY | O_CREAT, 0600));
	unlink(CALLED);
	ASSERT_EQ(0, nsttest_write_file(MODPROBE, SLOW "\n"));
	peer_init(&self->p, self->raw, NST_CIPHER_SM4_GCM, nsttest_box,
		  NSTTEST_KEYS);
	self->p.role = PEER_F_INITIATOR;
}

FIXTURE_TEARDOWN(suite)
{
	unlink(HELD);
	close(self->kern);
	close(self->raw);
	EXPECT_EQ(0, nsttest_write_file(MODPROBE, "/sbin/modprobe\n"));
	EXPECT_EQ(0, system("modprobe nst_sm"));
	unlink(SLOW);
	unlink(CALLED);
}

static int receives(int fd)
{
	char in;

	return recv(fd, &in, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

static int asks(int fd)
{
	struct nst_info info;

	return !tcptest_info(fd, &info);
}

static int sets_keys(int fd)
{
	return !install(fd, 0);
}

/* Is @call done, and well, while modprobe is under way? */
static int goes_on(int fd, int (*call)(int fd))
{
	int ms = nsttest_patience(20) * 1000, status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(call(fd) && exists(HELD) ? 0 : 1);
	for (; ms > 0 && !waitpid(pid, &status, WNOHANG); ms -= 50)
		usleep(50000);
	if (ms > 0)
		return WIFEXITED(status) && !WEXITSTATUS(status);
	/* It waits. */
	unlink(HELD);
	waitpid(pid, &status, 0);
	return 0;
}

TEST_F_TIMEOUT(suite, is_looked_for_by_others, 200)
{
	char in = 0;
	int i;

	if (self->here)
		SKIP(return, "this kernel has SM4 built in");
	ASSERT_EQ(0, install(self->kern, 0));
	ASSERT_EQ(0, peer_send(&self->p, PEER_DATA, "x", 1));
	for (i = nsttest_patience(20) * 20; i && !exists(CALLED); i--)
		usleep(50000);
	ASSERT_TRUE(exists(CALLED));
	/* TCP has the record. */
	ASSERT_EQ(POLLIN, tcptest_poll(self->kern, POLLIN, TCPTEST_SOON_MS));
	EXPECT_TRUE(goes_on(self->kern, receives));
	EXPECT_TRUE(goes_on(self->kern, asks));
	EXPECT_TRUE(goes_on(self->kern, sets_keys));
	EXPECT_TRUE(goes_on(self->kern, receives));
	EXPECT_TRUE(exists(HELD));
	/* Once the suite is there, so is what it seals. */
	unlink(HELD);
	EXPECT_EQ(1, recv(self->kern, &in, 1, 0));
	EXPECT_EQ('x', in);
}

/* The same for who sets keys of that suite: others have the socket meanwhile. */
TEST_F_TIMEOUT(suite, is_looked_for_without_a_lock, 200)
{
	pid_t pid;
	int i;

	if (self->here)
		SKIP(return, "this kernel has SM4 built in");
	ASSERT_EQ(0, install(self->kern, NST_CIPHER_AES_GCM));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(install(self->kern, NST_CIPHER_SM4_GCM) ? 1 : 0);
	for (i = nsttest_patience(20) * 20; i && !exists(CALLED); i--)
		usleep(50000);
	ASSERT_TRUE(exists(CALLED));
	EXPECT_TRUE(goes_on(self->kern, receives));
	EXPECT_TRUE(exists(HELD));
	unlink(HELD);
	EXPECT_EQ(0, tcptest_reap(pid));
}

TEST_HARNESS_MAIN
