/* SPDX-License-Identifier: GPL-2.0 */
/* How many connections without a program there may be. */
#ifndef _NST_ORPHANS_H
#define _NST_ORPHANS_H

unsigned int nst_orphans_max(void);
int nst_orphans_init(void);
void nst_orphans_exit(void);

#endif /* _NST_ORPHANS_H */
