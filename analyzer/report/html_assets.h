/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The HTML report's style and script (report/html/), compiled in; NUL-terminated.
 * Stands on nothing; the build makes the source. */
#ifndef AGLET_REPORT_HTML_ASSETS_H
#define AGLET_REPORT_HTML_ASSETS_H

extern const unsigned char html_css[], html_js[];

#endif
