// SPDX-License-Identifier: GPL-2.0
/* The preload engine, from outside: what the program is given, and exec. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "beside.h"
#include "explain.h"
#include "preload_run.h"
#include "program.h"
#include "wait.h"

#define LIBRARY	"libnst-preload.so"

/* In a build's directory, as it was installed, or wherever that was to be. */
static const char *library(void)
{
	const char *path = beside(LIBRARY);

	if (!path)
		path = beside("../lib/nst/" LIBRARY);
	return path ? path : NST_RUN_LIBDIR "/" LIBRARY;
}

/**
 * preload_works() - can this engine run the program?
 * @run: what was asked for
 * @why: receives what is in the way, as words behind "the preload engine"
 * @size: of @why
 *
 * Return: 1 or 0.
 */
int preload_works(const struct run *run, char *why, size_t size)
{
	enum program_kind kind = program_kind(AT_FDCWD, run->path);
	const char *lib = library();

	if (kind != PROGRAM_DYNAMIC && kind != PROGRAM_UNKNOWN) {
		snprintf(why, size, "cannot reach into %s, which %s", run->path,
			 program_kind_text(kind));
		return 0;
	}
	if (!program_library_loads(lib)) {
		snprintf(why, size,
			 "cannot load %s: not there, not to be read, or its file system is mounted noexec",
			 lib);
		return 0;
	}
	/* The dynamic linker parts the list at either, and has no quotes. */
	if (strpbrk(lib, ": ")) {
		snprintf(why, size,
			 "is in %s: a path with a space or colon cannot be preloaded",
			 lib);
		return 0;
	}
	return 1;
}

static void put(const char *name, const char *value)
{
	if (setenv(name, value, 1))
		run_refuse(RUN_EXIT_REFUSED, "%s: %s", name, strerror(errno));
}

/* The library, and what it must know, are in the environment. */
static void set_environment(const struct run *run)
{
	const char *others = getenv("LD_PRELOAD");
	char policy[POLICY_TEXT], *list;

	policy_write(&run->policy, policy, sizeof(policy));
	if (asprintf(&list, "%s%s%s", others && *others ? others : "",
		     others && *others ? ":" : "", library()) < 0)
		run_refuse(RUN_EXIT_REFUSED, "no memory");
	put("LD_PRELOAD", list);
	put(POLICY_VARIABLE, policy);
	free(list);
	unsetenv(EXPLAIN_VARIABLE);
}

__attribute__((noreturn))
static void become(const struct run *run)
{
	execv(run->path, run->argv);
	run_refuse(errno == ENOENT ? RUN_EXIT_MISSING : RUN_EXIT_CANNOT,
		   "%s: %s", run->path, strerror(errno));
}

/* The table is found through this process, which outlives the program. */
static void share_table(void)
{
	int fd = explain_make();
	char path[64];

	if (fd < 0)
		run_refuse(RUN_EXIT_REFUSED, "--explain: %s", strerror(-fd));
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	put(EXPLAIN_VARIABLE, path);
}

static int run_and_explain(const struct run *run)
{
	sigset_t all, old;
	int status;
	pid_t pid;

	share_table();
	explain_begin();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = fork();
	if (pid < 0)
		run_refuse(RUN_EXIT_REFUSED, "fork: %s", strerror(errno));
	if (!pid) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		become(run);
	}
	status = wait_for_program(pid, &old);
	explain_report();
	return status;
}

/**
 * preload_run() - become the program, or its parent with --explain
 * @run: what was asked for
 *
 * The library is the last one preloaded, so it is the nearest to libc, and what
 * others that are preloaded make of a call comes by it.
 *
 * Return: the program's exit status, if at all.
 */
int preload_run(const struct run *run)
{
	set_environment(run);
	if (run->explain)
		return run_and_explain(run);
	become(run);
}
