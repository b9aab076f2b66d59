/* Runs a program in a session of its own, as cron, sshd and systemd do: own-session PROGRAM ARGUMENT... */
#define _GNU_SOURCE
#include <unistd.h>

int main(int argc, char **argv)
{
  if (argc < 2 || setsid() < 0)
    return 2;
  execvp(argv[1], argv + 1);
  return 127;
}
