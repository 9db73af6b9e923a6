/* SPDX-License-Identifier: GPL-2.0 */
/* The protocol family AF_NST: inet sockets that are NST from birth. */
#ifndef _NST_AF_NST_H
#define _NST_AF_NST_H

int nst_af_nst_init(void);
void nst_af_nst_open(void);
void nst_af_nst_exit(void);

#endif /* _NST_AF_NST_H */
