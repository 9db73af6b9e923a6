// SPDX-License-Identifier: GPL-2.0
/*
 * What became of the sockets, counted in memory that nst-run and all processes of
 * the program share. A line of the table is a number that says all of it, and how
 * often; it is claimed by one atomic operation, so a process that is killed leaves
 * nothing half done. What has no room is counted as lost. A process may have put
 * anything there, so the reader checks each number.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <unistd.h>
#include "explain.h"
#include "explain_table.h"
#include "sys.h"

static struct explain_table *table;

static void *map(int fd)
{
	long p = sys_call(SYS_mmap, 0, sizeof(*table), PROT_READ | PROT_WRITE,
			  MAP_SHARED, fd, 0);

	return p < 0 && p > -4096 ? NULL : (void *)p;
}

/**
 * explain_make() - make the table, as nst-run
 *
 * Return: a descriptor of its memory, or a negative errno.
 */
int explain_make(void)
{
	int fd = memfd_create("nst-run", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, sizeof(*table)) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return -errno;
	table = map(fd);
	if (!table)
		return -ENOMEM;
	table->magic = EXPLAIN_MAGIC;
	return fd;
}

/**
 * explain_open() - find the table, as a program
 * @path: where nst-run said it is
 *
 * Return: 0 or a negative errno.
 */
int explain_open(const char *path)
{
	long fd = sys_call(SYS_openat, AT_FDCWD, SYS_PTR(path),
			   O_RDWR | O_CLOEXEC, 0, 0, 0);
	struct explain_table *found = NULL;
	long seals;

	if (fd < 0)
		return fd;
	/* What cannot shrink cannot kill by SIGBUS. */
	seals = sys_call(SYS_fcntl, fd, F_GET_SEALS, 0, 0, 0, 0);
	if (seals >= 0 && (seals & F_SEAL_SHRINK) &&
	    sys_call(SYS_lseek, fd, 0, SEEK_END, 0, 0, 0) == sizeof(*found))
		found = map(fd);
	sys_close(fd);
	if (!found)
		return -EINVAL;
	if (found->magic != EXPLAIN_MAGIC) {
		munmap(found, sizeof(*found));
		return -EINVAL;
	}
	table = found;
	return 0;
}

/**
 * explain_table() - what was counted
 *
 * Return: it.
 */
struct explain_table *explain_table(void)
{
	return table;
}

static void count(uint64_t key)
{
	/* Fibonacci's hash, of which the upper bits are the good ones. */
	unsigned int at = (key * 0x9e3779b97f4a7c15ull) >> 40, i;
	struct explain_line *line;
	uint64_t old;

	for (i = 0; i < EXPLAIN_TRIES; i++) {
		line = &table->line[(at + i) % EXPLAIN_LINES];
		old = 0;
		if (__atomic_load_n(&line->key, __ATOMIC_RELAXED) == key ||
		    __atomic_compare_exchange_n(&line->key, &old, key, 0,
						__ATOMIC_RELAXED,
						__ATOMIC_RELAXED) ||
		    old == key) {
			__atomic_add_fetch(&line->count, 1, __ATOMIC_RELAXED);
			return;
		}
	}
	__atomic_add_fetch(&table->lost, 1, __ATOMIC_RELAXED);
}

/**
 * explain_call() - count what attach_call() has found
 * @fd: the descriptor that it was asked about
 * @result: what it found
 *
 * What is left was not looked at further; who asks to explain wants to know.
 */
void explain_call(int fd, const struct attach_result *result)
{
	int protocol = result->protocol;

	if (!table)
		return;
	if (!protocol)
		protocol = attach_protocol(fd);
	if (!protocol)
		return;
	count(EXPLAIN_KEY | (uint64_t)result->call << EXPLAIN_CALL |
	      (uint64_t)result->outcome << EXPLAIN_OUTCOME |
	      (uint64_t)(protocol == IPPROTO_UDP) << EXPLAIN_UDP |
	      (uint64_t)!!result->remote << EXPLAIN_REMOTE |
	      (uint64_t)(result->error & 0xfff) << EXPLAIN_ERROR |
	      result->port);
}

/**
 * explain_program() - count a program that is out of reach
 * @kind: why
 * @let: it was run all the same
 */
void explain_program(enum program_kind kind, int let)
{
	if (table)
		count(EXPLAIN_KEY | (uint64_t)ATTACH_CALLS << EXPLAIN_CALL |
		      (uint64_t)!!let << EXPLAIN_REMOTE | kind);
}
