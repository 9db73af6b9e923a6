// SPDX-License-Identifier: GPL-2.0
/* guardpoke PORT: one datagram of plaintext to that port of loopback. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc != 2 || fd < 0)
		return 2;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(atoi(argv[1]));
	if (sendto(fd, "plain", 5, 0, (void *)&in, sizeof(in)) != 5) {
		perror("guardpoke");
		return 1;
	}
	return 0;
}
