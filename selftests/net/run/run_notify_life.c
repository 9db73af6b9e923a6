// SPDX-License-Identifier: GPL-2.0
/*
 * nst-run's notify engine as a process: how it ends; what its death does to the
 * program, and the program's to it; and how many sockets it can have.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lifetest.h"

#define LONG		(nsttest_patience(20) * 1000)

/* @exit N: by exit status; @killed N: by a signal */
static int leave(int argc, char **argv)
{
	(void)argc;
	if (!strcmp(argv[0], "@killed"))
		raise(atoi(argv[1]));
	return atoi(argv[1]);
}

/* @calls: one call after another until one says that nobody is there */
static int calls(int argc, char **argv)
{
	int n = 0, fd;

	(void)argc;
	(void)argv;
	puts("begun");
	for (;;) {
		fd = under_dial(UNDER_COVERED);
		if (fd < 0)
			break;
		n++;
		close(fd);
	}
	puts(under_error(-1));
	return errno == ENOSYS ? 0 : 1;
}

/* @silence TIMEOUT: one connect() that blocks */
static int block(int argc, char **argv)
{
	(void)argc;
	puts("begun");
	puts(under_error(under_dial_silence(atoi(argv[1]))));
	return 0;
}

/* @child: a child whose connect() blocks */
static int block_child(int argc, char **argv)
{
	pid_t child = fork();

	(void)argc;
	(void)argv;
	if (!child) {
		under_dial_silence(0);
		_exit(1);
	}
	printf("%d\n", child);
	pause();
	return 0;
}

/* @many N: connections that stand at the same time */
static int many(int argc, char **argv)
{
	int n = atoi(argv[1]), i, keyed = 0;
	struct rlimit limit = { n + 100, n + 100 };
	int *fds = calloc(n, sizeof(int));

	(void)argc;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		return 2;
	for (i = 0; i < n; i++) {
		fds[i] = under_dial(UNDER_COVERED);
		if (fds[i] < 0)
			break;
		keyed += under_keyed(fds[i]);
	}
	printf("%d %d %s\n", i, keyed, under_error(i < n ? -1 : 0));
	pause();
	return 0;
}

/* @pids: what systemd told nst-run is of the program */
static int pids(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts(atoi(getenv("LISTEN_PID")) == getpid() ? "own" : "another");
	return 0;
}

/* @daemon: leaves a process behind that works on */
static int leave_behind(int argc, char **argv)
{
	int listener = under_listen(UNDER_COVERED, 0), go[2], conn;
	pid_t parent;

	(void)argc;
	(void)argv;
	if (listener < 0 || pipe(go))
		return 2;
	if (fork())
		return 7;
	parent = getpid();
	if (fork())
		_exit(0);
	while (getppid() == parent)
		usleep(1000);
	setsid();
	printf("%d\n", getpid());
	conn = accept(listener, NULL, NULL);
	puts(under_keyed(conn) ? "keyed" : "plain");
	_exit(3);
}

/* @quiet: the same, with nothing of its standard files */
static int leave_quiet(int argc, char **argv)
{
	pid_t parent;

	(void)argc;
	(void)argv;
	if (fork())
		return 7;
	parent = getpid();
	if (fork())
		_exit(0);
	while (getppid() == parent)
		usleep(1000);
	printf("%d\n", getpid());
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	pause();
	_exit(3);
}

/* @accept: one process, which accepts a connection */
static int accept_one(int argc, char **argv)
{
	int listener = under_listen(UNDER_COVERED, 0);

	(void)argc;
	(void)argv;
	printf("%d\n", getpid());
	puts(under_keyed(accept(listener, NULL, NULL)) ? "keyed" : "plain");
	return 0;
}

UNDER_ROLES({ "@exit", leave }, { "@killed", leave }, { "@calls", calls },
	    { "@silence", block }, { "@child", block_child }, { "@many", many },
	    { "@pids", pids }, { "@daemon", leave_behind },
	    { "@quiet", leave_quiet }, { "@accept", accept_one })

TEST_F(life, end__as_the_program)
{
	EXPECT_EQ(0, RUN("@exit 0"));
	EXPECT_EQ(42, RUN("@exit 42"));
	EXPECT_EQ(128 + SIGTERM, RUN("@killed 15"));
	EXPECT_EQ(128 + SIGKILL, RUN("@killed 9"));
	EXPECT_EQ(128 + SIGUSR1, RUN("@killed 10"));
}

static int is_gone(pid_t pid)
{
	int i;

	for (i = 0; i < 100 * nsttest_patience(20); i++) {
		if (kill(pid, 0))
			return 1;
		usleep(10000);
	}
	return 0;
}

/* nst-run ends with the program; what that leaves behind has its supervisor. */
TEST_F(life, end__of_a_daemon)
{
	pid_t pid, supervisor;
	int fd, status = -1;

	START("@daemon");
	LINE();
	pid = atoi(self->line);
	EXPECT_EQ(self->under.pid, waitpid(self->under.pid, &status, 0));
	EXPECT_EQ(7 << 8, status);
	EXPECT_EQ(0, kill(pid, 0));
	supervisor = under_parent(pid);
	ASSERT_LT(1, supervisor);
	/* In no session that a terminal or a shell may end. */
	EXPECT_EQ(supervisor, getsid(supervisor));
	fd = under_dial(UNDER_COVERED);
	EXPECT_LE(0, fd);
	END();
	EXPECT_STREQ("keyed\n", self->said);
	/* It was reaped, and the supervisor ends. */
	EXPECT_EQ(1, is_gone(pid));
	EXPECT_EQ(1, is_gone(supervisor));
}

/* The supervisor keeps nobody waiting who reads what the program says. */
TEST_F(life, end__lets_go)
{
	pid_t pid, supervisor;

	START("@quiet");
	LINE();
	pid = atoi(self->line);
	EXPECT_EQ(7 << 8, END());
	EXPECT_STREQ("", self->said);
	supervisor = under_parent(pid);
	EXPECT_LT(1, supervisor);
	EXPECT_EQ(0, kill(pid, SIGTERM));
	EXPECT_EQ(1, is_gone(supervisor));
}

/* Killed, it takes neither the program nor its supervisor along. */
TEST_F(life, kill__front)
{
	pid_t supervisor, program;
	int fd;

	START("@accept");
	LINE();
	program = atoi(self->line);
	supervisor = under_child(self->under.pid);
	EXPECT_EQ(supervisor, under_parent(program));
	EXPECT_EQ(0, kill(self->under.pid, SIGKILL));
	waitpid(self->under.pid, NULL, 0);
	fd = under_dial(UNDER_COVERED);
	EXPECT_LE(0, fd);
	END();
	EXPECT_STREQ("keyed\n", self->said);
	EXPECT_EQ(1, is_gone(supervisor));
}

TEST_F(life, start__socket_activation)
{
	EXPECT_EQ(0, RUN("@pids"));
	EXPECT_STREQ("own\n", self->said);
}

static int kill_supervisor(const struct under *under)
{
	pid_t pid = under_child(under->pid);

	return pid < 2 ? -1 : kill(pid, SIGKILL);
}

TEST_F(life, kill__supervisor)
{
	char name[32];
	int i, status;

	self->listener = under_listen(UNDER_COVERED, 1);
	for (i = 0; i < 8; i++) {
		START("@calls");
		LINE();
		/* At some moment of some call */
		usleep(1000 * (7 * i % 19));
		ASSERT_EQ(0, kill_supervisor(&self->under));
		ASSERT_EQ(0, under_line(&self->under, name, sizeof(name)));
		EXPECT_STREQ("ENOSYS", name);
		status = END();
		EXPECT_TRUE(WIFSIGNALED(status));
	}
}

TEST_F(life, kill__supervisor_of_blocked)
{
	ASSERT_EQ(0, under_dummy());
	START("@silence 0");
	LINE();
	usleep(200000);
	ASSERT_EQ(0, kill_supervisor(&self->under));
	END();
	EXPECT_STREQ("ENOSYS\n", self->said);
}

static int nr_files(pid_t pid)
{
	char command[128];
	FILE *file;
	int n = -1;

	snprintf(command, sizeof(command), "ls /proc/%d/fd | wc -l", pid);
	file = popen(command, "r");
	if (!file || fscanf(file, "%d", &n) != 1)
		n = -1;
	pclose(file);
	return n;
}

/* A process ends, and what its supervisor did for it ends as well. */
TEST_F(life, kill__program_of_blocked)
{
	ASSERT_EQ(0, under_dummy());
	START("@child");
	LINE();
	EXPECT_EQ(0, under_dialing(0));
	EXPECT_EQ(0, kill(atoi(self->line), SIGKILL));
	EXPECT_EQ(0, under_dialing(1));
	kill(self->under.pid, SIGTERM);
	END();
}

static void many_sockets(struct __test_metadata *_metadata,
			 FIXTURE_DATA(life) *self, int nr)
{
	char role[32], expected[32];
	struct rlimit limit = { nr + 100, nr + 100 };
	struct pollfd poll_fd = { .events = POLLIN };
	int i, files;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	self->listener = under_listen(UNDER_COVERED, 1);
	poll_fd.fd = self->listener;
	snprintf(role, sizeof(role), "@many %d", nr);
	snprintf(expected, sizeof(expected), "%d %d 0", nr, nr);
	START(role);
	/* They stay: so many orphans TCP would reset. */
	for (i = 0; i < nr && poll(&poll_fd, 1, LONG) == 1; i++)
		accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
	EXPECT_EQ(nr, i);
	LINE();
	EXPECT_STREQ(expected, self->line);
	/* It keeps none of them. */
	files = nr_files(under_child(self->under.pid));
	EXPECT_LT(0, files);
	EXPECT_GT(20, files);
	kill(self->under.pid, SIGTERM);
	END();
}

TEST_F(life, sockets__many)
{
	many_sockets(_metadata, self, 500);
}

TEST_F_TIMEOUT(life, sockets__ten_thousand, 600)
{
	many_sockets(_metadata, self, 10000);
}

TEST_HARNESS_MAIN
