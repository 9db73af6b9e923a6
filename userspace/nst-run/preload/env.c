// SPDX-License-Identifier: GPL-2.0
/* What a program's environment must keep: LD_PRELOAD and the policy. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "env.h"
#include "preload.h"
#include "text.h"

#define LIST	"LD_PRELOAD="

/* The entry of the same variable as @like, "NAME=...", or NULL. */
static const char *entry(char *const envp[], const char *like)
{
	size_t len = strcspn(like, "=") + 1;

	for (; envp && *envp; envp++)
		if (!strncmp(*envp, like, len))
			return *envp;
	return NULL;
}

/* Is the library one word of LD_PRELOAD's? */
static int has_library(const char *list)
{
	const char *path = preload_path();
	size_t len = strlen(path), n;

	for (list += strlen(LIST);; list += n + 1) {
		n = strcspn(list, ": ");
		if (n == len && !memcmp(list, path, n))
			return 1;
		if (!list[n])
			return 0;
	}
}

/* The dynamic linker heeds the last one of several. */
static const char *list_of(char *const envp[])
{
	const char *list = NULL;

	for (; envp && *envp; envp++)
		if (!strncmp(*envp, LIST, strlen(LIST)))
			list = *envp;
	return list;
}

/* getenv() finds the first, so a program may make that the only one. */
static int lists_have_library(char *const envp[])
{
	for (; envp && *envp; envp++)
		if (!strncmp(*envp, LIST, strlen(LIST)) && !has_library(*envp))
			return 0;
	return 1;
}

/**
 * env_complete() - would a program with this environment be covered?
 * @envp: the environment, may be NULL
 *
 * A policy that is there is not ours to change: nst-run may have written it.
 *
 * Return: 1 or 0.
 */
int env_complete(char *const envp[])
{
	const char *const *kept = preload_entries();

	for (; *kept; kept++)
		if (!entry(envp, *kept))
			return 0;
	return list_of(envp) && lists_have_library(envp);
}

/**
 * env_count() - entries of an environment
 * @envp: the environment, may be NULL
 *
 * Return: how many.
 */
size_t env_count(char *const envp[])
{
	size_t n = 0;

	while (envp && envp[n])
		n++;
	return n;
}

/**
 * env_room() - bytes that LD_PRELOAD takes when the library is in it
 * @envp: the environment, may be NULL
 *
 * Return: so many, or 1 if nothing is to be added.
 */
size_t env_room(char *const envp[])
{
	const char *list = list_of(envp);

	if (env_complete(envp))
		return 1;
	return (list ? strlen(list) : strlen(LIST)) + strlen(preload_path()) +
	       2;
}

/**
 * env_fill() - a complete environment
 * @copy: receives it; ENV_MORE entries more than @envp
 * @room: of env_room() bytes, for LD_PRELOAD
 * @envp: the incomplete one
 */
void env_fill(char **copy, char *room, char *const envp[])
{
	const char *const *kept = preload_entries();
	const char *list = list_of(envp);
	struct text t = { .buf = room, .size = env_room(envp) };

	text_add(&t, list ? list : LIST);
	if (!list || !has_library(list)) {
		if (t.len > strlen(LIST))
			text_add(&t, ":");
		text_add(&t, preload_path());
	}
	*copy++ = room;
	for (; *kept; kept++)
		if (!entry(envp, *kept))
			*copy++ = (char *)*kept;
	for (; envp && *envp; envp++)
		if (strncmp(*envp, LIST, strlen(LIST)))
			*copy++ = *envp;
	*copy = NULL;
}

/**
 * env_keep() - complete the program's own environment
 *
 * For system() and its like, which take it as it is. They may allocate.
 */
void env_keep(void)
{
	ENV_COMPLETE(full, environ);
	const char *const *kept = preload_entries();
	char name[sizeof(POLICY_VARIABLE) + 8];
	size_t len;

	if (full == environ)
		return;
	/* All of them: setenv() would change the first. */
	unsetenv("LD_PRELOAD");
	setenv("LD_PRELOAD", full[0] + strlen(LIST), 1);
	for (; *kept; kept++) {
		len = strcspn(*kept, "=");
		memcpy(name, *kept, len);
		name[len] = 0;
		setenv(name, *kept + len + 1, 0);
	}
}
