/* SPDX-License-Identifier: GPL-2.0 */
/* Does plaintext of the tests of failing calls come to the wire? */
#ifndef FAULTWIRE_H
#define FAULTWIRE_H

#include <stdbool.h>

/* From now on all packets of the caller's namespace are kept for a look. 0 or -1. */
int faultwire_open(void);

/* Looks at those since the last call. */
bool faultwire_plaintext(void);

#endif /* FAULTWIRE_H */
