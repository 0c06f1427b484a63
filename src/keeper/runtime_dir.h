/* SPDX-License-Identifier: ISC */
/*
 * runtime_dir: the folder of one instance. ha.lock (held while a keeper runs, holds its process
 * id), running.conf (the configuration in force, for `ha release` after a crash), raised-DEVICE (a
 * device that was down and that we brought up), restart (what a daemon left for the next one),
 * ha.sock (the control socket).
 */
#ifndef HA_KEEPER_RUNTIME_DIR_H
#define HA_KEEPER_RUNTIME_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct runtime_dir {
	const char *path; /* static */
	int descriptor;   /* of the folder */
	int lock;         /* of ha.lock */
};

/* Creates the folder if need be and takes its lock. False, after one line, if that fails;
 * @releasing chooses its words. */
bool runtime_dir_open(const char *path, bool releasing, struct runtime_dir *ret_dir);
/* Tells `ha reload` in ha.lock, behind the process id, which file is read again. */
void runtime_dir_name_file(const struct runtime_dir *dir, const char *file);
/* DIR/next.conf: what the next daemon is to begin with; and DIR/refused: why a reload changed
 * nothing, a line of text. */
bool runtime_dir_put_next(const struct runtime_dir *dir, const char *text, size_t size);
int runtime_dir_open_next(const struct runtime_dir *dir);
void runtime_dir_refuse(const struct runtime_dir *dir, const char *why);
void runtime_dir_accept(const struct runtime_dir *dir);
void runtime_dir_close(struct runtime_dir *dir);

/* Puts @text of @size in the place of running.conf. False, after one line, if that fails. */
bool runtime_dir_save_configuration(const struct runtime_dir *dir, const char *text, size_t size);
void runtime_dir_forget_configuration(const struct runtime_dir *dir);
/* running.conf for reading, if there is one that only we could have written; else -1. */
int runtime_dir_saved_configuration(const struct runtime_dir *dir);

/* Puts what the next keeper needs into DIR/restart (succession.h). False, after one line, if that
 * fails. */
bool runtime_dir_leave_note(const struct runtime_dir *dir, const void *bytes, size_t size);
/* At most @max bytes of it; owned by the caller. NULL if there is none. */
void *runtime_dir_read_note(const struct runtime_dir *dir, size_t max, size_t *ret_size);
void runtime_dir_forget_note(const struct runtime_dir *dir);

/* Notes on disk that we brought @device up, so that a later run can set it down. 0 or -errno. */
int runtime_dir_note_raised(const struct runtime_dir *dir, const char *device);
void runtime_dir_forget_raised(const struct runtime_dir *dir, const char *device);
/* Calls @each with every device so noted. */
void runtime_dir_raised(const struct runtime_dir *dir,
	void (*each)(const char *device, void *context), void *context);

/* The listening control socket, or -1 after one line. @group may connect to it; NULL: only root. */
int runtime_dir_listen(const struct runtime_dir *dir, const gid_t *group);
void runtime_dir_unlink_socket(const struct runtime_dir *dir);

#endif
