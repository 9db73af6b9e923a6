// SPDX-License-Identifier: GPL-2.0
/*
 * What a program file is. Also for a process under the preload engine, before it
 * execs: behind vfork(), so nothing is allocated and errno is left alone.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "program.h"
#include "sys.h"
#include "text.h"

/* As many scripts that are interpreters of scripts as the kernel follows. */
#define SCRIPTS		5
/* What the kernel reads of a script's first line. */
#define HEAD		256
#define PHDRS		64
/* A page of notes is more than linkers leave. */
#define NOTES		1024
/* So many sections are read at once. */
#define SECTIONS	16
/* The first data of a program, and what is read of it at once. */
#define DATA_MAX	65536
#define DATA		4096
#define NOTE_ALIGN(n)	(((unsigned long)(n) + 3) & ~3ul)

#if defined(__x86_64__)
#define OWN_MACHINE	EM_X86_64
#else
#define OWN_MACHINE	EM_AARCH64
#endif

static long read_at(int fd, void *buf, unsigned long len, unsigned long at)
{
	return sys_call(SYS_pread64, fd, SYS_PTR(buf), len, at, 0, 0);
}

/*
 * Does running it change rights? A capability in the file does for who is not
 * root, set-uid for who is another. Without new privileges nothing does.
 */
static int is_secure(int fd)
{
	unsigned long uid = sys_call(SYS_getuid, 0, 0, 0, 0, 0, 0);
	unsigned long gid = sys_call(SYS_getgid, 0, 0, 0, 0, 0, 0);
	struct stat st;
	char caps[64];

	if (uid != (unsigned long)sys_call(SYS_geteuid, 0, 0, 0, 0, 0, 0) ||
	    gid != (unsigned long)sys_call(SYS_getegid, 0, 0, 0, 0, 0, 0))
		return 1;
	if (sys_call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0, 0) == 1)
		return 0;
	if (sys_call(SYS_newfstatat, fd, SYS_PTR(""), SYS_PTR(&st),
		     AT_EMPTY_PATH, 0, 0))
		return 0;
	/* Set-gid without x for the group means something else. */
	if (((st.st_mode & 04000) && st.st_uid != uid) ||
	    ((st.st_mode & 02010) == 02010 && st.st_gid != gid))
		return 1;
	return uid && sys_call(SYS_fgetxattr, fd,
			       SYS_PTR("security.capability"), SYS_PTR(caps),
			       sizeof(caps), 0, 0) > 0;
}

/* musl's linker knows LD_PRELOAD as well, but not a library made for glibc. */
static enum program_kind look_at_linker(int fd, const Elf64_Phdr *ph)
{
	char path[HEAD] = "";
	long n;

	n = read_at(fd, path, ph->p_filesz < sizeof(path) - 1 ?
		    ph->p_filesz : sizeof(path) - 1, ph->p_offset);
	if (n <= 0)
		return PROGRAM_UNKNOWN;
	return strstr(path, "/ld-linux") ? PROGRAM_DYNAMIC : PROGRAM_LIBC;
}

/* Go's linker leaves a note of its own, here among those of others. */
static int is_go(int fd, const Elf64_Phdr *ph)
{
	char notes[NOTES];
	unsigned long at = 0, size = ph->p_filesz;
	Elf64_Nhdr head;
	long n;

	n = read_at(fd, notes, size < sizeof(notes) ? size : sizeof(notes),
		    ph->p_offset);
	while (n > 0 && at + sizeof(head) + 4 <= (unsigned long)n) {
		memcpy(&head, notes + at, sizeof(head));
		if (head.n_namesz == 4 &&
		    !memcmp(notes + at + sizeof(head), "Go", 3))
			return 1;
		at += sizeof(head) + NOTE_ALIGN(head.n_namesz) +
		      NOTE_ALIGN(head.n_descsz);
	}
	return 0;
}

static int is_go_name(int fd, const Elf64_Shdr *names, Elf64_Word at)
{
	char name[16] = "";

	read_at(fd, name, sizeof(name) - 1, names->sh_offset + at);
	return !strcmp(name, ".go.buildinfo") || !strcmp(name, ".gopclntab");
}

/* The note may be left out (-buildid=); these sections are not. */
static int has_go_section(int fd, const Elf64_Ehdr *eh)
{
	Elf64_Shdr names, sh[SECTIONS];
	unsigned int at, i, nr;
	long n;

	if (eh->e_shentsize != sizeof(names) || eh->e_shstrndx >= eh->e_shnum ||
	    read_at(fd, &names, sizeof(names), eh->e_shoff +
		    eh->e_shstrndx * sizeof(names)) != sizeof(names))
		return 0;
	for (at = 0; at < eh->e_shnum; at += SECTIONS) {
		nr = eh->e_shnum - at < SECTIONS ? eh->e_shnum - at : SECTIONS;
		n = read_at(fd, sh, nr * sizeof(*sh), eh->e_shoff +
			    at * sizeof(*sh));
		for (i = 0; n > 0 && i < n / sizeof(*sh); i++)
			if (sh[i].sh_type == SHT_PROGBITS &&
			    is_go_name(fd, &names, sh[i].sh_name))
				return 1;
	}
	return 0;
}

/* And where a tool took the table of sections: its magic, early in the data. */
static int has_go_magic(int fd, const Elf64_Phdr *ph)
{
	/* In two parts, or each program with this function would have it. */
	static const char magic[] = "\377 Go build", end[] = "inf:";
	char data[DATA];
	unsigned long at;
	long i, n, size;

	/* It is aligned in memory. */
	for (at = -ph->p_vaddr & 15; at < DATA_MAX && at < ph->p_filesz; at += DATA) {
		size = ph->p_filesz - at < DATA ? ph->p_filesz - at : DATA;
		n = read_at(fd, data, size, ph->p_offset + at);
		for (i = 0; i + 16 <= n; i += 16)
			if (!memcmp(data + i, magic, sizeof(magic) - 1) &&
			    !memcmp(data + i + sizeof(magic) - 1, end,
				    sizeof(end) - 1))
				return 1;
	}
	return 0;
}

static int is_data(const Elf64_Phdr *ph)
{
	return ph->p_type == PT_LOAD && (ph->p_flags & (PF_W | PF_X)) == PF_W;
}

static enum program_kind look_at_elf(int fd, const Elf64_Ehdr *eh)
{
	enum program_kind kind = PROGRAM_STATIC;
	Elf64_Phdr ph[PHDRS];
	unsigned int i, go = has_go_section(fd, eh);
	long size;

	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != OWN_MACHINE)
		return PROGRAM_FOREIGN;
	size = eh->e_phnum * sizeof(*ph);
	/* The kernel takes more than anybody has. */
	if (eh->e_phnum > PHDRS)
		return PROGRAM_HIDDEN;
	if (eh->e_phentsize != sizeof(*ph) ||
	    read_at(fd, ph, size, eh->e_phoff) != size)
		return PROGRAM_UNKNOWN;
	for (i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_INTERP)
			kind = look_at_linker(fd, &ph[i]);
		else if ((ph[i].p_type == PT_NOTE && is_go(fd, &ph[i])) ||
			 (is_data(&ph[i]) && has_go_magic(fd, &ph[i])))
			go = 1;
	}
	return kind == PROGRAM_DYNAMIC && go ? PROGRAM_GO : kind;
}

/* "#! /bin/sh -e": the path, ended by 0. Return: it, or NULL. */
static char *interpreter(char *head)
{
	char *path = head + 2 + strspn(head + 2, " \t");
	size_t len = strcspn(path, " \t\n");

	if (!len)
		return NULL;
	path[len] = 0;
	return path;
}

/* Of one file; a script's interpreter is the next one to look at, in @next. */
static enum program_kind look(int fd, char *next)
{
	union {
		Elf64_Ehdr elf;
		char text[HEAD + 1];
	} head;
	long n = read_at(fd, &head, HEAD, 0);
	char *path;

	next[0] = 0;
	if (n < 2)
		return PROGRAM_UNKNOWN;
	head.text[n] = 0;
	if (head.text[0] == '#' && head.text[1] == '!') {
		path = interpreter(head.text);
		if (path)
			memcpy(next, path, strlen(path) + 1);
		return PROGRAM_UNKNOWN;
	}
	if (n < (long)sizeof(head.elf) ||
	    memcmp(head.elf.e_ident, ELFMAG, SELFMAG))
		return PROGRAM_UNKNOWN;
	if (is_secure(fd))
		return PROGRAM_SECURE;
	return look_at_elf(fd, &head.elf);
}

/* Also an O_PATH descriptor can be opened anew by this name. */
static const char *proc_path(char *path, size_t size, int fd)
{
	struct text t = { .buf = path, .size = size };

	text_add(&t, "/proc/self/fd/");
	text_number(&t, fd);
	return path;
}

/* What may be run but not read could be anything. */
static enum program_kind hidden(int dir, const char *path)
{
	return sys_call(SYS_faccessat, dir, SYS_PTR(path), X_OK, 0, 0, 0) ?
		PROGRAM_UNKNOWN : PROGRAM_HIDDEN;
}

/* "ld.so program": it heeds LD_PRELOAD, but is not linked itself. */
static int is_linker(const char *path)
{
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	return !strncmp(name, "ld-linux", 8) || !strcmp(name, "ld.so");
}

/**
 * program_kind() - look at a program
 * @dir: directory of a relative @path, AT_FDCWD; or the file itself if @path
 *	is empty
 * @path: of the file
 *
 * Return: its kind.
 */
enum program_kind program_kind(int dir, const char *path)
{
	enum program_kind kind = PROGRAM_UNKNOWN;
	char next[HEAD + 1], own[32];
	int i, fd, given = dir;

	if (!*path)
		path = proc_path(own, sizeof(own), dir);
	else
		given = -1;
	for (i = 0; i < SCRIPTS; i++, given = -1) {
		fd = sys_call(SYS_openat, dir, SYS_PTR(path),
			      O_RDONLY | O_CLOEXEC, 0, 0, 0);
		if (fd < 0 && given < 0)
			return hidden(dir, path);
		kind = look(fd < 0 ? given : fd, next);
		if (fd >= 0)
			sys_close(fd);
		if (kind == PROGRAM_STATIC && is_linker(path))
			return PROGRAM_DYNAMIC;
		if (!next[0])
			break;
		path = next;
		dir = AT_FDCWD;
	}
	return kind;
}

/**
 * program_library_loads() - would the dynamic linker take this library, from here?
 * @path: of the library
 *
 * It goes on without one that is not in a chroot, say, that this user may not
 * read, or that is on a file system without execution.
 *
 * Return: 1 or 0.
 */
int program_library_loads(const char *path)
{
	long fd = sys_call(SYS_openat, AT_FDCWD, SYS_PTR(path),
			   O_RDONLY | O_CLOEXEC, 0, 0, 0);
	long p;

	if (fd < 0)
		return 0;
	p = sys_call(SYS_mmap, 0, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	sys_close(fd);
	if (p < 0 && p > -4096)
		return 0;
	sys_call(SYS_munmap, p, 1, 0, 0, 0, 0);
	return 1;
}

/**
 * program_kind_text() - why a program is out of reach
 * @kind: what it is
 *
 * Return: words behind the program's name.
 */
const char *program_kind_text(enum program_kind kind)
{
	switch (kind) {
	case PROGRAM_STATIC:
		return "is a static program";
	case PROGRAM_FOREIGN:
		return "is for another machine or word size";
	case PROGRAM_SECURE:
		return "runs with other rights than its caller's";
	case PROGRAM_LIBC:
		return "does not use glibc";
	case PROGRAM_GO:
		return "is a Go program, which makes its system calls itself";
	case PROGRAM_HIDDEN:
		return "may not be read";
	case PROGRAM_UNKNOWN:
		return "is of an unknown kind";
	case PROGRAM_DYNAMIC:
		break;
	}
	return "takes a preloaded library";
}
