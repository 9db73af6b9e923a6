/* SPDX-License-Identifier: GPL-2.0 */
/* Every number of NST that is a choice, with its reason. */
#ifndef _NST_LIMITS_H
#define _NST_LIMITS_H

/*
 * An epoch ends, at the latest, after so many records or plaintext bytes
 * (protocol, Epoch change). 2^34 bytes are 2^30 blocks of AES: far below
 * where GCM's or CBC's bounds begin to count.
 */
#define NST_REKEY_RECORDS	(1UL << 20)
#define NST_REKEY_BYTES		(1ULL << 34)

/* Neither end lets an epoch live beyond this (protocol, hard limit). */
#define NST_EPOCH_RECORDS_MAX	(1UL << 24)

/*
 * A direction of a TCP connection that has been idle for so long gives its
 * transforms, most of its memory, back; its next record makes them anew, with the
 * same keys. At worst that is a key schedule every five seconds, a matter of tens of
 * microseconds; and most connections that are idle at all are so for minutes.
 */
#define NST_IDLE_SECONDS	5

/*
 * A suite that was missing is not searched again for so many seconds: each
 * search runs modprobe, and any peer or program may name any suite.
 */
#define NST_SUITE_RETRY		1

/* The same, for who serves many and must not be held up by each search. */
#define NST_SUITE_LOOK		60

/*
 * Milliseconds that a stream rests after it had no memory to seal a record. Shorter
 * than what its worker waits.
 */
#define NST_SEAL_PAUSE		15

/*
 * How many of those that wait for one key are woken at once. Each has the worker of
 * all streams derive a key and seal a record: enough to keep a few processors busy, and
 * so few that what else there is to do comes between.
 */
#define NST_KEYWAITS_AT_ONCE	8

/*
 * Users of a namespace whose close() has waited in vain for memory, and as many who
 * have for a connection of TCP Fast Open, and need not again: for more at once than
 * that it costs a tenth of a second more, each time.
 */
#define NST_CLOSERS		16

/* Freshness window of a START, seconds either way, and its sysctl bounds. */
#define NST_TIME_WINDOW		30
#define NST_TIME_WINDOW_MAX	3600

/*
 * STARTs remembered for each secret. At the default, 64 bytes each, 4 MiB;
 * that is 1000 new connections a second for twice the freshness window
 * before the floor rises above anything that could still be fresh.
 */
#define NST_START_CACHE		65536
#define NST_START_CACHE_MIN	16
#define NST_START_CACHE_MAX	(1U << 22)

/*
 * What an owner is charged for a START, for a session with its window for groups
 * and what holds its keys (not for transforms), and for a memory whose secret no
 * box has: as the allocator rounds it up.
 */
#define NST_START_BYTES		64
#define NST_SESSION_BYTES	2304
#define NST_MEMORY_BYTES	512

/*
 * An owner may hold what fills so many secrets to their bounds, and all owners of
 * a namespace together so many times that. Most secrets are far from their
 * bounds, so these meet only who means to fill memory.
 */
#define NST_OWNER_SECRETS	2
#define NST_OWNERS_FULL		4

/*
 * Floors of memories that have ended, which an owner keeps (protocol: at least
 * 1,024). Half a megabyte for each user who makes as many keys.
 */
#define NST_LEFT_MAX		1024

/*
 * Owners of one secret that are told at a time when its memory is made or ends, with
 * a lock held: enough for all but who means to have many.
 */
#define NST_SETTLE_STEP		32

/*
 * Keys in one box. Rotation needs three; a thousand is room for one key per
 * peer on a hub. Bounds the copy that each change of a box makes.
 */
#define NST_BOX_KEYS_MAX	1024

/* Keys of a private box, bounded by what setsockopt() passes around. */
#define NST_PRIVATE_KEYS_MAX	64

/*
 * Plaintext bytes per record sent, unless NST_RECORD_MAX says otherwise.
 * Half of what one splice passes (16 pages), so file chunks divide evenly,
 * and half of TCP's initial receive window, so a record never waits for a
 * window update in its middle.
 */
#define NST_RECORD_MAX_DEFAULT	32768

/* A UDP socket's epoch also ends by age (protocol, section 6). */
#define NST_EPOCH_SECONDS	600

/*
 * UDP sessions known under each secret: one a peer's socket and epoch. With AES-GCM
 * on 6.1 and 6.12, which need two transforms and a table of GHASH, a session is
 * some 10 KiB, so 40 MiB at the default; with other suites or kernels 3 KiB.
 */
#define NST_SESSIONS		4096
#define NST_SESSIONS_MIN	16
#define NST_SESSIONS_MAX	65536

/*
 * Sessions that are looked at to forget one of them: as many as the smallest bound
 * allows, and the same whatever is known (protocol: 8 or more).
 */
#define NST_SESSION_CANDIDATES	16U

/* Secrets of an owner that are looked at, the fullest first, to forget something. */
#define NST_CLAIM_LOOKS		8U

/*
 * Sessions of which one socket has a window of its own, for what comes to groups.
 * Each takes 1 KiB, as the allocator rounds it. With more, the one not used for the
 * longest time is forgotten.
 */
#define NST_MEMBERS_MAX		64

/*
 * Datagrams of unknown sessions that wait for their keys, in number and in memory,
 * in each line: for each user twice that. A socket may have as much as its user has
 * left: one alone this, each that fills up behind it half of what the one before
 * has, all that do together their equal shares. Room for the first window of some
 * new peers. Each is charged to its socket's SO_RCVBUF, too.
 */
#define NST_PENDING_MAX		1024U
#define NST_PENDING_BYTES	(1U << 22)

/*
 * One that takes no more memory than this may wait at each of NST_PENDING_MAX sockets
 * of a user, whatever waits at his others: he has so much more. Drivers that fill a
 * page for each packet make even the smallest one larger than a page.
 */
#define NST_PENDING_SMALL	8192U

/*
 * Deriving keys for unknown sessions may take one sixteenth of the host's online
 * processors' time, and a quarter of a second at once after a rest: some thousand
 * new peers. Time is what a flood takes away, so time is what is counted. A quarter
 * of it is kept for senders that begin their next epoch: those whose nonce is at most
 * NST_NEXT_REACH above the highest of a session (protocol). Of the sessions near it so
 * many are looked at.
 */
#define NST_DERIVE_SHARE	16
#define NST_DERIVE_BURST_NS	250000000LL
#define NST_DERIVE_NEXT		4
#define NST_DERIVE_TYPICAL_NS	100000ULL

/*
 * One derivation that takes more than so many times what is usual for its kind was
 * held up by something that cannot be seen. After so many that were held up, one
 * after the other, the quickest of them is what is usual.
 */
#define NST_DERIVE_STRAY	4
#define NST_DERIVE_HELD_UP	16

/*
 * A sender's turn ends with the datagram that fills up so much: some derivation, or
 * some small datagrams that are opened, or a large one. So nobody waits for more than
 * that of each other user's. Each datagram is charged a little besides, so that there
 * are NST_DERIVE_TURN_NS / NST_DERIVE_SERVE_NS of them at most.
 */
#define NST_DERIVE_TURN_NS	100000
#define NST_DERIVE_SERVE_NS	2000

/*
 * A datagram whose session is known, and of whose sender others wait still, takes so
 * many of them along in its softirq. With more than one a line that has keys ends,
 * however fast its sender is; each is opened there that would have been anyway. Of
 * long ones no more than two, once there are so many bytes: opening them takes time,
 * with bottom halves off.
 */
#define NST_READY_TAKE		4
#define NST_READY_TAKE_MIN	2
#define NST_READY_BYTES		16384U

/*
 * The worker goes to the end of its queue after so many rounds, each of two turns: a
 * matter of ten milliseconds or so. Who waits until it has run waits no longer.
 */
#define NST_DERIVE_ROUNDS	64

#define NST_NEXT_REACH		(1U << 16)
#define NST_NEXT_LOOKS		16

/*
 * Epochs of its own that a UDP socket remembers, to refuse what is reflected.
 * Those it forgets are covered by the range of its own nonces.
 */
#define NST_OWN_EPOCHS		64

/*
 * Rules of the guard in one namespace: one a service of a host. Bounds the copy
 * that each change makes and the per-CPU memory that whoever has a namespace of
 * his own can have.
 */
#define NST_GUARD_RULES_MAX	256

/*
 * Headers between that of IPv6 and that of TCP or UDP. Nobody sends more than
 * three; bounds what a packet can cost before it is judged.
 */
#define NST_GUARD_HEADERS_MAX	16

/*
 * Listeners that share a port and are all asked whether they have NST, before the
 * guard lets payload to a connection that is only asked for: more than a worker
 * for each processor. Bounds what such a packet can cost.
 */
#define NST_GUARD_GROUP_MAX	1024

#endif /* _NST_LIMITS_H */
