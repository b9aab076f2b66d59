/*
 * Holds memory and waits: hold MEBIBYTES [shared]. Ends with code 1 if it cannot get it. `shared`: a second process
 * runs in the same memory, as between vfork and exec; its pid is printed as `chosen PID`.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int wait_for_signals(void *unused)
{
  (void)unused;
  while (pause())
    ;
  return 0;
}

int main(int argc, char **argv)
{
  static char stack[65536];
  long mebibytes = argc > 1 ? atol(argv[1]) : 0;

  if (argc > 2) {
    int shares = clone(wait_for_signals, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);

    if (shares < 0 || dprintf(STDOUT_FILENO, "chosen %d\n", shares) < 0)
      return 2;
  }
  while (mebibytes-- > 0) {
    char *memory = malloc(1 << 20);

    if (!memory)
      return 1;
    memset(memory, 1, 1 << 20);
  }
  return wait_for_signals(NULL);
}
