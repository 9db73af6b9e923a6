/* SPDX-License-Identifier: GPL-2.0 */
/* NST's keys: the box of the namespace, or one that two ends here have made. */
#ifndef NSTPERF_KEYS_H
#define NSTPERF_KEYS_H

#include <stdbool.h>

/* A key that this process and its children share. 0, or trouble(). */
int keys_private(void);

/* Gives a socket NST. 0, or trouble(). */
int keys_attach(int fd, int cipher, bool udp);

#endif /* NSTPERF_KEYS_H */
