/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of failing calls share. A life is what happens to a few sockets from
 * the first call to the last one; it is lived again and again, each time in a child of
 * its own and with another call failing, until a life comes to its end without.
 * Nobody lists the calls: the module's own are counted by it (nst_ulp/debug/fault.c),
 * those below them, and TCP's and UDP's, by the kernel (/proc/PID/fail-nth).
 */
#ifndef FAULT_H
#define FAULT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "nsttest.h"

/* What comes of a life, beside -errno: a call or its data was not as it must be. */
#define FAULT_WHOLE	0	/* nothing was lost */
#define FAULT_ENDED	1	/* a connection ended, and its end was told why */

struct fault_life {
	const char *name;
	int (*live)(void);
	bool may_end;		/* FAULT_ENDED is no failure */
	bool module_only;	/* makes too many calls that are none of ours */
};

/* Lives all of them, tells TAP, and returns the program's exit status. */
int fault_main(const struct fault_life *lives, int nr);

/* Around a call that may fail; others see no failure of the kernel's own count. */
void fault_enter(void);
void fault_leave(void);

/* May a call that wants for memory say so? */
bool fault_clean(int err);

/* Says where, with the call that was made to fail; returns -errno. */
int fault_failed(const char *what, int err);

/*
 * The value of a system call, which is made again if it fails cleanly: so the one
 * after a failure has to work. What fails in another way is told, and is no success.
 */
#define FAULT_TRY(call)							\
({									\
	int tries_ = 5;							\
	long ret_;							\
									\
	do {								\
		fault_enter();						\
		ret_ = (call);						\
		fault_leave();						\
	} while (ret_ < 0 && fault_clean(errno) && --tries_);		\
	ret_;								\
})

/* The pattern of the plaintext, for which the wire is searched. */
void fault_fill(void *buf, size_t len, size_t from);
bool fault_same(const void *buf, size_t len, size_t from);

/* A secret that no life had before. */
void fault_secret(uint8_t *key);

/* NST on a TCP socket, or a UDP one, and both keys, of a box of its own. */
struct fault_keys {
	uint8_t cipher_id;
	uint32_t flags;
	bool box;		/* the namespace's */
	uint8_t secret[NST_KEY_SIZE];
};

int fault_install(int fd, const struct fault_keys *keys, uint32_t role);

/* Was either end told why its connection ended? FAULT_ENDED, or @err. */
int fault_told(int a, int b, int err);

#endif /* FAULT_H */
