/* SPDX-License-Identifier: GPL-2.0 */
/* Rings that cannot pass NST by. */
#ifndef NST_RUN_URING_H
#define NST_RUN_URING_H

struct io_uring_params;

long uring_setup(unsigned int entries, struct io_uring_params *params);

#endif /* NST_RUN_URING_H */
