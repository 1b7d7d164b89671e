/* SPDX-License-Identifier: Apache-2.0 */
/* The commands: argv[0] is the command's own name; each returns the exit code. */
#pragma once

int cmd_run(int argc, char **argv);
int cmd_boot(int argc, char **argv);
int cmd_oci_hook(int argc, char **argv);
int cmd_once(int argc, char **argv);
int cmd_install(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_events(int argc, char **argv);
/* rollback, remove, retry, pause, resume */
int cmd_rollback(int argc, char **argv);
int cmd_remove(int argc, char **argv);
int cmd_retry(int argc, char **argv);
int cmd_pause(int argc, char **argv);
int cmd_resume(int argc, char **argv);
