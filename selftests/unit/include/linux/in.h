/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: libc's IPPROTO_*, so that both headers may meet in one file. */
#include <netinet/in.h>
