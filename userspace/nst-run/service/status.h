/* SPDX-License-Identifier: GPL-2.0 */
/* nst-run status. */
#ifndef NST_RUN_STATUS_H
#define NST_RUN_STATUS_H

int status_command(int argc, char **argv);

#endif /* NST_RUN_STATUS_H */
