/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marks the measured part of a program: a long nop whose displacement no
 * compiler makes, so it does nothing anywhere and count.c recognizes it.
 * The bytes are 0f 1f 80, then 'n' 's' 't' and the marker's number.
 */
#ifndef _BENCH_MARKER_H
#define _BENCH_MARKER_H

#define NST_MARK_BEGIN	1
#define NST_MARK_END	2
#define NST_MARK_SIZE	7

#define NST_MARK(n) \
	asm volatile(".byte 0x0f, 0x1f, 0x80, 'n', 's', 't', %c0" \
		     : : "i" (n) : "memory")

#endif
