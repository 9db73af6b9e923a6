/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two ends whose exchange of keys goes through someone in the path, who flips each
 * byte of both directions in turn, cuts behind it, repeats what passes, sends it back
 * or keeps it: whoever has not what it should has an error by name, soon, and from
 * then on sends nothing.
 */
#ifndef EXCHPATH_H
#define EXCHPATH_H

#include <stddef.h>
#include <stdint.h>

enum exchpath_act { NOTHING, FLIP, CUT, REPEAT, REFLECT, KEEP, DRIBBLE };

/**
 * struct exchpath - what is done
 * @group: of the exchange; 0: what there is
 * @dir: in which direction, 0 for the initiator's
 * @every: at every so many bytes
 * @may: both ends may come to their ends in spite of it
 */
struct exchpath {
	uint16_t group;
	int dir;
	int every;
	int may;
};

/* @fd: the initiator and the responder, a strict stream with a private box */
int exchpath_pair(int fd[2]);

/* Does @what at all places of @conf; 1 if all has ended as it should. */
int exchpath_all(enum exchpath_act what, const struct exchpath *conf);

#endif
