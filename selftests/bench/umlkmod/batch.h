/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Many sends or receives in one system call: write() of this struct to
 * NST_BATCH_PATH. read() gives the seconds of CPU time that User Mode Linux
 * has had on its host. Shared by the module and load.c.
 */
#ifndef _BENCH_BATCH_H
#define _BENCH_BATCH_H

#include <linux/types.h>

#define NST_BATCH_PATH	"/proc/nst_batch"
#define NST_BATCH_SEND	1
#define NST_BATCH_RECV	2
#define NST_BATCH_BURSTS 3	/* send a burst, read it from the peer, again */

struct nst_batch {
	__s32 fd;	/* a connected socket of the caller */
	__s32 peer;	/* bursts: who reads */
	__u32 op;	/* NST_BATCH_* */
	__u32 read_size; /* bursts: bytes of one read */
	__u64 size;	/* bytes of one call, bursts: of one send */
	__u64 burst;	/* bytes of one burst */
	__u64 total;	/* bytes of all calls */
	__u64 buffer;	/* the caller's, at least size and read_size bytes */
};

#endif
