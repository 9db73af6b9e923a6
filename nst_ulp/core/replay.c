// SPDX-License-Identifier: GPL-2.0
/* The window moves by whole words, so that moving it never shifts bits. */
#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif
#include "core/replay.h"

/* Farthest that one nonce is ahead of another, modulo 2^64. */
#define FARTHEST	(~0ULL >> 1)

static unsigned int word_of(u64 nonce)
{
	return (nonce >> 6) % NST_REPLAY_WORDS;
}

static u64 bit_of(u64 nonce)
{
	return 1ULL << (nonce & 63);
}

/**
 * nst_replay_init() - nothing was taken yet
 * @win: the window
 * @top: the nonce it begins at; that one is free still
 */
void nst_replay_init(struct nst_replay *win, u64 top)
{
	memset(win, 0, sizeof(*win));
	win->top = top;
}

/**
 * nst_replay_init_above() - only what is ahead of a nonce is free
 * @win: the window
 * @top: the nonce; it and all behind it count as taken
 */
void nst_replay_init_above(struct nst_replay *win, u64 top)
{
	memset(win->bits, 0xff, sizeof(win->bits));
	/* Up to the top's bit; those above it in its word are free. */
	win->bits[word_of(top)] = bit_of(top) | (bit_of(top) - 1);
	win->top = top;
}

/**
 * nst_replay_check() - is a nonce free?
 * @win: the window
 * @nonce: any that is less than 2^63 from the top
 *
 * Return: NST_OK; NST_DROP_WINDOW if it is too far below the top to tell;
 * NST_DROP_REPLAYED if it was taken.
 */
enum nst_drop nst_replay_check(const struct nst_replay *win, u64 nonce)
{
	/* Modulo 2^64: a nonce ahead of the top is very far behind it. */
	u64 behind = win->top - nonce;

	if (behind > FARTHEST)
		return NST_OK;
	if (behind >= NST_REPLAY_WINDOW)
		return NST_DROP_WINDOW;
	return win->bits[word_of(nonce)] & bit_of(nonce) ? NST_DROP_REPLAYED :
							   NST_OK;
}

/**
 * nst_replay_take() - a nonce is used up
 * @win: the window; moves if the nonce is ahead of it
 * @nonce: passed nst_replay_check() and was authenticated
 */
void nst_replay_take(struct nst_replay *win, u64 nonce)
{
	if (nonce - win->top <= FARTHEST) {
		u64 words = (nonce >> 6) - (win->top >> 6);
		unsigned int i, n;

		/* At 2^64 the word's number begins at 0 again. */
		words &= ~0ULL >> 6;
		n = words < NST_REPLAY_WORDS ? words : NST_REPLAY_WORDS;
		for (i = 1; i <= n; i++)
			win->bits[(word_of(win->top) + i) % NST_REPLAY_WORDS] = 0;
		win->top = nonce;
	}
	win->bits[word_of(nonce)] |= bit_of(nonce);
}
