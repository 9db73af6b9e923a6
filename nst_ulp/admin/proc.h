/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/net/nst_stat, in each network namespace. */
#ifndef _NST_PROC_H
#define _NST_PROC_H

#ifdef CONFIG_PROC_FS
int nst_proc_init(void);
void nst_proc_exit(void);
#else
/* Netlink tells the counters too. */
static inline int nst_proc_init(void) { return 0; }
static inline void nst_proc_exit(void) {}
#endif

#endif /* _NST_PROC_H */
