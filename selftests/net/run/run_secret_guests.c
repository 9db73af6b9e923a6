// SPDX-License-Identifier: GPL-2.0
/*
 * nst-run --forward-secret: what becomes of connections that wait for their keys,
 * and of the program that waits for them, if there are many, bad ones, or someone
 * goes. run_secret_accept has how a program may wait.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/nst.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <nst/exchange.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
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

/* @heir: a child is in accept(); behind a word of standard input its parent is */
static int heir(int argc, char **argv)
{
	int fd = under_listen(UNDER_COVERED, 0), conn;
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char word[16];
	pid_t child;

	(void)argc;
	(void)argv;
	child = fork();
	if (!child) {
		accept(fd, (void *)&addr, &len);
		pause();
	}
	printf("begun %d\n", child);
	if (read(STDIN_FILENO, word, sizeof(word)) <= 0)
		return 2;
	conn = accept(fd, NULL, NULL);
	return conn >= 0 && secret_serve(conn) ? 0 : 3;
}

/* @one: accepts one, and then no other, beside a child without the listener */
static int one(int argc, char **argv)
{
	struct pollfd poll_fd = { .events = POLLIN };
	char c;

	(void)argc;
	(void)argv;
	if (!fork()) {
		while (read(STDIN_FILENO, &c, 1) > 0)
			;
		_exit(0);
	}
	poll_fd.fd = under_listen(UNDER_COVERED, 0);
	fcntl(poll_fd.fd, F_SETFL, O_NONBLOCK);
	printf("begun %d\n", getpid());
	do {
		poll(&poll_fd, 1, -1);
	} while (accept(poll_fd.fd, NULL, NULL) < 0);
	puts("accepted");
	pause();
	return 0;
}

UNDER_ROLES({ "@server", server }, { "@heir", heir }, { "@one", one })

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

/* From now on whoever makes a descriptor not block is killed. */
static int forbid_nonblock(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETFL, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_NONBLOCK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {
		.len = sizeof(code) / sizeof(code[0]), .filter = code,
	};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

/*
 * The flags of a listener that blocks are never other ones, as whoever else has it
 * would find nothing where it expects to wait.
 */
TEST_F(secret, accept__flags)
{
	int i;

	ASSERT_EQ(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	ASSERT_EQ(0, forbid_nonblock());
	START("@server");
	BEGUN();
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, secret_peer("hello"));
		LINE_IS("own hello");
	}
	EXPECT_EQ(0, secret_peer("end"));
	EXPECT_EQ(0, END());
}

#define CROWD	400

/* How many descriptors a process has; -1 if it cannot be told */
static int count_fds(pid_t pid)
{
	char path[64];
	DIR *dir;
	int n = -2;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -1;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* As secret_plain(), from another address */
static int plain_from(const char *host)
{
	struct sockaddr_in addr = under_addr(0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, host, &addr.sin_addr);
	if (bind(fd, (void *)&addr, sizeof(addr)))
		return -1;
	addr = under_addr(UNDER_COVERED);
	return connect(fd, (void *)&addr, sizeof(addr)) ? -1 : fd;
}

/* With NST: it has said that it has the box, and nothing else yet. */
static int dial_and_start(void)
{
	int fd = secret_dial(), i;
	struct nst_info info = { 0 };
	socklen_t len = sizeof(info);

	for (i = 0; fd >= 0 && !info.rx.started && i < LONG; i++) {
		usleep(1000);
		len = sizeof(info);
		if (getsockopt(fd, SOL_NST, NST_INFO, &info, &len))
			return -1;
	}
	return info.rx.started ? fd : -1;
}

/*
 * More than may wait: of these that have no box the oldest of the same host go,
 * and neither one that has it nor one from elsewhere.
 */
TEST_F(secret, accept__crowd)
{
	time_t since = time(NULL);
	int i, fds[CROWD], far, slow, stand;

	START("@server");
	BEGUN();
	far = plain_from("127.0.0.2");
	slow = dial_and_start();
	ASSERT_LE(0, far);
	ASSERT_LE(0, slow);
	for (i = 0; i < CROWD; i++) {
		fds[i] = secret_plain(UNDER_COVERED, 0);
		ASSERT_LE(0, fds[i]);
	}
	/* Behind this one all of them have been taken in. */
	EXPECT_EQ(0, secret_peer("hello"));
	EXPECT_GT(300, count_fds(under_child(self->under.pid)));
	i = nst_exchange(slow, NULL, LONG);
	stand = secret_state(far) == TCP_ESTABLISHED &&
		secret_state(fds[CROWD - 1]) == TCP_ESTABLISHED;
	/* Later than that all that are silent have gone anyway. */
	EXPECT_EQ(1, (!i && stand) || time(NULL) - since >= 9);
	EXPECT_EQ(1, secret_ended(fds[0]));
	/* A server that has only one thread may be at this one. */
	close(slow);
	EXPECT_EQ(0, secret_peer("end"));
	EXPECT_EQ(0, END());
	EXPECT_NE(NULL, strstr(self->said, "own end\n"));
	for (i = 0; i < CROWD; i++)
		close(fds[i]);
	close(far);
}

/*
 * The program goes, and its supervisor does not: so do those that waited for it,
 * also one whose keys are there, for which no time runs out.
 */
TEST_F(secret, accept__killed)
{
	int i, status, silent, fds[2];
	pid_t peers[2];

	START("@one");
	BEGUN();
	kill(self->program, SIGSTOP);
	silent = secret_dial();
	ASSERT_LE(0, silent);
	for (i = 0; i < 2; i++) {
		fds[i] = secret_dial();
		ASSERT_LE(0, fds[i]);
		peers[i] = fork();
		if (!peers[i])
			_exit(nst_exchange(fds[i], NULL, LONG) ? 1 : 0);
	}
	kill(self->program, SIGCONT);
	LINE_IS("accepted");
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(peers[i], waitpid(peers[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(TCP_ESTABLISHED, secret_state(fds[0]));
	EXPECT_EQ(TCP_ESTABLISHED, secret_state(fds[1]));
	kill(self->program, SIGKILL);
	EXPECT_EQ(1, secret_ended(fds[0]));
	EXPECT_EQ(1, secret_ended(fds[1]));
	EXPECT_EQ(1, secret_ended(silent));
	close(self->words[1]);
	END();
}

/* Is a call of the process held up? Its supervisor has a door for it then. */
static int is_accepting(pid_t supervisor)
{
	char path[300], what[64];
	struct dirent *entry;
	int events = 0, i;
	ssize_t n;
	DIR *dir;

	for (i = 0; events < 2 && i < LONG; i++) {
		usleep(1000);
		events = 0;
		snprintf(path, sizeof(path), "/proc/%d/fd", supervisor);
		dir = opendir(path);
		while (dir && (entry = readdir(dir))) {
			snprintf(path, sizeof(path), "/proc/%d/fd/%s",
				 supervisor, entry->d_name);
			n = readlink(path, what, sizeof(what) - 1);
			what[n > 0 ? n : 0] = 0;
			events += !strcmp(what, "anon_inode:[eventfd]");
		}
		if (dir)
			closedir(dir);
	}
	return events > 1;
}

/* Has it ended? Nobody waits for it. */
static int is_zombie(pid_t pid)
{
	char path[64], line[256], state = 0;
	FILE *file;
	int i;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	for (i = 0; state != 'Z' && i < LONG; i++) {
		usleep(1000);
		file = fopen(path, "r");
		while (file && fgets(line, sizeof(line), file))
			if (!strncmp(line, "State:\t", 7))
				state = line[7];
		if (file)
			fclose(file);
	}
	return state == 'Z';
}

/* A worker is killed in accept(): the connection is for the next one. */
TEST_F(secret, accept__killed_worker)
{
	pid_t supervisor;
	int fd;

	START("@heir");
	BEGUN();
	supervisor = under_parent(under_parent(self->program));
	ASSERT_EQ(1, is_accepting(supervisor));
	kill(supervisor, SIGSTOP);
	fd = secret_dial();
	ASSERT_LE(0, fd);
	kill(self->program, SIGKILL);
	EXPECT_EQ(1, is_zombie(self->program));
	kill(supervisor, SIGCONT);
	ASSERT_EQ(4, write(self->words[1], "word", 4));
	EXPECT_EQ(0, nst_exchange(fd, NULL, LONG));
	EXPECT_EQ(3, send(fd, "end", 3, MSG_NOSIGNAL));
	EXPECT_EQ(0, END());
	EXPECT_STREQ("own end\n", self->said);
	close(fd);
}

TEST_HARNESS_MAIN
