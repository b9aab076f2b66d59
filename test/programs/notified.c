/*
 * Asks the kernel for a signal when a pipe can be read, and does not handle it: notified SIGNAL. 0: the SIGIO that
 * O_ASYNC stands for; else one chosen with F_SETSIG. Another process, `PID` on the output, writes to the pipe.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
  int both[2];
  pid_t writer;

  if (argc < 2 || pipe(both))
    return 2;
  fcntl(both[0], F_SETOWN, getpid());
  if (atoi(argv[1]))
    fcntl(both[0], F_SETSIG, atoi(argv[1]));
  fcntl(both[0], F_SETFL, O_ASYNC);
  writer = fork();
  if (writer == 0) {
    usleep(300000);
    _exit(write(both[1], "!", 1) != 1);
  }
  printf("%d\n", writer);
  fflush(stdout);
  for (;;)
    pause();
}
