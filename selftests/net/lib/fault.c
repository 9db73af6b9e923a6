// SPDX-License-Identifier: GPL-2.0
/* What the tests of failing calls share. See fault.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "faultwire.h"

#define PARAM		"/sys/module/nst_ulp/parameters/"
#define DEBUGFS		"/sys/kernel/debug/"
/* No life has so many calls: something goes round in circles. */
#define CALLS_MAX	20000
#define BAD		2	/* exit status of a child whose life was not as it must be */

/* By whom the Nth call is counted that fails, and how many behind it. */
struct count {
	const char *name;
	bool task;	/* by the kernel, of all below the child's system calls */
	int times;	/* else by the module, of its own */
};

static const struct count counts[] = {
	{ "module", false, 1 }, { "thrice", false, 3 }, { "task", true, 1 },
};

/* In a child: where its own count is, and what is left of it. */
static int task_fd = -1;
static int task_left;

static void where(char *text, size_t size)
{
	int fd = open(PARAM "fault_where", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	close(fd);
}

int fault_failed(const char *what, int err)
{
	char text[160];

	where(text, sizeof(text));
	printf("# %s: %s (%s)\n", what, strerror(err), text);
	fflush(stdout);
	return -err;
}

bool fault_clean(int err)
{
	switch (err) {
	case ENOMEM:
	case ENOBUFS:
	case EAGAIN:
		return true;
	case EFAULT:
	case ENFILE:
	case EADDRINUSE:
		/* the kernel fails copies from and to a program, files and ports, too */
		return task_fd >= 0;
	default:
		return false;
	}
}

void fault_enter(void)
{
	char text[16];
	int len;

	if (task_fd < 0 || !task_left)
		return;
	len = snprintf(text, sizeof(text), "%d", task_left);
	if (pwrite(task_fd, text, len, 0) != len)
		task_left = 0;
}

/* The call that reads the count may be what fails; then nothing has failed before. */
void fault_leave(void)
{
	int err = errno;
	char text[16];
	ssize_t n;

	if (task_fd < 0 || !task_left)
		return;
	n = pread(task_fd, text, sizeof(text) - 1, 0);
	task_left = n > 0 ? atoi(text) : 1;
	while (pwrite(task_fd, "0", 1, 0) != 1)
		;
	errno = err;
}

static int write_param(const char *path, int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	return nsttest_write_file(path, text);
}

static int arm(const struct count *count, int n)
{
	if (count->task)
		return 0;
	return write_param(PARAM "fault_times", count->times) ?:
	       write_param(PARAM "fault_nth", n);
}

/* In the child. Its exit status tells whether its own count came to the end. */
static void live(const struct fault_life *life, const struct count *count,
		 int n)
{
	int ret;

	if (count->task) {
		task_left = n;
		task_fd = open("/proc/thread-self/fail-nth", O_RDWR);
		if (task_fd < 0)
			_exit(BAD);
	}
	alarm(nsttest_patience(60));
	ret = life->live();
	fflush(stdout);
	if (ret < 0 || (ret == FAULT_ENDED && !life->may_end))
		_exit(BAD);
	_exit(ret | (task_left ? 0x10 : 0));
}

struct tally {
	int whole;
	int ended;
	int bad;
};

/* All that the life held is given back, also what a worker or RCU frees. */
static bool users_are(long want)
{
	int i;

	for (i = 0; i < 1000; i++) {
		if (nsttest_number(NSTTEST_USERS) == want)
			return true;
		usleep(10000);
	}
	return false;
}

/* Returns true if the Nth call is there, and failed. */
static bool once(const struct fault_life *life, const struct count *count,
		 int n, struct tally *tally)
{
	long users = nsttest_number(NSTTEST_USERS);
	int status, left;
	bool good;
	pid_t pid;

	arm(count, n);
	pid = fork();
	if (!pid)
		live(life, count, n);
	waitpid(pid, &status, 0);
	good = WIFEXITED(status) && WEXITSTATUS(status) != BAD;
	if (!users_are(users))
		good = false, fault_failed("module is held", EBUSY);
	left = count->task ? good && WEXITSTATUS(status) & 0x10 :
		      nsttest_number(PARAM "fault_nth") > 0;
	arm(count, 0);
	if (faultwire_plaintext())
		good = false, fault_failed("plaintext on the wire", EPROTO);
	if (!good) {
		printf("# %s_%s: call %d, status %x\n", life->name,
		       count->name, n, status);
		tally->bad++;
	} else if (WEXITSTATUS(status) & FAULT_ENDED) {
		tally->ended++;
	} else {
		tally->whole++;
	}
	return !left;
}

static int set_failslab(void)
{
	static const char *const attr[][2] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/verbose", "0" },
		{ "fail_usercopy/verbose", "0" },
	};
	char path[96];
	size_t i;

	for (i = 0; i < sizeof(attr) / sizeof(attr[0]); i++) {
		snprintf(path, sizeof(path), DEBUGFS "%s", attr[i][0]);
		if (nsttest_write_file(path, attr[i][1]))
			return -1;
	}
	return 0;
}

/* Lives with every call failing once, and tells the result as number @nr. */
static bool all_of(const struct fault_life *life, const struct count *count,
		   int nr)
{
	struct tally tally = {};
	int n;

	/* First with none failing: what a life does only once is done. */
	once(life, count, 0, &tally);
	for (n = 1; n < CALLS_MAX && once(life, count, n, &tally); n++)
		if (tally.bad > 20)
			break;
	printf("# %s: %d calls failed, %d lives whole, %d ended, %d bad\n",
	       life->name, n - 1, tally.whole, tally.ended, tally.bad);
	/* There are some, or nothing was tested. */
	printf("%s %d %s_%s\n", tally.bad || n < 5 || n == CALLS_MAX ? "not ok" : "ok",
	       nr, life->name, count->name);
	fflush(stdout);
	return !tally.bad && n >= 5 && n < CALLS_MAX;
}

int fault_main(const struct fault_life *lives, int nr)
{
	const int kinds = sizeof(counts) / sizeof(counts[0]);
	int i, k, plan = 0;
	bool ok = true;

	for (i = 0; i < nr; i++)
		plan += kinds - lives[i].module_only;
	printf("1..%d\n", plan);
	if (arm(&counts[0], 0) || set_failslab() || faultwire_open()) {
		printf("Bail out! no kernel and module that fail on demand\n");
		return 1;
	}
	for (i = 0, plan = 0; i < nr; i++)
		for (k = 0; k < kinds; k++)
			if (!counts[k].task || !lives[i].module_only)
				ok &= all_of(&lives[i], &counts[k], ++plan);
	return !ok;
}

void fault_secret(uint8_t *key)
{
	if (getrandom(key, NST_KEY_SIZE, 0) != NST_KEY_SIZE)
		abort();
}

int fault_install(int fd, const struct fault_keys *keys, uint32_t role)
{
	struct nsttest_info ti;
	socklen_t len;
	int opt;

	nsttest_fill(&ti, keys->cipher_id);
	memcpy(ti.keys[0].key, keys->secret, NST_KEY_SIZE);
	ti.info.nr_keys = keys->box ? 0 : NSTTEST_KEYS;
	ti.info.flags = keys->flags | role;
	len = sizeof(ti.info) + ti.info.nr_keys * sizeof(ti.keys[0]);
	for (opt = NST_TX; opt <= NST_RX; opt++)
		if (FAULT_TRY(setsockopt(fd, SOL_NST, opt, &ti, len)))
			return fault_failed("keys", errno);
	return 0;
}

int fault_told(int a, int b, int err)
{
	struct nst_info info;
	int i, fd[2] = { a, b };
	socklen_t len;
	char text[160];

	where(text, sizeof(text));
	for (i = 0; i < 2; i++) {
		len = sizeof(info);
		if (getsockopt(fd[i], SOL_NST, NST_INFO, &info, &len) ||
		    !info.cause)
			continue;
		printf("# ended: cause %u, %s (%s)\n", info.cause,
		       strerror(info.error), text);
		fflush(stdout);
		return FAULT_ENDED;
	}
	return err;
}
