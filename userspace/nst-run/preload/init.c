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
#include "journal.h"
#include "preload.h"
#include "real.h"
#include "sys.h"
#include "text.h"

enum { NEW, BUSY, READY };

struct reals real;

static struct {
	int state;
	long owner;
	int refuses;
	struct policy policy;
	char variable[sizeof(POLICY_VARIABLE) + POLICY_TEXT];
	char path[PATH_MAX];
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

static void find_policy(void)
{
	const char *text = getenv(POLICY_VARIABLE);
	struct text t = {
		.buf = preload.variable,
		.size = sizeof(preload.variable),
	};

	text_add(&t, POLICY_VARIABLE "=");
	if (text && !policy_read(&preload.policy, text)) {
		text_add(&t, text);
		return;
	}
	preload.refuses = 1;
	preload.variable[0] = 0;
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
	__atomic_store_n(&preload.owner, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&preload.state, READY, __ATOMIC_RELEASE);
	errno = err;
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

/* NST_RUN_POLICY=..., or "" if there is none. */
const char *preload_variable(void)
{
	return preload.variable;
}

int preload_refuses(void)
{
	return preload.refuses;
}
