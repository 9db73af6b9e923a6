// SPDX-License-Identifier: GPL-2.0
/*
 * Signals to a program under nst-run's notify engine, and to its connect(), which the
 * engine does for it: they come through, and end what they would end without it.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lifetest.h"

static volatile sig_atomic_t signals;

static void count(int sig)
{
	(void)sig;
	signals++;
}

static void on_signal(int sig, int flags)
{
	struct sigaction action = { .sa_handler = count, .sa_flags = flags };

	sigaction(sig, &action, NULL);
}

/* @silence TIMEOUT: one connect() that blocks */
static int block(int argc, char **argv)
{
	(void)argc;
	puts("begun");
	puts(under_error(under_dial_silence(atoi(argv[1]))));
	return 0;
}

static void *other_thread(void *unused)
{
	pause();
	return unused;
}

/* @alarm FLAGS THREADS: signals while connect() blocks */
static int alarmed(int argc, char **argv)
{
	struct itimerval timer = { { 0, 300000 }, { 0, 300000 } };
	int restart = atoi(argv[1]), ret;
	pthread_t thread;

	(void)argc;
	if (atoi(argv[2]))
		pthread_create(&thread, NULL, other_thread, NULL);
	on_signal(SIGALRM, restart ? SA_RESTART : 0);
	setitimer(ITIMER_REAL, &timer, NULL);
	ret = under_dial_silence(restart ? 60 : 0);
	puts(under_error(ret));
	/* With a limit the kernel says EINTR at the first one, too. */
	return signals ? 0 : 1;
}

/* @restart: a handler that wants the call begun anew, then one that does not */
static int restarted(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = count };
	pid_t parent = getpid(), child;

	(void)argc;
	(void)argv;
	on_signal(SIGUSR1, SA_RESTART);
	sigaction(SIGUSR2, &action, NULL);
	child = fork();
	if (!child) {
		under_dialing(0);
		kill(parent, SIGUSR1);
		/* Until it has seen one, however slow all this is */
		for (;;) {
			usleep(500000);
			kill(parent, SIGUSR2);
		}
	}
	puts(under_error(under_dial_silence(0)));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	/* The first one did not end it. */
	return signals > 1 ? 0 : 1;
}

/*
 * @unix: as @alarm, of AF_UNIX, where a listener that accepts nothing holds it up.
 * It is made by nst-run if there are threads.
 */
static int alarmed_unix(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "\0full" };
	struct itimerval timer = { { 0, 300000 }, { 0, 300000 } };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), ret;
	pthread_t thread;

	(void)argc;
	(void)argv;
	if (bind(fd, (void *)&addr, sizeof(addr)) || listen(fd, 0))
		return 2;
	pthread_create(&thread, NULL, other_thread, NULL);
	do {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ret = connect(fd, (void *)&addr, sizeof(addr));
	} while (!ret);
	if (errno != EAGAIN)
		return 3;
	on_signal(SIGALRM, 0);
	setitimer(ITIMER_REAL, &timer, NULL);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	puts(under_error(connect(fd, (void *)&addr, sizeof(addr))));
	return signals ? 0 : 1;
}

/* @signal: waits for one, and tells which */
static int signalled(int argc, char **argv)
{
	sigset_t all;
	int sig;

	(void)argc;
	(void)argv;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	puts("begun");
	sigwait(&all, &sig);
	printf("%d\n", sig);
	return 0;
}

UNDER_ROLES({ "@silence", block }, { "@alarm", alarmed },
	    { "@restart", restarted }, { "@signal", signalled },
	    { "@unix", alarmed_unix })

TEST_F(life, signal__passed_on)
{
	/* The last one is the supervisor's own, too. */
	int sigs[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGRTMIN + 3,
		       SIGRTMAX };
	unsigned int i;

	for (i = 0; i < 7; i++) {
		START("@signal");
		LINE();
		kill(self->under.pid, sigs[i]);
		EXPECT_EQ(0, END());
		EXPECT_EQ(sigs[i], atoi(self->said));
	}
}

TEST_F(life, signal__ends_connect)
{
	ASSERT_EQ(0, under_dummy());
	EXPECT_EQ(0, RUN("@alarm 0 0"));
	EXPECT_STREQ("EINTR\n", self->said);
	EXPECT_EQ(0, RUN("@alarm 0 1"));
	EXPECT_STREQ("EINTR\n", self->said);
	EXPECT_EQ(0, RUN("@alarm 1 0"));
	EXPECT_STREQ("EINTR\n", self->said);
}

TEST_F(life, signal__ends_connect_unix)
{
	EXPECT_EQ(0, RUN("@unix"));
	EXPECT_STREQ("EINTR\n", self->said);
}

TEST_F(life, signal__begins_connect_anew)
{
	ASSERT_EQ(0, under_dummy());
	EXPECT_EQ(0, RUN("@restart"));
	EXPECT_STREQ("EINTR\n", self->said);
}

TEST_F(life, timeout__of_connect)
{
	ASSERT_EQ(0, under_dummy());
	EXPECT_EQ(0, RUN("@silence 1"));
	EXPECT_STREQ("begun\nEINPROGRESS\n", self->said);
}

TEST_HARNESS_MAIN
