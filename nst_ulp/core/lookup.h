/* SPDX-License-Identifier: GPL-2.0 */
/* Looking for suites and their drivers. */
#ifndef _NST_LOOKUP_H
#define _NST_LOOKUP_H

#include <linux/types.h>

int nst_suite_driver(u8 id, char *aead, char *hmac, size_t size, bool anew);
int nst_suite_datagrams(u8 id, bool anew);
int nst_suite_check(u8 id);
int nst_suite_ask(u8 id);
int nst_suite_ask_datagrams(u8 id);
void nst_suite_ask_all(void);
void nst_suite_ask_exit(void);
int nst_suite_at_hand(u8 id);
void nst_suite_have(u8 id);

#endif /* _NST_LOOKUP_H */
