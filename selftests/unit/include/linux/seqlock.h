/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: the count of a single thread: it only watches its use. */
#ifndef _SHIM_LINUX_SEQLOCK_H
#define _SHIM_LINUX_SEQLOCK_H

#include <linux/kernel.h>

typedef struct {
	unsigned int sequence;
} seqcount_t;

#define seqcount_init(s)		((s)->sequence = 0)
#define raw_read_seqcount(s)		READ_ONCE((s)->sequence)
#define read_seqcount_retry(s, seq)	((s)->sequence != (seq))

static inline void raw_write_seqcount_begin(seqcount_t *s)
{
	/* One writer at a time, and none that sleeps. */
	WARN_ON(s->sequence & 1 || !shim_spin_depth);
	s->sequence++;
}

static inline void raw_write_seqcount_end(seqcount_t *s)
{
	WARN_ON(!(s->sequence & 1));
	s->sequence++;
}

#endif /* _SHIM_LINUX_SEQLOCK_H */
