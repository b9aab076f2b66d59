/*
 * A daemon that writes its pid to the file $PIDFILE, if there is one, and crashes $LIVES milliseconds later (1100 if
 * not set), so that the file is left.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
  const char *path = getenv("PIDFILE");
  FILE *pidfile = path ? fopen(path, "w") : NULL;

  setsid();
  if (pidfile) {
    fprintf(pidfile, "%d\n", (int)getpid());
    fclose(pidfile);
  }
  const char *lives = getenv("LIVES");
  usleep((lives ? atoi(lives) : 1100) * 1000);
  return 1;
}
