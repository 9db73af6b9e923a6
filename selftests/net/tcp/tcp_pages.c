// SPDX-License-Identifier: GPL-2.0
/*
 * A program's memory in the hands of NST: what is received into it stays the
 * program's own whoever forks meanwhile, and memory that cannot be pinned does as
 * on a plain socket.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#define PAGE		4096
#define PAGES		8
#define AREA		(PAGES * PAGE)

#ifndef __NR_memfd_secret
#define __NR_memfd_secret	447
#endif

FIXTURE(pages)
{
	int a;
	int b;
};

FIXTURE_VARIANT(pages)
{
	struct tcptest_conf conf;
};

TCPTEST_VARIANTS_FEW(pages);

FIXTURE_SETUP(pages)
{
	ASSERT_EQ(0, tcptest_pair(&variant->conf, &self->a, &self->b));
	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	ASSERT_EQ(0, tcptest_record_max(self->a, NST_RECORD_MAX_MAX));
}

FIXTURE_TEARDOWN(pages)
{
	close(self->a);
	close(self->b);
}

/* --- a fork() in the middle of recv() ------------------------------------- */

/* Who answers the page fault, and forks first. */
struct forker {
	int uffd;
	char *page;
	pid_t child;
	int err;
};

static void *fork_at_fault(void *arg)
{
	struct forker *f = arg;
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)f->page, .len = PAGE },
	};
	struct uffd_msg msg;

	if (read(f->uffd, &msg, sizeof(msg)) != sizeof(msg)) {
		f->err = -errno;
		return NULL;
	}
	f->child = fork();
	if (!f->child) {
		/* Keeps what it got by the fork. */
		pause();
		_exit(0);
	}
	f->err = ioctl(f->uffd, UFFDIO_ZEROPAGE, &zero) ? -errno : 0;
	return NULL;
}

/* The last page of @area is missing, and is answered for in user space. */
static int catch_faults(struct forker *f, char *area)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)area + AREA - PAGE,
			   .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	f->page = area + AREA - PAGE;
	f->uffd = syscall(__NR_userfaultfd, O_CLOEXEC);
	if (f->uffd < 0 || ioctl(f->uffd, UFFDIO_API, &api) ||
	    ioctl(f->uffd, UFFDIO_REGISTER, &reg))
		return -errno;
	return 0;
}

static void *map_area(void)
{
	return mmap(NULL, AREA, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

TEST_F(pages, fork_during_recv)
{
	char *area = map_area();
	struct forker f = {};
	pthread_t thread;

	ASSERT_NE(MAP_FAILED, area);
	if (catch_faults(&f, area))
		SKIP(return, "this kernel has no userfaultfd");
	memset(area, 0xee, AREA - PAGE);
	ASSERT_EQ(0, tcptest_send(self->a, 0, AREA, AREA));
	ASSERT_EQ(0, tcptest_arrived(self->b, AREA));
	ASSERT_EQ(0, pthread_create(&thread, NULL, fork_at_fault, &f));
	EXPECT_EQ(AREA, recv(self->b, area, AREA, 0));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, f.err);
	EXPECT_TRUE(tcptest_same(area, AREA, 0));
	kill(f.child, SIGKILL);
	EXPECT_EQ(f.child, waitpid(f.child, NULL, 0));
	EXPECT_TRUE(tcptest_same(area, AREA, 0));
	close(f.uffd);
	munmap(area, AREA);
}

/* Another thread forks and writes all the time. */
struct busy {
	char *area;
	bool stop;
};

static void *fork_always(void *arg)
{
	struct busy *busy = arg;
	pid_t pid;

	while (!__atomic_load_n(&busy->stop, __ATOMIC_RELAXED)) {
		pid = fork();
		if (!pid) {
			usleep(1000);
			_exit(0);
		}
		/* The page is written to, so one of the two gets a copy. */
		(*(volatile char *)busy->area)++;
		waitpid(pid, NULL, 0);
	}
	return NULL;
}

TEST_F_TIMEOUT(pages, forks_beside_recv, 60)
{
	struct busy busy = { .area = map_area() };
	pthread_t thread;
	int i, wrong = 0;

	ASSERT_NE(MAP_FAILED, busy.area);
	ASSERT_EQ(0, pthread_create(&thread, NULL, fork_always, &busy));
	for (i = 0; i < 100; i++) {
		memset(busy.area + 64, 0, 2 * PAGE);
		ASSERT_EQ(0, tcptest_send(self->a, i, 2 * PAGE, 2 * PAGE));
		ASSERT_EQ(2 * PAGE, recv(self->b, busy.area + 64, 2 * PAGE,
					 MSG_WAITALL));
		wrong += !tcptest_same(busy.area + 64, 2 * PAGE, i);
	}
	EXPECT_EQ(0, wrong);
	__atomic_store_n(&busy.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	munmap(busy.area, AREA);
}

/* --- memory that cannot be pinned ------------------------------------------ */

/* All of @area, and pieces of it that begin and end within pages. */
static void both_ways(struct __test_metadata *_metadata, int a, int b,
		      char *area)
{
	static const struct { size_t at, len; } parts[] = {
		{ 0, AREA }, { 0, PAGE }, { 100, PAGE }, { 4095, 2 * PAGE + 2 },
		{ 7, 100 }, { 1, AREA - 2 },
	};
	static char own[AREA];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t at = parts[i].at, len = parts[i].len;

		memset(area, 0, AREA);
		ASSERT_EQ(0, tcptest_send(a, i, len, len));
		ASSERT_EQ(len, recv(b, area + at, len, MSG_WAITALL));
		EXPECT_TRUE(tcptest_same(area + at, len, i));
		tcptest_fill(area + at, len, i + 7);
		ASSERT_EQ(len, send(a, area + at, len, 0));
		ASSERT_EQ(len, recv(b, own, len, MSG_WAITALL));
		EXPECT_TRUE(tcptest_same(own, len, i + 7));
	}
}

/* Pages that can be pinned beside those that cannot, in one call. */
static void mixed(struct __test_metadata *_metadata, int a, int b, char *area)
{
	static char own[2 * PAGE], in[AREA];
	struct iovec iov[] = {
		{ own, sizeof(own) }, { area, 2 * PAGE }, { in, PAGE },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };
	const size_t len = 5 * PAGE;

	ASSERT_EQ(0, tcptest_send(a, 3, len, len));
	ASSERT_EQ(len, recvmsg(b, &msg, MSG_WAITALL));
	EXPECT_TRUE(tcptest_same(own, 2 * PAGE, 3));
	EXPECT_TRUE(tcptest_same(area, 2 * PAGE, 3 + 2 * PAGE));
	EXPECT_TRUE(tcptest_same(in, PAGE, 3 + 4 * PAGE));
	ASSERT_EQ(len, sendmsg(a, &msg, 0));
	ASSERT_EQ(len, recv(b, in, len, MSG_WAITALL));
	EXPECT_TRUE(tcptest_same(in, len, 3));
}

TEST_F(pages, of_a_driver)
{
	char *area;
	int fd;

	ASSERT_EQ(0, system("modprobe nst_pages"));
	fd = open("/proc/nst_pages", O_RDWR);
	ASSERT_LE(0, fd);
	area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, area);
	both_ways(_metadata, self->a, self->b, area);
	mixed(_metadata, self->a, self->b, area);
	munmap(area, AREA);
	close(fd);
	EXPECT_EQ(0, system("rmmod nst_pages"));
}

TEST_F(pages, that_are_secret)
{
	int fd = syscall(__NR_memfd_secret, O_CLOEXEC);
	char *area;

	if (fd < 0)
		SKIP(return, "this kernel has no secret memory");
	ASSERT_EQ(0, ftruncate(fd, AREA));
	area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, area);
	both_ways(_metadata, self->a, self->b, area);
	mixed(_metadata, self->a, self->b, area);
	munmap(area, AREA);
	close(fd);
}

/* What nobody may write to is EFAULT, and the bytes stay for the next call. */
TEST_F(pages, that_are_read_only)
{
	static char in[AREA];
	char *area = map_area();

	ASSERT_NE(MAP_FAILED, area);
	ASSERT_EQ(0, mprotect(area + PAGE, AREA - PAGE, PROT_READ));
	ASSERT_EQ(0, tcptest_send(self->a, 0, AREA, AREA));
	ASSERT_EQ(-1, recv(self->b, area + PAGE, AREA - PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(AREA, recv(self->b, in, AREA, MSG_WAITALL));
	EXPECT_TRUE(tcptest_same(in, AREA, 0));
	munmap(area, AREA);
}

TEST_HARNESS_MAIN
