/* Runs a program with a new terminal as its controlling one, as a login would: on-terminal PROGRAM ARGUMENT... */
#define _GNU_SOURCE
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
  int terminal;
  char piece[256];
  pid_t child = argc > 1 ? forkpty(&terminal, NULL, NULL, NULL) : -1;

  if (child == 0) {
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  if (child < 0)
    return 2;
  while (read(terminal, piece, sizeof piece) > 0)
    ;
  waitpid(child, NULL, 0);
  return 0;
}
