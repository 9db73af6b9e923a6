// SPDX-License-Identifier: GPL-2.0
/* A program with the note that Go's linker leaves. */
#include <elf.h>

static const struct {
	Elf64_Nhdr head;
	char name[4];
	char desc[4];
} note __attribute__((section(".note.go.buildid"), used, aligned(4))) = {
	{ 4, 4, 4 }, "Go", "abc"
};

int main(void)
{
	return 0;
}
