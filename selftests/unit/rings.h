/* SPDX-License-Identifier: GPL-2.0 */
/* Keyrings for tests, and the memories that they need. */
#ifndef _UNIT_RINGS_H
#define _UNIT_RINGS_H

#include "core/netns.h"

/* A keyring of a namespace that has gone already: it remembers nothing. */
struct nst_keyring *ring_new(bool private);
/* Gives @nn memories that are @age ns old, and an empty box. */
bool rings_begin(struct nst_net *nn, u64 age);
void rings_done(struct nst_net *nn);
/* The claim of @ring's owner on the secret of @kid. */
struct nst_claim *ring_claim(struct nst_keyring *ring, u16 kid);
/* What is remembered of STARTs under it; as if @floor was forgotten already. */
struct nst_starts *ring_starts(struct nst_keyring *ring, u16 kid);
void ring_forgot(struct nst_keyring *ring, u16 kid, u64 floor);
/* A private one of a user. */
struct nst_keyring *rings_of(struct nst_net *nn, u64 user);
/* Of the user 1000, who also sets keys by conf.c. */
struct nst_keyring *rings_private(struct nst_net *nn);

#endif /* _UNIT_RINGS_H */
