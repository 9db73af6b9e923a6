// SPDX-License-Identifier: GPL-2.0
/* A program of Go's linker without its note: -buildid= leaves that out. */
static const char info[32] __attribute__((section(".go.buildinfo,\"aw\"#"), used,
					  aligned(16))) = "\377 Go buildinf:";

int main(void)
{
	return 0;
}
