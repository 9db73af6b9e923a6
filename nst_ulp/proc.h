/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/net/nst_stat, in each network namespace. */
#ifndef _NST_PROC_H
#define _NST_PROC_H

int nst_proc_init(void);
void nst_proc_exit(void);

#endif /* _NST_PROC_H */
