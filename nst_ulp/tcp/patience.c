// SPDX-License-Identifier: GPL-2.0
/*
 * Whether a close() waits for memory to send its end, or for the connection, where TCP
 * Fast Open has given the program one that does not stand yet. A program that closes
 * many connections should not wait for each: who has waited in vain for the one or the
 * other does not again for that, for a while. That is each user's own, as anybody can
 * have memory run out for himself; and any peer can have a connection not stand.
 *
 * Few are noted in a namespace, each in one word: the user, and until when in
 * milliseconds, as far as they fit. Whoever's note another one takes the place of
 * waits once more, no longer than the first time.
 */
#include <linux/hash.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include "tcp/patience.h"

/* For so long, milliseconds. */
#define REST	1000

static u32 now_ms(void)
{
	return div_u64(ktime_get_boottime_ns(), NSEC_PER_MSEC);
}

static unsigned int place(u32 user)
{
	return hash_32(user, ilog2(NST_CLOSERS));
}

/**
 * nst_tcp_may_wait() - may the caller's close() wait?
 * @nn: the namespace's state
 * @what: for what
 *
 * Context: process.
 * Return: false if one of his has just done so in vain.
 */
bool nst_tcp_may_wait(const struct nst_net *nn, enum nst_close_wait what)
{
	u32 user = nst_net_user(nn);
	u64 note = READ_ONCE(nn->in_vain[what][place(user)]);
	u32 left = (u32)note - now_ms();

	return note >> 32 != user || left - 1 >= REST;
}

/**
 * nst_tcp_waited_in_vain() - the caller's close() has done so in vain
 * @nn: the namespace's state
 * @what: for what
 *
 * Context: process.
 */
void nst_tcp_waited_in_vain(struct nst_net *nn, enum nst_close_wait what)
{
	u32 user = nst_net_user(nn);
	u32 until = now_ms() + REST;

	WRITE_ONCE(nn->in_vain[what][place(user)], (u64)user << 32 | until);
}
