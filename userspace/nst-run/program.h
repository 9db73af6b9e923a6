/* SPDX-License-Identifier: GPL-2.0 */
/* What a program file is, and whether a preloaded library gets into it. */
#ifndef NST_RUN_PROGRAM_H
#define NST_RUN_PROGRAM_H

/**
 * enum program_kind - what was found
 * @PROGRAM_DYNAMIC: takes LD_PRELOAD
 * @PROGRAM_STATIC: has no dynamic linker
 * @PROGRAM_FOREIGN: for another machine or word size than this library
 * @PROGRAM_SECURE: runs with other rights than its caller's, so that the
 *	dynamic linker does not heed LD_PRELOAD
 * @PROGRAM_LIBC: its dynamic linker is none of glibc's
 * @PROGRAM_GO: makes its system calls itself, past libc
 * @PROGRAM_HIDDEN: may be run and not be read
 * @PROGRAM_UNKNOWN: is not there, or is no program; exec says why
 */
enum program_kind {
	PROGRAM_DYNAMIC,
	PROGRAM_STATIC,
	PROGRAM_FOREIGN,
	PROGRAM_SECURE,
	PROGRAM_LIBC,
	PROGRAM_GO,
	PROGRAM_HIDDEN,
	PROGRAM_UNKNOWN
};

enum program_kind program_kind(int dir, const char *path);
int program_library_loads(const char *path);
const char *program_kind_text(enum program_kind kind);

#endif /* NST_RUN_PROGRAM_H */
