/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Known answers from the standards for sm4.c and sm3.c.
 */
#ifndef _NST_SM_KAT_H
#define _NST_SM_KAT_H

const char *nst_kat_run(void);

#endif
