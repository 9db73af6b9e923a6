/* SPDX-License-Identifier: GPL-2.0 */
/* Who waits for a key that a box does not have yet, or lets nobody send with. */
#ifndef _NST_KEYWAIT_H
#define _NST_KEYWAIT_H

#include "core/keyring.h"
#include "core/keyroom.h"

void nst_keywait_begin(struct nst_keywait *wait, struct nst_keyring *ring);
void nst_keywait_end(struct nst_keywait *wait);
void nst_keywait_done(struct nst_keywait *wait);
void nst_keywait_wake(struct nst_keyring *ring);

#endif /* _NST_KEYWAIT_H */
