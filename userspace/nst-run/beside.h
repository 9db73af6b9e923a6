/* SPDX-License-Identifier: GPL-2.0 */
/* What is installed, or was built, together with nst-run. */
#ifndef NST_RUN_BESIDE_H
#define NST_RUN_BESIDE_H

const char *beside(const char *where);

#endif /* NST_RUN_BESIDE_H */
