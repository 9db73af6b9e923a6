/* SPDX-License-Identifier: GPL-2.0 */
/* Memory for keys: not swapped out, wiped before it is given back. */
#ifndef NSTKEYCTL_SECURE_H
#define NSTKEYCTL_SECURE_H

#include <stddef.h>

void *secure_alloc(size_t size);
void secure_free(void *mem, size_t size);

#endif /* NSTKEYCTL_SECURE_H */
