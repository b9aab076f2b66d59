/* Asks for a signal when its parent ends (prctl(2), PR_SET_PDEATHSIG), and becomes a program: mourner SIGNAL PROGRAM ARGUMENT... */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
  if (argc < 3 || prctl(PR_SET_PDEATHSIG, atoi(argv[1])))
    return 2;
  execvp(argv[2], argv + 2);
  return 127;
}
