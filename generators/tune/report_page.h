// The page's template, which CMake joins from report.html, report/ and Chart.js, and the assembler embeds.
#ifndef TCONV_GENERATORS_REPORT_PAGE_H
#define TCONV_GENERATORS_REPORT_PAGE_H

extern "C" {
extern const char tconv_report_page[];
extern const char tconv_report_page_end[];
}

#endif
