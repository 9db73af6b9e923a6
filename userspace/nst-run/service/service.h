/* SPDX-License-Identifier: GPL-2.0 */
/* nst-run enable, disable and status. */
#ifndef NST_RUN_SERVICE_H
#define NST_RUN_SERVICE_H

int service_is_verb(const char *word);
int service_command(int argc, char **argv);

#endif /* NST_RUN_SERVICE_H */
