/* SPDX-License-Identifier: GPL-2.0 */
/* What a program's environment must keep for its children to be covered. */
#ifndef NST_RUN_ENV_H
#define NST_RUN_ENV_H

#include <stddef.h>

int env_complete(char *const envp[]);
size_t env_count(char *const envp[]);
size_t env_room(char *const envp[]);
void env_fill(char **copy, char *room, char *const envp[]);
void env_keep(void);

/* LD_PRELOAD, two variables of nst-run's, and the end. */
#define ENV_MORE	4

/*
 * envp as @name, completed on this stack if it is not complete. No function can
 * do that: behind vfork() nothing may be allocated.
 */
#define ENV_COMPLETE(name, envp)					\
	char *name##_copy[env_count(envp) + ENV_MORE];				\
	char name##_room[env_room(envp)];				\
	char *const *name = envp;					\
	if (!env_complete(envp)) {					\
		env_fill(name##_copy, name##_room, envp);		\
		name = name##_copy;					\
	}

#endif /* NST_RUN_ENV_H */
