/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which nonces of a session were taken: the sliding window of RFC 6479. Pure
 * C: the same file is compiled into the module and the unit tests.
 */
#ifndef _NST_REPLAY_H
#define _NST_REPLAY_H

#include <linux/types.h>
#include "drop.h"

/* A power of two, so that nonces may wrap at 2^64 without a seam. */
#define NST_REPLAY_WORDS	64
/* One word is always ahead of the window and about to be used again. */
#define NST_REPLAY_WINDOW	((NST_REPLAY_WORDS - 1) * 64)

/**
 * struct nst_replay - a window over nonces
 * @top: the highest nonce taken, or where the window begins
 * @bits: a bit a nonce, set when it was taken; word (nonce / 64) modulo
 *	NST_REPLAY_WORDS
 */
struct nst_replay {
	u64 top;
	u64 bits[NST_REPLAY_WORDS];
};

void nst_replay_init(struct nst_replay *win, u64 top);
void nst_replay_init_above(struct nst_replay *win, u64 top);
enum nst_drop nst_replay_check(const struct nst_replay *win, u64 nonce);
void nst_replay_take(struct nst_replay *win, u64 nonce);

#endif /* _NST_REPLAY_H */
