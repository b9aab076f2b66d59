/* Runs a program as another user, as a login of that user would: as USER LOGIN-USER PROGRAM ARGUMENT...; login user - leaves it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
  if (argc < 4)
    return 2;
  uid_t user = strtoul(argv[1], NULL, 10);

  if (strcmp(argv[2], "-")) {
    int file = open("/proc/self/loginuid", O_WRONLY);
    if (file < 0 || write(file, argv[2], strlen(argv[2])) < 0)
      return 3;
    close(file);
  }
  if (setgroups(0, NULL) || setresgid(user, user, user) || setresuid(user, user, user))
    return 4;
  execvp(argv[3], argv + 3);
  return 127;
}
