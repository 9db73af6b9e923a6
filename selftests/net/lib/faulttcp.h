/* SPDX-License-Identifier: GPL-2.0 */
/* What a TCP connection of two NST ends carries in the tests of failing calls. */
#ifndef FAULTTCP_H
#define FAULTTCP_H

/*
 * Everything that can be sent and received, and the end of both directions. FAULT_WHOLE,
 * FAULT_ENDED or -errno, as fault.h has it.
 */
int faulttcp_carry(int a, int b);

/* The same with a little data both ways. */
int faulttcp_few(int a, int b);

#endif /* FAULTTCP_H */
