// SPDX-License-Identifier: GPL-2.0
/* Programs under nst-run, and their peers. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/nst.h>

#include "nsttest.h"
#include "undertest.h"

#define WORDS	32

void under_play(const struct under_role *roles, int argc, char **argv)
{
	if (argc < 2 || argv[1][0] != '@')
		return;
	for (; roles->name; roles++) {
		if (strcmp(roles->name, argv[1]))
			continue;
		setlinebuf(stdout);
		_exit(roles->play(argc - 1, argv + 1));
	}
	fprintf(stderr, "no role %s\n", argv[1]);
	_exit(99);
}

int under_box(void)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "nstkeyctl genbox --force /tmp/under.%d && nstkeyctl load /tmp/under.%d",
		 getpid(), getpid());
	return system(command) ? -1 : 0;
}

static int add_words(char **argv, int argc, char *words)
{
	char *save, *word;

	for (word = strtok_r(words, " ", &save); word && argc < WORDS;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	return argc;
}

static void become(uid_t uid, const char *options, const char *role)
{
	char *argv[WORDS + 1] = { 0 }, self[256] = "";
	int argc = 0;
	char pid[16];

	/* As systemd does it for whom it starts */
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		_exit(98);
	if (options) {
		argv[argc++] = "nst-run";
		argc = add_words(argv, argc, strdup(options));
		argv[argc++] = "--";
	}
	argv[argc++] = self;
	add_words(argv, argc, strdup(role));
	if (uid && (setgid(uid) || setuid(uid)))
		_exit(98);
	execvp(argv[0], argv);
	_exit(97);
}

int under_start(struct under *under, uid_t uid, const char *options,
		const char *role)
{
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC))
		return -1;
	under->pid = fork();
	if (!under->pid) {
		dup2(pipe_fds[1], STDOUT_FILENO);
		dup2(pipe_fds[1], STDERR_FILENO);
		become(uid, options, role);
	}
	close(pipe_fds[1]);
	under->out = pipe_fds[0];
	return under->pid < 0 ? -1 : 0;
}

int under_line(struct under *under, char *line, size_t size)
{
	size_t n = 0;

	while (n < size - 1 && read(under->out, line + n, 1) == 1) {
		if (line[n] == '\n') {
			line[n] = 0;
			return 0;
		}
		n++;
	}
	line[n] = 0;
	return -1;
}

int under_end(struct under *under, char *said, size_t size)
{
	char more[4096];
	size_t len = 0;
	ssize_t n;
	int status = -1;

	while ((n = read(under->out, more, sizeof(more))) > 0) {
		if ((size_t)n > size - 1 - len)
			n = size - 1 - len;
		memcpy(said + len, more, n);
		len += n;
	}
	said[len] = 0;
	close(under->out);
	waitpid(under->pid, &status, 0);
	return status;
}

int under_run(const char *options, const char *role, char *said, size_t size)
{
	struct under under;
	int status;

	if (under_start(&under, 0, options, role))
		return -1;
	status = under_end(&under, said, size);
	return WIFEXITED(status) ? WEXITSTATUS(status) :
		128 + WTERMSIG(status);
}

pid_t under_parent(pid_t pid)
{
	int parent = -1;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return -1;
	if (fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1)
		parent = -1;
	fclose(file);
	return parent;
}

pid_t under_child(pid_t pid)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t found = -1;

	while (found < 0 && dir && (entry = readdir(dir)))
		if (atoi(entry->d_name) > 0 &&
		    under_parent(atoi(entry->d_name)) == pid)
			found = atoi(entry->d_name);
	if (dir)
		closedir(dir);
	return found;
}

struct sockaddr_in under_addr(int port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	return addr;
}

int under_nst(int fd, int udp)
{
	struct nst_crypto_info info = {
		.version = NST_VERSION, .cipher_id = NST_CIPHER_AES_GCM,
	};
	int one = 1;

	if (udp ? setsockopt(fd, IPPROTO_IP, NST_ATTACH, &one, sizeof(one)) :
		  setsockopt(fd, IPPROTO_TCP, TCP_ULP, "nst", 3))
		return -errno;
	return setsockopt(fd, SOL_NST, NST_TX_RX, &info, sizeof(info)) ?
		-errno : 0;
}

int under_keyed(int fd)
{
	struct nst_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_NST, NST_INFO, &info, &len))
		return 0;
	return info.tx.keyed && info.rx.keyed;
}

static int bound(int type, int port)
{
	struct sockaddr_in addr = under_addr(port);
	/* nst-run would attach what it inherits. */
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

int under_listen(int port, int nst)
{
	int fd = bound(SOCK_STREAM, port);

	if (fd < 0 || (nst && under_nst(fd, 0)) || listen(fd, 1024))
		return -1;
	return fd;
}

int under_udp(int port, int nst)
{
	int fd = bound(SOCK_DGRAM, port);

	return fd < 0 || (nst && under_nst(fd, 1)) ? -1 : fd;
}

int under_plain(int fd, int ms, size_t *got)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char buf[65536];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(buf) && poll(&poll_fd, 1, ms) > 0) {
		n = recv(fd, buf + len, sizeof(buf) - len, 0);
		if (n <= 0)
			break;
		len += n;
	}
	if (got)
		*got = len;
	return !!memmem(buf, len, UNDER_MARK, strlen(UNDER_MARK));
}

int under_dial(int port)
{
	struct sockaddr_in addr = under_addr(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!connect(fd, (void *)&addr, sizeof(addr)))
		return fd;
	close(fd);
	return -1;
}

const char *under_error(long ret)
{
	return ret < 0 ? strerrorname_np(errno) : "0";
}

int under_dummy(void)
{
	/* An earlier test may have made it. */
	if (!system("ip link show dummy0 >/tmp/dummy 2>&1"))
		return 0;
	return system("ip link add dummy0 type dummy") ||
		system("ip addr add 10.77.0.1/24 dev dummy0") ||
		system("ip link set dummy0 up arp off");
}

int under_dial_silence(int timeout)
{
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	struct timeval tv = { .tv_sec = timeout };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	addr.sin_addr.s_addr = htonl(0x0a4d0002);
	if (timeout)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	return connect(fd, (void *)&addr, sizeof(addr));
}

int under_dialing(int none)
{
	int i;

	for (i = 0; i < 100 * nsttest_patience(20); i++) {
		if (!system("ss -Htan state syn-sent | grep -q 7100") == !none)
			return 0;
		usleep(10000);
	}
	return -1;
}
