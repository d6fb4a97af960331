/* SPDX-License-Identifier: Apache-2.0
 * A text file, plain or gzip, read as UTF-8 whatever its encoding is. */
#ifndef SLADESK_CLI_TEXT_FILE_H
#define SLADESK_CLI_TEXT_FILE_H

#include "base/base.h"

struct text_file;
/* Open FILE and recognise its encoding: UTF-8 with or without a byte order mark, UTF-16 with one,
 * or GB18030 (of which GBK is a part), if most of the file is not UTF-8. A pipe is read as UTF-8.
 * Exits on failure. text_file_close releases it. */
struct text_file *text_file_open(const char *file);
/* Close the file and release T. */
void text_file_close(struct text_file *t);
/* Read up to SIZE (at least 16) bytes of UTF-8, without the byte order mark. Returns 0 at the end.
 * LINE is named if the file is truncated, corrupt or unreadable, which exits. Bytes that are no
 * character of a recognised GB18030 or UTF-16 file become U+FFFD; those of a UTF-8 file are passed
 * on as they are. */
size_t text_file_read(struct text_file *t, char *out, size_t size, long line);
/* The name of the encoding: "UTF-8", "UTF-16LE", "UTF-16BE" or "GB18030". */
const char *text_file_encoding(const struct text_file *t);
/* The number of bytes of the file read so far. */
uint64_t text_file_offset(const struct text_file *t);

#endif
