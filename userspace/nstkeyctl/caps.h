/* SPDX-License-Identifier: GPL-2.0 */
/* What a driver's name tells. */
#ifndef NSTKEYCTL_CAPS_H
#define NSTKEYCTL_CAPS_H

const char *caps_tables(const char *driver);
const char *caps_tables_hint(void);

#endif /* NSTKEYCTL_CAPS_H */
