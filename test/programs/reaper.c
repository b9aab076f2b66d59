/* Adopts the orphans of what it runs, and ends when the first one has (PR_SET_CHILD_SUBREAPER): reaper PROGRAM ARGUMENT... */
#define _GNU_SOURCE
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
  pid_t child;

  if (argc < 2 || prctl(PR_SET_CHILD_SUBREAPER, 1))
    return 2;
  child = fork();
  if (child == 0) {
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  waitpid(child, NULL, 0);
  usleep(200000);
  return 0;
}
