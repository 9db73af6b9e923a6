/* SPDX-License-Identifier: GPL-2.0 */
/* The thread in which exchanges go on. */
#ifndef NST_RUN_KEEPER_H
#define NST_RUN_KEEPER_H

int keeper_start(void);

#endif /* NST_RUN_KEEPER_H */
