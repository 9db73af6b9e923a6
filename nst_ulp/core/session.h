/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UDP sessions with their keys, as the protocol sees them: under which keys a
 * datagram is, and whether it was taken before. Nothing here knows a socket or
 * a packet, and no cryptography runs under a lock (see memory.h for those).
 */
#ifndef _NST_SESSION_H
#define _NST_SESSION_H

#include "core/conf.h"
#include "core/dgram.h"
#include "core/epoch.h"
#include "core/memories.h"

/**
 * struct nst_opener - keys of a session, derived
 * @head: what the memory knows of them
 * @ep: @ep.id and @ep.cipher never change; @ep.key and @ep.gen change under the
 *	session's lock. Its counts are not used
 */
struct nst_opener {
	struct nst_session_keys head;
	struct nst_epoch ep;
};

/**
 * struct nst_found - what a datagram's header leads to; borrowed under RCU
 * @id: by what its session is found
 * @key: the box key
 * @ses: the session, or NULL
 * @keys: its keys; NULL: they have to be derived
 */
struct nst_found {
	struct nst_session_id id;
	struct nst_boxkey *key;
	struct nst_session *ses;
	struct nst_opener *keys;
};

/**
 * struct nst_candidate - a session to be, and its keys
 * @ses: nobody else knows it; or NULL, when it has been given away
 * @keys: as @ses
 */
struct nst_candidate {
	struct nst_session *ses;
	struct nst_opener *keys;
};

enum nst_drop nst_session_find(const struct nst_conf *conf,
			       const struct nst_hdr *hdr,
			       struct nst_found *found);
enum nst_drop nst_session_judge(const struct nst_found *found,
				struct nst_dgram *dgram, u64 window);

enum nst_drop nst_candidate_derive(struct nst_candidate *new,
				   const struct nst_conf *conf,
				   const struct nst_hdr *hdr);
enum nst_drop nst_candidate_add(struct nst_candidate *new,
				const struct nst_bounds *bounds);
void nst_candidate_free(struct nst_candidate *new);

#endif /* _NST_SESSION_H */
