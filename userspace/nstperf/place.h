/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where something is written. An ordinary file is replaced by a whole new one, or
 * stays as it is; a device, a pipe and the like is never replaced, but written to.
 */
#ifndef NSTPERF_PLACE_H
#define NSTPERF_PLACE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

/**
 * struct place - what is being written
 * @to: where to print it; stdout, if no name was given
 * @path: of what it will be, or NULL
 * @temp: what it is called until it is whole; NULL: it is written in place
 * @mode: that it will have
 */
struct place {
	FILE *to;
	const char *path;
	char *temp;
	mode_t mode;
};

/* NULL or "-" is stdout. 0, or trouble(): also of a link to an ordinary file. */
int place_open(struct place *place, const char *path);

/* Puts it in its place, if all could be written: 0, or trouble(). */
int place_close(struct place *place);

/* Before anything is measured for it: can it be? 0, or trouble(). It opens nothing. */
int place_check(const char *path);

/* Is it one that a new file does not take the place of? */
bool place_is_special(const char *path);

#endif /* NSTPERF_PLACE_H */
