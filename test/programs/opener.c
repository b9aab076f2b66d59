/* Opens the file $1 for reading and closes it again, $2 times; prints how many nanoseconds each time took. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int count, char **args)
{
  if (count != 3)
    return 2;
  int times = atoi(args[2]);
  double began = now();
  for (int i = 0; i < times; i++)
    close(open(args[1], O_RDONLY | O_CLOEXEC));
  printf("%.0f\n", (now() - began) / times);
  return 0;
}
