// SPDX-License-Identifier: GPL-2.0
/*
 * afsock [-n] [-f FAMILY] COMMAND...: sockets of a protocol family, for
 * af_nst.sh. -n: as nobody.
 *
 *   open TYPE PROTOCOL [SECONDS]  says "ready" and stays, or the errno's name
 *   listen TYPE PROTOCOL SECONDS  the same, but says the port it is bound to
 *   refused                       sockets that must not be made, and are not
 *   churn SECONDS                 makes and closes sockets in four threads
 *   fail TYPE PROTOCOL            makes one while each allocation of that fails
 *				   in turn
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/nst.h>

#define NOBODY		65534
#define THREADS		4
#define NTH_MAX		1000	/* allocations of one socket(), by far */

static int family = AF_NST;

static int tell_errno(void)
{
	puts(strerrorname_np(errno));
	return 1;
}

static int open_one(char **argv)
{
	int fd = socket(family, atoi(argv[0]), atoi(argv[1]));

	if (fd < 0)
		return tell_errno();
	puts("ready");
	fflush(stdout);
	if (argv[2])
		sleep(atoi(argv[2]));
	return 0;
}

static int listen_one(char **argv)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int type = atoi(argv[0]), protocol = atoi(argv[1]);
	int fd = socket(family, type, protocol);
	socklen_t len = sizeof(sin6);
	int ret;

	if (fd < 0)
		return tell_errno();
	if (protocol == AF_INET6)
		ret = bind(fd, (void *)&sin6, sizeof(sin6));
	else
		ret = bind(fd, (void *)&sin, sizeof(sin));
	if (ret || (type == SOCK_STREAM && listen(fd, 1)) ||
	    getsockname(fd, (void *)&sin6, &len))
		return tell_errno();
	printf("%d\n", ntohs(sin6.sin6_port));
	fflush(stdout);
	sleep(atoi(argv[2]));
	return 0;
}

static int refused(void)
{
	struct rlimit none = { 0 };
	int i, fds[2], bad = 0;

	for (i = 0; i < 32; i++) {
		bad += socket(family, SOCK_RAW, i) >= 0;
		bad += socket(family, SOCK_SEQPACKET, i) >= 0;
		bad += socket(family, SOCK_STREAM, 1000 + i) >= 0;
		bad += socketpair(family, SOCK_STREAM, 0, fds) >= 0;
		bad += socketpair(family, SOCK_DGRAM, 0, fds) >= 0;
	}
	setrlimit(RLIMIT_NOFILE, &none);
	for (i = 0; i < 32; i++) {
		bad += socket(family, SOCK_STREAM, AF_INET6) >= 0;
		bad += socket(family, SOCK_DGRAM, AF_INET6) >= 0;
	}
	return !!bad;
}

struct churn {
	time_t end;
	unsigned long made;
	unsigned long none;	/* while the module is away */
	int error;
};

/* All threads rest for every other quarter of a second, or none would ever. */
static bool may_rest(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_nsec / 250000000 % 2;
}

static void *churn_thread(void *arg)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	static const int protocols[] = { 0, AF_INET6, AF_INET };
	struct churn *churn = arg;
	unsigned int i;
	int fd;

	for (i = 0; time(NULL) < churn->end; i++) {
		fd = socket(family, types[i % 2], protocols[i % 3]);
		if (fd >= 0)
			churn->made++;
		else if (errno == EAFNOSUPPORT)
			churn->none++;
		else
			churn->error = errno;
		if (fd >= 0)
			close(fd);
		while (may_rest())
			usleep(10000);
	}
	return NULL;
}

static int churn(int seconds)
{
	struct churn work[THREADS] = { 0 };
	unsigned long made = 0, none = 0;
	pthread_t thread[THREADS];
	int i, error = 0;

	for (i = 0; i < THREADS; i++) {
		work[i].end = time(NULL) + seconds;
		if (pthread_create(&thread[i], NULL, churn_thread, &work[i]))
			return 1;
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		made += work[i].made;
		none += work[i].none;
		error = work[i].error ?: error;
	}
	printf("made %lu, not there %lu\n", made, none);
	errno = error;
	return error ? tell_errno() : !made;
}

/*
 * The kernel's fail-nth: the Nth thing of this thread that can fail does. Says
 * whether it has; reading that from the kernel can fail in its place.
 */
static bool disarm(int fd)
{
	char text[16] = "1";
	ssize_t n;

	n = pread(fd, text, sizeof(text) - 1, 0);
	while (pwrite(fd, "0", 1, 0) != 1)
		;
	return n > 0 && !atoi(text);
}

static int fail_each(char **argv)
{
	int type = atoi(argv[0]), protocol = atoi(argv[1]);
	int nth, fd, len, failed = 0, error;
	int arm = open("/proc/thread-self/fail-nth", O_RDWR);
	bool again = true;
	char text[16];

	if (arm < 0)
		return tell_errno();
	for (nth = 1; again && nth < NTH_MAX; nth++) {
		len = snprintf(text, sizeof(text), "%d", nth);
		if (pwrite(arm, text, len, 0) != len)
			return tell_errno();
		fd = socket(family, type, protocol);
		error = errno;
		again = disarm(arm);
		if (fd >= 0) {
			close(fd);
			continue;
		}
		failed++;
		errno = error;
		if (error != ENOMEM && error != ENFILE && error != ENOBUFS)
			return tell_errno();
	}
	printf("%d of %d failed\n", failed, nth - 1);
	return nth == NTH_MAX || failed < 3;
}

int main(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "+nf:")) > 0) {
		if (opt == 'f')
			family = atoi(optarg);
		else if (opt != 'n' || setgroups(0, NULL) || setgid(NOBODY) ||
			 setuid(NOBODY))
			return 2;
	}
	argv += optind;
	argc -= optind;
	if (argc >= 3 && !strcmp(argv[0], "open"))
		return open_one(argv + 1);
	if (argc == 4 && !strcmp(argv[0], "listen"))
		return listen_one(argv + 1);
	if (argc == 1 && !strcmp(argv[0], "refused"))
		return refused();
	if (argc == 2 && !strcmp(argv[0], "churn"))
		return churn(atoi(argv[1]));
	if (argc == 3 && !strcmp(argv[0], "fail"))
		return fail_each(argv + 1);
	fputs("usage: see afsock.c\n", stderr);
	return 2;
}
