/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzzers of protocol state share: input that is drawn byte for byte,
 * and a run that ends with nothing lost.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <linux/types.h>

/* Ends the run, which libFuzzer then keeps. */
void must(bool ok);

/* The next byte of input; 0 behind its end. */
u8 next(void);
bool more(void);

/* By each fuzzer: from a fresh shim, until there is no more(), and undone. */
void play(void);

#endif /* FUZZ_INPUT_H */
