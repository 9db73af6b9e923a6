// SPDX-License-Identifier: GPL-2.0
/*
 * The library's start in a program: libc's functions are looked up, the policy is
 * read, all that later calls need without allocating. If there is no policy, or
 * none that nst-run wrote, no socket of TCP or UDP is used at all: somebody wanted
 * this program's traffic protected, and how is lost.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include "explain.h"
#include "journal.h"
#include "preload.h"
#include "real.h"
#include "sys.h"
#include "text.h"

#define EXPLAIN_PATH	64

enum { NEW, BUSY, READY };

struct reals real;

static struct {
	int state;
	long owner;
	int refuses;
	struct policy policy;
	char path[PATH_MAX];
	/* "NAME=value", as children must have them */
	char policy_entry[sizeof(POLICY_VARIABLE) + POLICY_TEXT];
	char explain_entry[sizeof(EXPLAIN_VARIABLE) + EXPLAIN_PATH];
	const char *entries[3];
} preload;

static void look_up(void)
{
#define REAL_LOOK_UP(name) \
	real.name = (__typeof__(real.name))dlsym(RTLD_NEXT, #name);
	REALS(REAL_LOOK_UP)
}

static void find_path(void)
{
	Dl_info info;
	struct text t = { .buf = preload.path, .size = sizeof(preload.path) };

	if (dladdr(&preload, &info) && info.dli_fname)
		text_add(&t, info.dli_fname);
}

/* A variable that children must have as well. */
static void keep(char *entry, size_t size, const char *name, const char *value)
{
	struct text t = { .buf = entry, .size = size };
	unsigned int i = 0;

	text_add(&t, name);
	text_add(&t, "=");
	text_add(&t, value);
	while (preload.entries[i])
		i++;
	preload.entries[i] = entry;
}

static void find_policy(void)
{
	const char *text = getenv(POLICY_VARIABLE);

	if (text && !policy_read(&preload.policy, text))
		keep(preload.policy_entry, sizeof(preload.policy_entry),
		     POLICY_VARIABLE, text);
	else
		preload.refuses = 1;
}

/* Where to count, if nst-run was told to explain. */
static void find_table(void)
{
	const char *path = getenv(EXPLAIN_VARIABLE);

	if (!path || strncmp(path, "/proc/", 6) ||
	    strlen(path) >= EXPLAIN_PATH)
		return;
	if (explain_open(path))
		journal_line("a process cannot tell nst-run --explain of its sockets");
	keep(preload.explain_entry, sizeof(preload.explain_entry),
	     EXPLAIN_VARIABLE, path);
}

/**
 * preload_ready() - see to it that the library is
 *
 * Others' constructors may call one of its functions before its own has run.
 */
void preload_ready(void)
{
	int err = errno, expected = NEW;
	long self;

	if (__atomic_load_n(&preload.state, __ATOMIC_ACQUIRE) == READY)
		return;
	self = sys_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
	if (!__atomic_compare_exchange_n(&preload.state, &expected, BUSY, 0,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		/* dlsym() came back here: what it wants is not known yet. */
		while (__atomic_load_n(&preload.state, __ATOMIC_ACQUIRE) !=
		       READY &&
		       __atomic_load_n(&preload.owner, __ATOMIC_RELAXED) != self)
			sys_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
		return;
	}
	__atomic_store_n(&preload.owner, self, __ATOMIC_RELAXED);
	look_up();
	journal_init();
	find_path();
	find_policy();
	find_table();
	__atomic_store_n(&preload.owner, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&preload.state, READY, __ATOMIC_RELEASE);
	errno = err;
}

/**
 * real_lacks() - is a function not there?
 * @function: where its address is, in real
 *
 * libc before 2.34 has not all of them, and a constructor of another library may
 * come when not even this one is ready.
 *
 * Return: 1 with errno, or 0.
 */
int real_lacks(const void *function)
{
	preload_ready();
	if (*(void *const *)function)
		return 0;
	errno = EOPNOTSUPP;
	return 1;
}

__attribute__((constructor))
static void start(void)
{
	preload_ready();
}

const struct policy *preload_policy(void)
{
	return &preload.policy;
}

/* As LD_PRELOAD has it. */
const char *preload_path(void)
{
	return preload.path;
}

/* "NAME=value" of what children must have, ended by NULL. */
const char *const *preload_entries(void)
{
	return preload.entries;
}

int preload_refuses(void)
{
	return preload.refuses;
}
