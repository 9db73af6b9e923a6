// SPDX-License-Identifier: GPL-2.0
/*
 * nst-run's notify engine as a process: how it starts, or does not; what it does
 * with signals and ends; what its death does to the program; and what it refuses.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "nsttest.h"
#include "undertest.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

#define OPTIONS		"--engine notify --tcp 7100"
#define NO		"nst-run: the notify engine does not work here: "
#define NOBODY		65534
#define LONG		(nsttest_patience(20) * 1000)

static const char *error_name(long ret)
{
	return ret < 0 ? strerrorname_np(errno) : "0";
}

static int dial(int port)
{
	struct sockaddr_in addr = under_addr(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!connect(fd, (void *)&addr, sizeof(addr)))
		return fd;
	close(fd);
	return -1;
}

/* Nobody answers at 10.77.0.2, and nobody says that nobody does. */
static int make_dummy(void)
{
	/* An earlier test may have made it. */
	if (!system("ip link show dummy0 >/tmp/dummy 2>&1"))
		return 0;
	return system("ip link add dummy0 type dummy") ||
		system("ip addr add 10.77.0.1/24 dev dummy0") ||
		system("ip link set dummy0 up arp off");
}

static int dial_silence(int timeout)
{
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	struct timeval tv = { .tv_sec = timeout };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	addr.sin_addr.s_addr = htonl(0x0a4d0002);
	if (timeout)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	return connect(fd, (void *)&addr, sizeof(addr));
}

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

/* Until "ss" sees a connection that is begun, or none: @none */
static int within(int none)
{
	int i;

	for (i = 0; i < 100 * nsttest_patience(20); i++) {
		if (!system("ss -Htan state syn-sent | grep -q 7100") == !none)
			return 0;
		usleep(10000);
	}
	return -1;
}

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
		fd = dial(UNDER_COVERED);
		if (fd < 0)
			break;
		n++;
		close(fd);
	}
	puts(error_name(-1));
	return errno == ENOSYS ? 0 : 1;
}

/* @silence TIMEOUT: one connect() that blocks */
static int block(int argc, char **argv)
{
	(void)argc;
	puts("begun");
	puts(error_name(dial_silence(atoi(argv[1]))));
	return 0;
}

/* @child: a child whose connect() blocks */
static int block_child(int argc, char **argv)
{
	pid_t child = fork();

	(void)argc;
	(void)argv;
	if (!child) {
		dial_silence(0);
		_exit(1);
	}
	printf("%d\n", child);
	pause();
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
	ret = dial_silence(restart ? 60 : 0);
	puts(error_name(ret));
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
		within(0);
		kill(parent, SIGUSR1);
		/* Until it has seen one, however slow all this is */
		for (;;) {
			usleep(500000);
			kill(parent, SIGUSR2);
		}
	}
	puts(error_name(dial_silence(0)));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	/* The first one did not end it. */
	return signals > 1 ? 0 : 1;
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
		fds[i] = dial(UNDER_COVERED);
		if (fds[i] < 0)
			break;
		keyed += under_keyed(fds[i]);
	}
	printf("%d %d %s\n", i, keyed, error_name(i < n ? -1 : 0));
	pause();
	return 0;
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

/* @privs: what the program may become */
static int privs(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	prctl(PR_SET_DUMPABLE, 0);
	puts(dial(UNDER_COVERED) < 0 ? error_name(-1) : "0");
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
		fd = dial(UNDER_COVERED);
		printf("%d %s\n", getpid(), fd < 0 ? error_name(-1) :
		       under_keyed(fd) ? "keyed" : "plain");
		_exit(0);
	}
	wait(&status);
	if (unshare(CLONE_NEWNET))
		return 3;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	printf("%s\n", error_name(connect(fd, (void *)&(struct sockaddr_in){
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
	printf("%s ", error_name(ret));
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
	puts(error_name(sendto(fd, "x", 1, MSG_FASTOPEN, (void *)&addr,
			       sizeof(addr))));
	word(socket(43, SOCK_STREAM, 0));
	/* x32: the kernel may have it or not */
	word(syscall(0x40000000 + SYS_connect, fd, &addr, sizeof(addr)));
	/* root without rights, and nst-run has all */
	capset_none();
	puts(error_name(socket(AF_PACKET, SOCK_RAW, IPPROTO_MPTCP)));
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

UNDER_ROLES({ "@exit", leave }, { "@killed", leave }, { "@calls", calls },
	    { "@silence", block }, { "@child", block_child }, { "@alarm", alarmed },
	    { "@restart", restarted }, { "@many", many },
	    { "@signal", signalled }, { "@daemon", leave_behind },
	    { "@quiet", leave_quiet }, { "@accept", accept_one },
	    { "@privs", privs }, { "@elsewhere", elsewhere },
	    { "@refused", refused }, { "@pids", pids })

FIXTURE(life) {
	struct under under;
	char said[8192], line[256];
	int listener;
};

FIXTURE_SETUP(life)
{
	ASSERT_EQ(0, under_box());
	self->listener = -1;
}

FIXTURE_TEARDOWN(life)
{
	close(self->listener);
}

#define RUN(role)	under_run(OPTIONS, role, self->said, sizeof(self->said))
#define END()		under_end(&self->under, self->said, sizeof(self->said))
#define START(role)	ASSERT_EQ(0, under_start(&self->under, 0, OPTIONS, role))
#define LINE()		ASSERT_EQ(0, under_line(&self->under, self->line, \
						sizeof(self->line)))

TEST_F(life, end__as_the_program)
{
	EXPECT_EQ(0, RUN("@exit 0"));
	EXPECT_EQ(42, RUN("@exit 42"));
	EXPECT_EQ(128 + SIGTERM, RUN("@killed 15"));
	EXPECT_EQ(128 + SIGKILL, RUN("@killed 9"));
	EXPECT_EQ(128 + SIGUSR1, RUN("@killed 10"));
}

TEST_F(life, signal__passed_on)
{
	int sigs[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGRTMIN + 3 };
	unsigned int i;

	for (i = 0; i < 6; i++) {
		START("@signal");
		LINE();
		kill(self->under.pid, sigs[i]);
		EXPECT_EQ(0, END());
		EXPECT_EQ(sigs[i], atoi(self->said));
	}
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
	fd = dial(UNDER_COVERED);
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
	fd = dial(UNDER_COVERED);
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
	ASSERT_EQ(0, make_dummy());
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
	ASSERT_EQ(0, make_dummy());
	START("@child");
	LINE();
	EXPECT_EQ(0, within(0));
	EXPECT_EQ(0, kill(atoi(self->line), SIGKILL));
	EXPECT_EQ(0, within(1));
	kill(self->under.pid, SIGTERM);
	END();
}

TEST_F(life, signal__ends_connect)
{
	ASSERT_EQ(0, make_dummy());
	EXPECT_EQ(0, RUN("@alarm 0 0"));
	EXPECT_STREQ("EINTR\n", self->said);
	EXPECT_EQ(0, RUN("@alarm 0 1"));
	EXPECT_STREQ("EINTR\n", self->said);
	EXPECT_EQ(0, RUN("@alarm 1 0"));
	EXPECT_STREQ("EINTR\n", self->said);
}

TEST_F(life, signal__begins_connect_anew)
{
	ASSERT_EQ(0, make_dummy());
	EXPECT_EQ(0, RUN("@restart"));
	EXPECT_STREQ("EINTR\n", self->said);
}

TEST_F(life, timeout__of_connect)
{
	ASSERT_EQ(0, make_dummy());
	EXPECT_EQ(0, RUN("@silence 1"));
	EXPECT_STREQ("begun\nEINPROGRESS\n", self->said);
}

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

TEST_F(life, refused__what_goes_by)
{
	int uml = !system("grep -q 'User Mode Linux' /proc/cpuinfo");

	EXPECT_EQ(0, RUN(uml ? "@refused 0" : "@refused 1"));
	EXPECT_STREQ("ENOSYS ENOSYS EPERM ENOPROTOOPT ENOPROTOOPT EOPNOTSUPP\n"
		     "EAFNOSUPPORT ENOSYS EPERM\n"
		     "protocol 6 cloexec 1 -1 -1\n",
		     self->said);
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
