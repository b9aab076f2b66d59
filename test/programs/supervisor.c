/*
 * Starts a program, never learns that it ended (SIGCHLD is ignored, so the kernel gives its pid away), and ends it by
 * the pid it remembers as soon as somebody writes to the FIFO: supervisor FIFO PROGRAM ARGUMENT... Prints that pid.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
  char told[16];

  if (argc < 3)
    return 2;
  signal(SIGCHLD, SIG_IGN);
  pid_t worker = fork();
  if (worker == 0) {
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  printf("%d\n", (int)worker);
  fflush(stdout);
  int fifo = open(argv[1], O_RDONLY);
  if (fifo < 0 || read(fifo, told, sizeof told) < 0)
    return 1;
  return kill(worker, SIGKILL);
}
