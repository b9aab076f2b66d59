/*
 * Runs a program at a new terminal, as a login would, and does there what a person does 0.4 s later:
 * at-terminal ctrl-c | ctrl-backslash | ctrl-z | close | stay PROGRAM ARGUMENT... Ends when the program has.
 */
#define _GNU_SOURCE
#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void act(const char *what, int terminal)
{
  const char *key = !strcmp(what, "ctrl-c") ? "\003" : !strcmp(what, "ctrl-backslash") ? "\034" : "\032";

  if (!strcmp(what, "close"))
    close(terminal);
  else if (strcmp(what, "stay") && write(terminal, key, 1) != 1)
    _exit(1);
}

int main(int argc, char **argv)
{
  int terminal;
  char piece[256];
  pid_t child = argc > 2 ? forkpty(&terminal, NULL, NULL, NULL) : -1;

  if (child == 0) {
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  if (child < 0)
    return 2;
  usleep(400000);
  act(argv[1], terminal);
  while (read(terminal, piece, sizeof piece) > 0)
    ;
  waitpid(child, NULL, 0);
  return 0;
}
