/* SPDX-License-Identifier: GPL-2.0 */
/* What a called library has left on the stack. For libnst-exchange and libnst-tls. */
#ifndef NST_WIPE_H
#define NST_WIPE_H

#include <string.h>

/* What libcrypto and libssl put on the stack to make a key, and more. */
#define NST_STACK_USED	16384

/*
 * Wipe the stack below the caller, where functions that have returned had their
 * variables: libcrypto wipes its heap, and little of these (3.0's X25519 leaves its
 * output there, whole). Not inline, so that it begins where they have.
 */
static __attribute__((noinline)) void nst_wipe_stack(void)
{
	char used[NST_STACK_USED];

	explicit_bzero(used, sizeof(used));
}

#endif /* NST_WIPE_H */
