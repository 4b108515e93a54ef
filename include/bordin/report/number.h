/* Numbers as APA prints them, one at a time: for sentences, and for the cells of writers.
 *
 *     bd_document_say(document, BD_SENTENCE, "r = %s, %s", bd_show(BD_BOUNDED, r).text, bd_show_p(p).text);
 *     bd_document_say(document, BD_SENTENCE, "b = %s (SE %s)", bd_show_as(b, se).text, bd_show_as(se, se).text);
 */
#ifndef BORDIN_REPORT_NUMBER_H
#define BORDIN_REPORT_NUMBER_H

#include <bordin/report/document.h>

typedef struct bd_shown {
    char text[40]; /* "" for NaN; "inf" and "-inf" */
} bd_shown;

/* By its class. An estimate shows three digits, with two to six decimals. */
bd_shown bd_show(bd_class class, double number);

/* An estimate with the decimals that show three digits of `yardstick`, its standard error. */
bd_shown bd_show_as(double number, double yardstick);

/* "p = .034", "p < .001", "p > .999". */
bd_shown bd_show_p(double p);

/* An estimate with that many decimals, or four digits in all when `decimals` is BD_FOUR_DIGITS. */
enum { BD_FOUR_DIGITS = -1 };
bd_shown bd_show_decimals(double number, int decimals);

/* Decimals that show `digits` digits of a number: 5 for three digits of 0.00123. Not bounded: negative for 12345. */
int bd_decimals_for(double number, int digits);

#endif
