// SPDX-License-Identifier: GPL-2.0
/*
 * What nst-run's notify engine may not do, and where it does not work: without
 * seccomp or rights, in other namespaces; and what it refuses to the program.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lifetest.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

#define NO		"nst-run: the notify engine does not work here: "
#define NOBODY		65534

/* @exit N: by exit status */
static int leave(int argc, char **argv)
{
	(void)argc;
	return atoi(argv[1]);
}

/* @privs: what the program may become */
static int privs(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	prctl(PR_SET_DUMPABLE, 0);
	puts(under_dial(UNDER_COVERED) < 0 ? under_error(-1) : "0");
	return 0;
}

/* @elsewhere: from namespaces of its own and another root */
static int elsewhere(int argc, char **argv)
{
	int fd, status;

	(void)argc;
	(void)argv;
	mkdir("/tmp/empty", 0755);
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) || chroot("/tmp/empty") ||
	    chdir("/"))
		return 2;
	fflush(stdout);
	if (!fork()) {
		fd = under_dial(UNDER_COVERED);
		printf("%d %s\n", getpid(), fd < 0 ? under_error(-1) :
		       under_keyed(fd) ? "keyed" : "plain");
		_exit(0);
	}
	wait(&status);
	if (unshare(CLONE_NEWNET))
		return 3;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	printf("%s\n", under_error(connect(fd, (void *)&(struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(UNDER_COVERED),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	}, sizeof(struct sockaddr_in))));
	puts(under_keyed(fd) ? "keyed" : "plain");
	return 0;
}

static long old_call(long nr, long a, long b)
{
	long ret;

	/* As a program of 32 bits does it. */
	asm volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(0L)
		     : "memory");
	return ret;
}

static void word(long ret)
{
	printf("%s ", under_error(ret));
}

static void capset_none(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { 0 };

	syscall(SYS_capset, &head, none);
}

/* @refused: what is not there under nst-run */
static int refused(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	socklen_t len = sizeof(int);
	int mptcp, protocol = -1;
	char params[128] = "";

	(void)argc;
	word(syscall(SYS_io_uring_setup, 8, params));
	word(syscall(SYS_clone3, params, 88));
	word(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
	word(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, 4));
	word(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &one, 4));
	puts(under_error(sendto(fd, "x", 1, MSG_FASTOPEN, (void *)&addr,
				sizeof(addr))));
	word(socket(43, SOCK_STREAM, 0));
	/* x32: the kernel may have it or not */
	word(syscall(0x40000000 + SYS_connect, fd, &addr, sizeof(addr)));
	/* root without rights, and nst-run has all */
	capset_none();
	puts(under_error(socket(AF_PACKET, SOCK_RAW, IPPROTO_MPTCP)));
	mptcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	getsockopt(mptcp, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	printf("protocol %d cloexec %d ", protocol, fcntl(mptcp, F_GETFD));
	/* 20: getpid(); 359: socket(); 102: socketcall(SYS_CONNECT) */
	if (atoi(argv[1]) && old_call(20, 0, 0) > 0)
		printf("%ld %ld\n", old_call(359, AF_INET, SOCK_STREAM),
		       old_call(102, 3, 0));
	else
		puts("-1 -1");
	return 0;
}

static void say_dial(void)
{
	int fd = under_dial(UNDER_COVERED);

	puts(fd < 0 ? under_error(-1) : under_keyed(fd) ? "keyed" : "plain");
	fflush(stdout);
}

/* @apart thread|files: a thread behind its first one, or with files of its own */
static void *apart(void *how)
{
	pid_t pid = getpid();
	char state = 0;
	FILE *file;

	if (!strcmp(how, "files")) {
		if (unshare(CLONE_FILES))
			_exit(2);
		say_dial();
		_exit(0);
	}
	while (state != 'Z') {
		file = fopen("/proc/self/stat", "r");
		if (!file || fscanf(file, "%*d %*s %c", &state) != 1)
			_exit(3);
		fclose(file);
	}
	if (getpid() != pid)
		_exit(4);
	say_dial();
	_exit(0);
}

static int be_apart(int argc, char **argv)
{
	pthread_t thread;

	(void)argc;
	if (pthread_create(&thread, NULL, apart, argv[1]))
		return 1;
	if (!strcmp(argv[1], "thread"))
		syscall(SYS_exit, 0);
	pthread_join(thread, NULL);
	return 5;
}

/* @numbered: nst-run where /proc is that of another namespace of processes */
static int numbered(int argc, char **argv)
{
	int status = 0;

	(void)argc;
	(void)argv;
	if (unshare(CLONE_NEWPID))
		return 1;
	if (!fork()) {
		execlp("nst-run", "nst-run", "--engine", "notify", "--tcp",
		       "7100", "--", "sh", "-c", ":", NULL);
		_exit(99);
	}
	wait(&status);
	return WEXITSTATUS(status);
}

#define DOOR		"/tmp/only-root"

static void *idle(void *unused)
{
	pause();
	return unused;
}

/* @closed: a program that gives up what its supervisor has */
static int closed(int argc, char **argv)
{
	struct sockaddr_un addr = { AF_UNIX, DOOR };
	pthread_t thread;
	int fd;

	(void)argc;
	(void)argv;
	pthread_create(&thread, NULL, idle, NULL);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	puts(under_error(connect(fd, (void *)&addr, sizeof(addr))));
	capset_none();
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	puts(under_error(connect(fd, (void *)&addr, sizeof(addr))));
	return 0;
}

/* @ambient: nst-run @closed, not as root, but with a right of root's */
static int ambient(int argc, char **argv)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct caps[2] = { 0 };
	char self[200] = "";

	(void)argc;
	(void)argv;
	caps[0].permitted = 1U << CAP_DAC_OVERRIDE;
	caps[0].effective = caps[0].permitted;
	caps[0].inheritable = caps[0].permitted;
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 ||
	    prctl(PR_SET_KEEPCAPS, 1) || setgid(NOBODY) || setuid(NOBODY) ||
	    syscall(SYS_capset, &head, caps) ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0))
		return 1;
	execlp("nst-run", "nst-run", "--engine", "notify", "--tcp", "7100",
	       "--", self, "@closed", NULL);
	return 2;
}

UNDER_ROLES({ "@exit", leave }, { "@privs", privs },
	    { "@elsewhere", elsewhere }, { "@refused", refused },
	    { "@apart", be_apart }, { "@numbered", numbered },
	    { "@closed", closed }, { "@ambient", ambient })

TEST_F(life, start__without_seccomp)
{
	/* seccomp() is EPERM */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, code };

	ASSERT_EQ(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	ASSERT_EQ(0, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
	EXPECT_EQ(125, RUN("@exit 0"));
	EXPECT_STREQ(NO "seccomp is forbidden here\n", self->said);
}

TEST_F(life, start__under_another)
{
	char self_path[200] = "", options[512];

	ASSERT_LT(0, readlink("/proc/self/exe", self_path, 199));
	snprintf(options, sizeof(options), "%s -- nst-run %s", OPTIONS, OPTIONS);
	EXPECT_EQ(125, under_run(options, "@exit 0", self->said,
				 sizeof(self->said)));
	EXPECT_STREQ(NO "its calls have a supervisor already, as in another nst-run\n",
		     self->said);
}

TEST_F(life, start__no_program)
{
	EXPECT_EQ(127, system("nst-run --engine notify --tcp 7100 -- /none 2>/dev/null") >> 8);
	EXPECT_EQ(126, system("nst-run --engine notify --tcp 7100 -- /tmp 2>/dev/null") >> 8);
}

TEST_F(life, privs__of_root)
{
	self->listener = under_listen(UNDER_COVERED, 1);
	EXPECT_EQ(0, RUN("@privs"));
	EXPECT_STREQ("0\n0\n", self->said);
}

TEST_F(life, privs__of_nobody)
{
	self->listener = under_listen(UNDER_COVERED, 1);
	ASSERT_EQ(0, under_start(&self->under, NOBODY, OPTIONS, "@privs"));
	EXPECT_EQ(0, END());
	EXPECT_EQ(0, strncmp(self->said, "1\n", 2));
	EXPECT_NE(NULL, strstr(self->said, "EACCES\n"));
	EXPECT_NE(NULL, strstr(self->said, "not dumpable"));
}

TEST_F(life, namespaces__of_the_program)
{
	self->listener = under_listen(UNDER_COVERED, 1);
	EXPECT_EQ(0, RUN("@elsewhere"));
	EXPECT_EQ(0, strncmp(self->said, "1 keyed\n", 8));
	EXPECT_NE(NULL, strstr(self->said, "\nENETUNREACH\nkeyed\n"));
	/* The other network namespace has no box. */
	EXPECT_NE(NULL, strstr(self->said, " goes on without a key"));
}

/* The kernel can look there since 6.9. */
TEST_F(life, apart__from_the_first)
{
	self->listener = under_listen(UNDER_COVERED, 1);
	EXPECT_EQ(0, RUN("@apart thread"));
	if (!strstr(self->said, "keyed\n")) {
		EXPECT_NE(NULL, strstr(self->said, "EACCES\n"));
		EXPECT_NE(NULL, strstr(self->said, "before Linux 6.9"));
	}
	EXPECT_EQ(0, RUN("@apart files"));
	if (!strstr(self->said, "keyed\n")) {
		EXPECT_NE(NULL, strstr(self->said, "EACCES\n"));
		EXPECT_NE(NULL, strstr(self->said, "before Linux 6.9"));
	}
}

TEST_F(life, start__proc_of_others)
{
	EXPECT_EQ(125, under_run(NULL, "@numbered", self->said,
				 sizeof(self->said)));
	EXPECT_NE(NULL, strstr(self->said, "needs a /proc of this PID namespace"));
}

TEST_F(life, privs__given_up)
{
	struct sockaddr_un addr = { AF_UNIX, DOOR };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	unlink(DOOR);
	ASSERT_EQ(0, bind(fd, (void *)&addr, sizeof(addr)));
	ASSERT_EQ(0, listen(fd, 5));
	ASSERT_EQ(0, chmod(DOOR, 0));
	EXPECT_EQ(0, under_run(NULL, "@ambient", self->said,
			       sizeof(self->said)));
	EXPECT_STREQ("0\nEACCES\n", self->said);
	close(fd);
}

TEST_F(life, refused__what_goes_by)
{
	int uml = !system("grep -q 'User Mode Linux' /proc/cpuinfo");

	EXPECT_EQ(0, RUN(uml ? "@refused 0" : "@refused 1"));
	EXPECT_STREQ("ENOSYS ENOSYS EPERM ENOPROTOOPT ENOPROTOOPT EOPNOTSUPP\n"
		     "EAFNOSUPPORT ENOSYS EPERM\n"
		     "protocol 6 cloexec 1 -1 -1\n",
		     self->said);
}

TEST_HARNESS_MAIN
