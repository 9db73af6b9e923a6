/* SPDX-License-Identifier: GPL-2.0 */
/* Looking for a secret in all that the program can write to. */
#ifndef MEMSCAN_H
#define MEMSCAN_H

#include <stdint.h>

#define MEMSCAN_BYTES	32

/*
 * Pieces of the secret of which @inverted has each byte inverted, so that who
 * looks does not find himself. -1 if memory cannot be read.
 */
int memscan_count(const uint8_t inverted[MEMSCAN_BYTES]);

/*
 * Calls @fn on a stack of its own, so that who looks then for what it has left
 * there does not write over it. 0, or -1 if there is none.
 */
int memscan_apart(void (*fn)(void *arg), void *arg);

#endif /* MEMSCAN_H */
